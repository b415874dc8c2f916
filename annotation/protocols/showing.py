"""Shows a page without Label Studio: as an HTML document for a browser, in Label Studio's colours, without scripts.

Its tags become the elements that Label Studio makes of them, as far as page.css and annotators can tell.
"""

from collections.abc import Mapping
from html import escape
from xml.etree import ElementTree

from annotation.protocols.protocol import Page

_LOOKS = {
    False: {"surface": "#f9f8f6", "content": "#262522", "border": "#e1ded5"},
    True: {"surface": "#1e1d1a", "content": "#f9f8f6", "border": "#45433e"},
}
"""Label Studio's colours, light and dark, by whether the look is dark."""

_STUDIO = """\
* { box-sizing: border-box; border: 0 solid; margin: 0; padding: 0; }
body {
  display: flex; flex-direction: column; height: 100vh; background: var(--color-neutral-surface);
  color: var(--color-neutral-content); font-family: Figtree, system-ui, sans-serif;
}
.bar {
  display: flex; flex: none; align-items: center; gap: 10px; height: 48px; padding: 0 14px;
  background: color-mix(in srgb, var(--color-neutral-surface) 85%, #888);
  border-bottom: 1px solid var(--color-neutral-border); font-size: 13px; opacity: .8;
}
.bar + .page { flex: 1; min-height: 0; overflow: auto; }
.page + .bar { justify-content: flex-end; height: 50px; border-top: 1px solid var(--color-neutral-border); }
.bar span { padding: 7px 40px; border: 1px solid var(--color-neutral-border); border-radius: 4px; }
h3, h4 { margin: 10px 0; font-size: 16px; font-weight: 500; }
ul, ol { list-style-position: outside; }
.lsf-choice__item { display: flex; }
.lsf-hint { position: relative; display: block; }
.lsf-text-area input {
  width: 100%; border: 1px solid var(--color-neutral-border); background: none; color: inherit; font: inherit;
}
"""


def show_page(page: Page, data: Mapping[str, str], *, dark: bool) -> str:
    """The page with the data of a task. Buttons can be pressed, and nothing is sent."""
    body = _show(ElementTree.fromstring(page.config), data)
    return _document(f'<div class="bar">Label Studio</div><div class="page">{body}</div>{_SUBMIT}', dark)


def show_guidelines(page: Page, *, dark: bool) -> str:
    """The guidelines, in the looks of the page."""
    styles = "".join(
        f"<style>{_style(each.text or '')}</style>" for each in ElementTree.fromstring(page.config).iter("Style")
    )
    return _document(f'{styles}<div class="page" style="padding: 20px">{page.instruction}</div>', dark)


_SUBMIT = '<div class="bar"><span>Skip</span><span>Submit</span></div>'


def _document(body: str, dark: bool) -> str:
    scheme = "dark" if dark else "light"
    colours = " ".join(f"--color-neutral-{name}: {value};" for name, value in _LOOKS[dark].items())
    return (
        f'<!DOCTYPE html><html lang="en" data-color-scheme="{scheme}"><head><meta charset="utf-8">'
        f"<style>:root {{ color-scheme: {scheme}; {colours} }}\n{_STUDIO}</style></head><body>{body}</body></html>"
    )


def _show(tag: ElementTree.Element, data: Mapping[str, str]) -> str:
    match tag.tag:
        case "View":
            return _view(tag, data)
        case "Style":
            return f"<style>{_style(tag.text or '')}</style>"
        case "Header":
            name = "h3" if tag.get("size") == "4" else "h4"
            return f"<{name}>{escape(tag.get('value', ''))}</{name}>"
        case "HyperText":
            shown = data.get(tag.get("value", "").removeprefix("$"), "")
            return f'<div class="lsf-object lsf-richtext"><div class="lsf-richtext__container">{shown}</div></div>'
        case "Choices":
            return _choices(tag)
        case "TextArea":
            hint = escape(tag.get("placeholder", ""))
            return f'<div class="lsf-text-area"><input placeholder="{hint}"></div>'
    return ""


def _view(tag: ElementTree.Element, data: Mapping[str, str]) -> str:
    inside = "".join(_show(each, data) for each in tag)
    style = f' style="{escape(tag.get("style", ""))}"' if tag.get("style") else ""
    asks, choice = tag.get("whenTagName"), tag.get("whenChoiceValue")
    if not asks or not choice:
        return f'<div class="{escape(tag.get("className", ""))}"{style}>{inside}</div>'
    name = f"when-{asks}"
    pressed = f'input[name="{asks}"][value="{choice}"]:checked'
    hidden = f"<style>.gm-page:not(:has({pressed})) .{name} {{ display: none !important }}</style>"
    return f'{hidden}<div class="{escape(tag.get("className", ""))} {name}"{style}>{inside}</div>'


def _choices(tag: ElementTree.Element) -> str:
    kind = "checkbox" if tag.get("choice") == "multiple" else "radio"
    items = []
    for choice in tag:
        text, key = escape(choice.get("value", "")), escape(choice.get("hotkey", ""))
        hint = f'<sup class="lsf-hint">[{key}]</sup>' if key else ""
        button = f'<input type="{kind}" name="{escape(tag.get("name", ""))}" value="{text}">'
        items.append(
            f'<div class="lsf-choice lsf-choice_leaf"><div class="lsf-choice__item">'
            f'<label class="ant-{kind}-wrapper lsf-choice__checkbox"><span class="ant-{kind}">{button}</span>'
            f"<span><span>{text}{hint}</span></span></label></div></div>"
        )
    return f'<div class="lsf-choices">{"".join(items)}</div>'


def _style(css: str) -> str:
    """The styles of a page, in which a checked input says what Label Studio says by a class."""
    for kind in ("radio", "checkbox"):
        css = css.replace(f".ant-{kind}-wrapper-checked", f".ant-{kind}-wrapper:has(:checked)")
    return css
