"""A real browser on the page of a real Label Studio: what annotators press, and what they see."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, Request, expect

from annotation.protocols import Category, Protocol
from annotation.server.accounts import session
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
    api: httpx.Client, protocol: Protocol, swapped: Mapping[str, bool], own: Sequence[Category] = ()
) -> Project:
    """A project of some samples, in their order."""
    page = protocol.page(protocol.guidelines, own)
    settings = {"label_config": page.config, "expert_instruction": page.instruction, "enable_empty_annotation": False}
    made = api.post("/api/projects", json={"title": f"Browser {protocol.name}", **settings}).raise_for_status().json()
    tasks = [{"data": protocol.show(SAMPLES[name].messages, *_pair(name), swap)} for name, swap in swapped.items()]
    answer = api.post(f"/api/projects/{made['id']}/import?return_task_ids=1", json=tasks).raise_for_status().json()
    return Project(made["id"], dict(zip(swapped, answer["task_ids"], strict=True)))


def _pair(name: str) -> tuple[str, str]:
    return SAMPLES[name].first, SAMPLES[name].second


@contextmanager
def at_work(browser: Browser, studio: Studio, number: int, work: Work, script: str = "") -> Iterator[Page]:
    """The first task of a project, before a signed-in annotator, with a script of a server in front of Label Studio."""
    url, annotator = studio.connection.url, studio.annotator("reader")
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    with session(url, annotator.email, annotator.password) as client:
        context.add_cookies([{"name": one.name, "value": str(one.value), "url": url} for one in client.cookies.jar])
    if script:
        context.add_init_script(script)
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
    expect(page.locator(".gm-prompt")).to_contain_text(SAMPLES[name].opening)


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
