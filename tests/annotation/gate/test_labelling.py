"""An annotator at work behind the gate: a real browser, the content policy on."""

import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import httpx
import pytest
from playwright.sync_api import Browser, Page, Response, expect

from annotation.protocols import PROTOCOLS, read_report
from annotation.protocols.reporting import Report
from tests.annotation.gate.projects import make_project
from tests.annotation.parts import Account, Gate, Studio
from tests.annotation.protocols.samples import SAMPLES

NAMES = tuple(SAMPLES)[:3]
KEYS = {"preference": "2", "safety": "2qo", "evaluation": "2", "safety-rating": "2q"}


@dataclass
class Seen:
    """What the browser noticed."""

    requests: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        def note(response: Response) -> None:
            self.requests.append(response.url)
            if response.status >= 400:
                self.refused.append(f"{response.status} {response.url}")

        page.on("response", note)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)


def sign_in(page: Page, gate: Gate, account: Account, path: str) -> None:
    page.goto(f"{gate.url}{path}")
    page.fill("input[name=email]", account.email)
    page.fill("input[name=password]", account.password)
    page.press("input[name=password]", "Enter")


COMPLETED = """new MutationObserver(() => {
  if (document.querySelector("[class*=sub__result]")) console.error("Label Studio says that all is completed");
}).observe(document, {childList: true, subtree: true})"""


@pytest.mark.parametrize(
    "protocol",
    ["preference", "evaluation", *(pytest.param(name, marks=pytest.mark.soak) for name in ("safety", "safety-rating"))],
)
def test_an_annotator_labels_two_batches(
    gate: Gate, studio: Studio, api: httpx.Client, browser: Browser, protocol: str
) -> None:
    """The page says how far one is and has the system's theme; what is typed and reported goes with a skip and with a
    vote, at keys."""
    account = studio.annotator(f"{protocol}-gated")
    first, tasks = make_project(api, account.email, PROTOCOLS[protocol], NAMES[:2])
    tasks += make_project(api, account.email, PROTOCOLS[protocol], NAMES[2:])[1]
    seen, page = Seen(), browser.new_context(color_scheme="dark").new_page()
    page.add_init_script(COMPLETED)
    seen.watch(page)
    sign_in(page, gate, account, "/next")
    for name, told in zip(NAMES, TOLD, strict=True):
        expect(page.locator(".gm-prompt")).to_contain_text(SAMPLES[name].opening, timeout=30_000)
        expect(page.get_by_role("status").filter(has_text=told)).to_have_count(1)
        if name == NAMES[0]:
            expect(page.locator("html")).to_have_attribute("data-color-scheme", "dark")
            assert f"/projects/{first}/" in page.url
            assert told in page.locator(".lsf-current-task__task-id").evaluate(SHOWN)
            page.keyboard.press("Shift+1")
            expect(page.locator(".gm-report .ant-checkbox-wrapper-checked")).to_have_text(re.compile("Broken text"))
            leave(page, "cut off!", "Control+Space")
            continue
        page.locator(".gm-scale input").last.focus()  # as by Tab
        for key in KEYS[protocol]:
            page.keyboard.press(key)
        expect(page.locator(".gm-page .ant-radio-wrapper-checked")).to_have_count(len(KEYS[protocol]))
        leave(page, "2 of them" if name == NAMES[1] else "", "Control+Enter")
    expect(page.locator("main")).to_contain_text("All your tasks are done.")
    page.context.close()
    assert [error for error in seen.errors if "404" not in error] == []
    found = [api.get(f"/api/tasks/{task}/").raise_for_status().json()["annotations"] for task in tasks]
    assert [(one["completed_by"]["id"], one["was_cancelled"]) for [one] in found] == [
        (account.user_id, True), (account.user_id, False), (account.user_id, False)
    ]  # fmt: skip
    said = [read_report(one["result"]) for [one] in found]
    assert said == [Report("broken_text", "cut off!"), Report(None, "2 of them"), Report(None, None)]
    assert seen.requests
    assert {url.split("/")[2] for url in seen.requests if url.startswith("http")} == {gate.url.split("/")[2]}
    assert all("/api/dm/actions" in each for each in seen.refused), "Label Studio says 404 when no task is left"


TOLD = ("0 of 2 done, 1 more batch", "1 of 2 done, 1 more batch", "0 of 1 done")
SHOWN = "element => getComputedStyle(element, '::after').content"


def leave(page: Page, comment: str, keys: str) -> None:
    """Submits or skips a task by keys pressed in the comment, if there is one."""
    if comment:
        page.locator(".gm-comment input").focus()
        page.keyboard.type(comment)
    with page.expect_response(lambda answer: "/annotations" in answer.url) as sent:
        page.keyboard.press(keys)
    assert sent.value.ok


def test_at_a_key_the_responses_scroll_together(
    gate: Gate, studio: Studio, api: httpx.Client, browser: Browser
) -> None:
    account = studio.annotator("gated")
    project, _ = make_project(api, account.email, names=["3,000 words"])
    page = browser.new_context(viewport={"width": 1100, "height": 720}).new_page()
    sign_in(page, gate, account, f"/projects/{project}/data?labeling=1")
    page.locator(".gm-a .gm-response").wait_for()
    expect(page.locator(".gm-prompt")).to_contain_text(SAMPLES["3,000 words"].opening)
    longer = "e => e.insertAdjacentHTML('beforeend', '<div style=\"height: 1500px\"></div>')"
    page.evaluate(f"document.querySelectorAll('.gm-response').forEach({longer})")
    top = "(side) => document.querySelector(`.gm-${side} .gm-response`).scrollTop"
    scroll = "(to) => {document.querySelector('.gm-a .gm-response').scrollTop = to}"
    page.evaluate(scroll, 15)
    page.wait_for_timeout(100)
    assert page.evaluate(top, "b") == 0
    page.keyboard.press("=")
    page.evaluate(scroll, 1e6)
    page.wait_for_function(f"() => ({top})('b') > 500")
    page.context.close()


def test_no_page_can_reach_another_server(gate: Gate, studio: Studio, api: httpx.Client, browser: Browser) -> None:
    """Even a page that Label Studio would draw with a model's image or script in it."""
    account = studio.annotator("gated")
    project, _ = make_project(api, account.email)
    page = browser.new_context().new_page()
    sign_in(page, gate, account, f"/projects/{project}/data?labeling=1")
    page.locator(".gm-prompt").wait_for()
    policy: list[str] = []
    page.on("console", lambda said: policy.append(said.text) if "Content Security Policy" in said.text else None)
    with ThreadingHTTPServer(("127.0.0.1", 0), Tracker) as tracker:
        tracker.block_on_close = False  # a browser may connect ahead, and then ask for nothing
        serving = threading.Thread(target=tracker.serve_forever)
        serving.start()
        url = f"http://127.0.0.1:{tracker.server_port}"
        page.evaluate(TRY, url)
        page.wait_for_timeout(500)
        tracker.shutdown()
        serving.join()
    assert Tracker.asked == []
    assert page.evaluate("window.pwned") is None
    assert len(policy) >= 5
    page.context.close()


class Tracker(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(404)


TRY = """async (url) => {
  const add = (name, values) => document.body.append(Object.assign(document.createElement(name), values));
  add("img", {src: url + "/image"});
  add("iframe", {src: url + "/frame"});
  add("link", {rel: "stylesheet", href: url + "/style"});
  add("script", {src: url + "/script"});
  add("script", {textContent: "window.pwned = 1"});
  add("div", {style: "background-image: url(" + url + "/background)", textContent: "x"});
  add("p", {innerHTML: "<img src=x onerror='window.pwned = 2'>"});
  await fetch(url + "/fetch").catch(() => 0);
}"""
