"""Opens a page of a report in a browser, and checks that it is whole without help from anywhere."""

from pathlib import Path

from playwright.sync_api import Browser, Page

SIZES = ((390, 844), (768, 1024), (1366, 768), (1920, 1080))
"""Width and height in pixels: a telephone, a tablet, a laptop, a large screen."""


def opened(browser: Browser, page: Path, size: tuple[int, int], scheme: str) -> tuple[Page, list[str], list[str]]:
    """The page in a tab, with what it asked for and what the console told."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)  # type: ignore[arg-type]
    tab = context.new_page()
    asked: list[str] = []
    told: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: told.append(message.text))
    tab.on("pageerror", lambda error: told.append(str(error)))
    tab.on("dialog", lambda dialog: told.append(dialog.message))
    tab.goto(page.as_uri())
    return tab, asked, told


def check_page(opening: tuple[Page, list[str], list[str]], width: int, scheme: str) -> None:
    """Everything, also what a click unfolds, fits the width, in the colours of the scheme; nothing was asked for or
    told."""
    tab, asked, told = opening
    for summary in tab.locator("summary:visible").all():
        if summary.evaluate("summary => !summary.parentElement.open"):
            summary.click()
    assert [address for address in asked if not address.startswith(("file:", "data:"))] == []
    assert told == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    inside = "svg => svg.getBoundingClientRect().right <= svg.closest('section').getBoundingClientRect().right"
    assert all(plot.evaluate(inside) for plot in tab.locator("svg:visible").all())
    cut = "text => text.getBBox().x < -1 || text.getBBox().x + text.getBBox().width > 361"
    texts = f"[...document.querySelectorAll('svg text')].filter({cut}).map(text => text.textContent)"
    assert tab.evaluate(texts) == []
    dark = tab.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0] < 128")
    assert dark == (scheme == "dark")
