"""A real browser on the page of a real Label Studio, through the gate: what annotators press, and what they see."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, Request, expect

from annotation.protocols import Category, Protocol
from annotation.server.accounts import session
from tests.annotation.gate.projects import make_project
from tests.annotation.parts import Studio
from tests.annotation.protocols.samples import SAMPLES

MEASURE = Path(__file__).with_name("measure.js").read_text(encoding="utf-8")
LOOKS = {"light": (1280, 720), "dark": (1280, 720), "wide": (1920, 1080), "narrow": (1100, 720)}
SUBMIT = "Control+Enter"


@dataclass
class Work:
    """One annotator's way through a project: what tasks looked like, what was stored, what the browser asked for."""

    looks: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    stored: dict[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    swapped: dict[str, bool] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Project:
    number: int
    tasks: dict[str, int]


def project(
    api: httpx.Client, studio: Studio, protocol: Protocol, swapped: Mapping[str, bool], own: Sequence[Category] = ()
) -> Project:
    """A project of some samples, in their order."""
    number, tasks = make_project(api, studio.annotator("reader").email, protocol, swapped, own)
    return Project(number, dict(zip(swapped, tasks, strict=True)))


@contextmanager
def at_work(browser: Browser, studio: Studio, number: int, work: Work) -> Iterator[Page]:
    """The first task of a project, before an annotator who is signed in at the gate."""
    url, annotator = studio.connection.public_url, studio.annotator("reader")
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    with session(url, annotator.email, annotator.password) as client:
        context.add_cookies([{"name": one.name, "value": str(one.value), "url": url} for one in client.cookies.jar])
    page = context.new_page()

    def note(request: Request) -> None:
        work.requests.append(request.url)

    page.on("request", note)
    page.on("pageerror", lambda error: work.errors.append(str(error)))
    page.on("dialog", lambda dialog: work.errors.append(dialog.message))
    page.goto(f"{url}/projects/{number}/data?labeling=1")
    page.locator(".gm-scale label").first.wait_for()
    yield page
    context.close()


def come_to(page: Page, name: str) -> None:
    expect(page.locator(".gm-prompt")).to_contain_text(SAMPLES[name].opening, timeout=30_000)


def press(page: Page, keys: str) -> None:
    """Presses keys that choose something each, and waits until it is chosen."""
    for key in keys:
        page.keyboard.press(key)
    expect(page.locator(".gm-page :is(.ant-radio-wrapper-checked, .ant-checkbox-wrapper-checked)")).to_have_count(
        len(keys)
    )


def submit(page: Page) -> None:
    with page.expect_response(lambda answer: "/annotations" in answer.url and answer.request.method == "POST") as sent:
        page.keyboard.press(SUBMIT)
    assert sent.value.ok


def look(page: Page, name: str, protocol: str, work: Work, artifacts: Path, looks: Sequence[str]) -> None:
    """Screenshots and measures of a task; begins with the theme that is on."""
    first_dark = page.locator("html[data-color-scheme=dark]").count() > 0
    for kind in sorted(looks, key=lambda kind: (kind == "dark") != first_dark):
        width, height = LOOKS[kind]
        page.set_viewport_size({"width": width, "height": height})
        dress(page, "Dark" if kind == "dark" else "Light")
        page.screenshot(path=artifacts / f"{protocol}, {name}, {kind}.png", animations="disabled")
        work.looks[name, kind] = page.evaluate(MEASURE)
    page.set_viewport_size({"width": 1280, "height": 720})


THEMES = ("Auto", "Light", "Dark")


def dress(page: Page, theme: str) -> None:
    """By Label Studio's own switch, which goes round the three."""
    switch = page.locator("button[class^=themeToggle]")
    while (now := switch.inner_text()) != theme:
        switch.click()
        expect(switch).to_have_text(THEMES[(THEMES.index(now) + 1) % 3])
    expect(page.locator("html")).to_have_attribute("data-color-scheme", theme.lower())


def stored(api: httpx.Client, made: Project) -> dict[str, Sequence[Mapping[str, Any]]]:
    results = {}
    for name, task in made.tasks.items():
        [annotation] = api.get(f"/api/tasks/{task}/annotations/").raise_for_status().json()
        results[name] = annotation["result"]
    return results
