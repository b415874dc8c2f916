"""An annotator at work behind the gate: a real browser, the content policy on."""

from dataclasses import dataclass, field

import httpx
import pytest
from playwright.sync_api import Browser, Page, Response, expect

from annotation.protocols import PROTOCOLS
from tests.annotation.gate.projects import make_project
from tests.annotation.parts import Account, Gate, Studio
from tests.annotation.protocols.samples import SAMPLES

NAMES = tuple(SAMPLES)[:3]
KEYS = {"preference": "2", "safety": "2qo"}


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


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_annotator_labels_a_project(
    gate: Gate, studio: Studio, api: httpx.Client, browser: Browser, protocol: str
) -> None:
    account = studio.annotator("gated")
    project, tasks = make_project(api, account.email, PROTOCOLS[protocol], NAMES)
    seen, page = Seen(), browser.new_context().new_page()
    seen.watch(page)
    sign_in(page, gate, account, f"/projects/{project}/data?labeling=1")
    for name in NAMES:
        expect(page.locator(".gm-prompt")).to_contain_text(SAMPLES[name].opening, timeout=30_000)
        for key in KEYS[protocol]:
            page.keyboard.press(key)
        expect(page.locator(".gm-page .ant-radio-wrapper-checked")).to_have_count(len(KEYS[protocol]))
        with page.expect_response(lambda answer: "/annotations" in answer.url) as sent:
            page.keyboard.press("Control+Enter")
        assert sent.value.ok
    page.get_by_role("heading", name="Your tasks").wait_for()
    page.context.close()
    assert [error for error in seen.errors if "404" not in error] == []
    for task in tasks:
        [annotation] = api.get(f"/api/tasks/{task}/annotations/").raise_for_status().json()
        assert annotation["completed_by"] == account.user_id
    assert seen.requests
    assert {url.split("/")[2] for url in seen.requests if url.startswith("http")} == {gate.url.split("/")[2]}
    assert all("/api/dm/actions" in each for each in seen.refused), "Label Studio says 404 when no task is left"
