"""An annotator at work: the real Label Studio behind the gate in a real browser, everything by keyboard."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from annotation.protocols import PROTOCOLS, AnnotationReading, Category
from annotation.server.accounts import session
from tests.annotation.parts import Studio
from tests.annotation.protocols.browsing import (
    LOOKS,
    MEASURE,
    SUBMIT,
    Work,
    at_work,
    come_to,
    dress,
    look,
    press,
    project,
    stored,
    submit,
)
from tests.annotation.protocols.samples import SAMPLES

SAFETY_LOOKS = ["light", "dark", "narrow"]
BUTTON = "[aria-label=submit], .lsf-bottombar button:has-text('Submit')"

PREFERENCE_KEYS = dict(zip(SAMPLES, "312345678", strict=True))
SAFETY_KEYS = {"code": "2qo", "hostile": "7wadp" + "k", "long prompt": "4wdo", "unsafe": "1qph"}
"""What is pressed, by sample."""


@pytest.fixture(scope="module")
def preference(studio: Studio, browser: Browser, artifacts: Path) -> Work:
    """All samples labelled on the page of preference, each in four looks."""
    work = Work(swapped={name: n % 3 == 1 for n, name in enumerate(SAMPLES)})
    with session(studio.connection.url, studio.admin_email, studio.admin_password) as api:
        made = project(api, studio, PROTOCOLS["preference"], work.swapped)
        with at_work(browser, studio, made.number, work) as page:
            for name in SAMPLES:
                come_to(page, name)
                look(page, name, "preference", work, artifacts, list(LOOKS))
                press(page, PREFERENCE_KEYS[name])
                submit(page)
        work.stored = stored(api, made)
    return work


@pytest.fixture(scope="module")
def safety(studio: Studio, browser: Browser, artifacts: Path) -> Work:
    """Some samples labelled on the page of safety, with all that is asked on it open."""
    work = Work(swapped={name: n % 2 == 0 for n, name in enumerate(SAFETY_KEYS)})
    with session(studio.connection.url, studio.admin_email, studio.admin_password) as api:
        made = project(api, studio, PROTOCOLS["safety"], work.swapped)
        with at_work(browser, studio, made.number, work) as page:
            for name, keys in SAFETY_KEYS.items():
                come_to(page, name)
                press(page, keys)
                look(page, name, "safety", work, artifacts, SAFETY_LOOKS)
                submit(page)
        work.stored = stored(api, made)
    return work


def read(protocol: str, work: Work, name: str) -> AnnotationReading:
    reading = PROTOCOLS[protocol].read(work.stored[name], work.swapped[name], ())
    assert isinstance(reading, AnnotationReading), reading
    return reading


@pytest.mark.parametrize("name", SAMPLES)
def test_a_preference_by_keyboard_is_read_of_the_right_response(preference: Work, name: str) -> None:
    key = int(PREFERENCE_KEYS[name])
    reading = read("preference", preference, name)
    assert reading.prefers == ("first" if (key <= 4) != preference.swapped[name] else "second")
    assert reading.degree.split("_")[0] == ["significantly", "better", "slightly", "negligibly"][min(key - 1, 8 - key)]


def test_both_sides_were_shown(preference: Work, safety: Work) -> None:
    assert set(preference.swapped.values()) == set(safety.swapped.values()) == {True, False}


def test_safety_by_keyboard_is_read_of_the_right_response(safety: Work) -> None:
    assert read("safety", safety, "code").first_safe
    assert read("safety", safety, "code").prefers == "second"
    hostile = read("safety", safety, "hostile")  # not swapped: A is first
    assert (hostile.prefers, hostile.degree) == ("second", "better")
    assert hostile.first_risks == ("illicit_and_criminal", "unqualified_advice")
    assert hostile.second_risks == ("unqualified_advice",)
    unsafe = read("safety", safety, "unsafe")
    assert (unsafe.prefers, unsafe.first_safe, unsafe.second_safe) == ("first", True, False)
    assert unsafe.second_risks == ("illicit_and_criminal",)


@pytest.mark.parametrize("kind", LOOKS)
@pytest.mark.parametrize("name", SAMPLES)
def test_everything_is_in_view(preference: Work, name: str, kind: str) -> None:
    check(preference.looks[name, kind], kind, buttons=8)


@pytest.mark.parametrize("kind", SAFETY_LOOKS)
@pytest.mark.parametrize("name", SAFETY_KEYS)
def test_everything_of_safety_is_in_view(safety: Work, name: str, kind: str) -> None:
    check(safety.looks[name, kind], kind, buttons=12)


def check(seen: Mapping[str, Any], kind: str, buttons: int) -> None:
    assert seen["scheme"] == ("dark" if kind == "dark" else "light")
    assert seen["pageScrollsSideways"] <= 0
    assert seen["pageScrolls"] <= 0
    assert seen["cut"] == []
    assert seen["promptInView"]
    assert seen["promptHeight"] <= LOOKS[kind][1] * 0.25
    assert seen["buttons"] == buttons
    assert seen["buttonsOutOfReach"] == []
    assert seen["buttonsCut"] == []
    assert min(seen["responseHeights"]) >= LOOKS[kind][1] * 0.4
    assert min(seen["responseWidths"]) > 0.44  # the full column
    assert seen["barBelowText"]
    assert seen["historyAtItsEnd"]
    assert seen["pwned"] is None


def test_nothing_is_fetched_but_from_the_server(preference: Work, safety: Work, studio: Studio) -> None:
    own = urlsplit(studio.connection.public_url).netloc
    for work in (preference, safety):
        assert work.requests
        foreign = [url for url in work.requests if urlsplit(url).scheme not in ("data", "blob")]
        assert [url for url in foreign if urlsplit(url).netloc != own] == []
        assert not [url for url in work.requests if "tracker" in url]
        assert work.errors == []


def test_an_answer_is_asked_for_until_it_is_whole(studio: Studio, browser: Browser, artifacts: Path) -> None:
    """Submit is refused till then; a risk that is no longer asked for is not sent; a comment chooses nothing."""
    work = Work(swapped={"unsafe": False, "code": True})
    with session(studio.connection.url, studio.admin_email, studio.admin_password) as api:
        made = project(api, studio, PROTOCOLS["safety"], work.swapped)
        with at_work(browser, studio, made.number, work) as page:
            come_to(page, "unsafe")
            dress(page, "Dark")
            expect(page.locator(BUTTON).first).to_be_disabled()
            page.keyboard.press(SUBMIT)
            for key, missing in (("2", "response A safe"), ("w", "risk of response A"), ("a", "response B safe")):
                page.keyboard.press(key)
                refused(page, missing, artifacts if key == "2" else None)
            page.keyboard.press("q")
            page.keyboard.press("o")
            expect(page.locator(".gm-risks label:visible")).to_have_count(0)
            page.locator(".gm-comment input").focus()
            page.keyboard.type("8 words, w and p among them")
            expect(page.locator(".gm-scale .ant-radio-wrapper-checked")).to_have_text(re.compile("A safer"))
            page.keyboard.press("Enter")
            expect(page.locator(".gm-comment p")).to_have_text("8 words, w and p among them")
            page.screenshot(path=artifacts / "safety, comment.png")
            assert not [url for url in work.requests if re.search(r"/api/tasks/\d+/annotations", url)]
            submit(page)
            come_to(page, "code")
            page.locator(".gm-scale label").nth(5).click()
            page.keyboard.press("q")
            page.keyboard.press("o")
            expect(page.locator(".gm-page .ant-radio-wrapper-checked")).to_have_count(3)
            page.locator(".gm-comment input").fill("left open")
            page.locator(".gm-prompt").click()
            submit(page)
        work.stored = stored(api, made)
    comment = "8 words, w and p among them"
    assert read("safety", work, "unsafe") == AnnotationReading("first", "better", True, True, (), (), comment)
    assert read("safety", work, "code") == AnnotationReading(
        "first", "slightly_better", True, True, (), (), "left open"
    )


def refused(page: Page, missing: str, artifacts: Path | None) -> None:
    page.keyboard.press(SUBMIT)
    warning = page.locator(".ant-modal-confirm")
    expect(warning).to_contain_text(missing)
    expect(warning.get_by_role("button", name="OK")).to_be_focused()
    if artifacts:
        page.screenshot(path=artifacts / "safety, refused.png", animations="disabled")
    page.keyboard.press("Escape")
    expect(warning).to_be_hidden()


def scroll_by_keyboard(page: Page) -> None:
    """With nine risks open, the longer response has to scroll: Tab comes to it, and Page Down reads on."""
    response = page.locator(".gm-a .gm-response")
    page.locator("button[class^=themeToggle]").focus()
    for _ in range(3):  # earlier turns and the prompt may scroll, too
        page.keyboard.press("Tab")
        if response.evaluate("element => element === document.activeElement"):
            break
    expect(response).to_be_focused()
    page.keyboard.press("PageDown")
    page.wait_for_function("() => document.querySelector('.gm-a .gm-response').scrollTop > 40")


MLCOMMONS = (
    *("Violent crimes", "Non-violent crimes", "Sex-related crimes", "Child sexual exploitation", "Defamation"),
    *("Specialized advice", "Privacy", "Intellectual property", "Indiscriminate weapons", "Hate"),
    *("Suicide and self-harm", "Sexual content", "Elections"),
)
WINDOWS = {"768": (1366, 768), "tablet": (768, 1024), "flat tablet": (1024, 768), "zoom of 200%": (683, 384)}


def test_thirteen_risks_leave_room_for_the_responses(studio: Studio, browser: Browser, artifacts: Path) -> None:
    """On each screen a response has 40% of the height; each risk has a key, and each button is reached by Tab."""
    work = Work(swapped={"formulas": False})
    own = [Category(name=f"s{n}", title=title) for n, title in enumerate(MLCOMMONS, 1)]
    with session(studio.connection.url, studio.admin_email, studio.admin_password) as api:
        made = project(api, studio, PROTOCOLS["safety"], work.swapped, own)
        with at_work(browser, studio, made.number, work) as page:
            press(page, "2wasdfgzxcvbertphjklnmyui90-.")
            for name, (width, height) in WINDOWS.items():
                page.set_viewport_size({"width": width, "height": height})
                for theme in ("Light", "Dark"):
                    dress(page, theme)
                    page.screenshot(path=artifacts / f"safety, 13 risks, {name}, {theme}.png", animations="disabled")
                seen = page.evaluate(MEASURE)
                assert min(seen["responseHeights"]) >= height * 0.4, name
                assert seen["pageScrollsSideways"] <= 0, name
                assert seen["buttonsCut"] == [], name
            look_at_formulas(page)
            page.set_viewport_size({"width": 1366, "height": 768})
            assert walk_by_tab(page) >= {
                "A is safe",
                "B is unsafe",
                "A safer",
                "B significantly safer",
                "Harmful",
                *MLCOMMONS,
            }
            page.set_viewport_size({"width": 390, "height": 844})
            expect(page.get_by_text("Please use a larger screen")).to_be_visible()
            expect(page.locator(".gm-page")).to_be_hidden()
            page.screenshot(path=artifacts / "safety, phone.png", animations="disabled")
            page.set_viewport_size({"width": 1366, "height": 768})
            submit(page)
        work.stored = stored(api, made)
    names = tuple(one.name for one in own)
    reading = PROTOCOLS["safety"].read(work.stored["formulas"], False, own)
    assert reading == AnnotationReading("first", "better", False, False, names, names, None)


def look_at_formulas(page: Page) -> None:
    """Label Studio lets MathML through, and the browser lays it out as such."""
    formulas = page.locator(".gm-a math")
    expect(formulas).to_have_count(5)
    spaces = formulas.evaluate_all("found => [...new Set(found.map((each) => each.namespaceURI))]")
    assert spaces == ["http://www.w3.org/1998/Math/MathML"]
    height = "element => element.getBoundingClientRect().height"
    plain, matrix = (formulas.nth(at).evaluate(height) for at in (0, 2))
    assert matrix > 1.6 * plain, "the rows of a matrix stand above each other"
    expect(page.locator(".gm-a .gm-k")).not_to_have_count(0)
    expect(page.locator(".gm-a td")).to_have_count(3)


def walk_by_tab(page: Page) -> set[str]:
    """The labels of the inputs that Tab reaches from the head of the page to its end, without their keys."""
    found = set()
    page.locator("button[class^=themeToggle]").focus()
    for _ in range(48):
        page.keyboard.press("Tab")
        found.add(page.evaluate("() => document.activeElement.closest('label')?.innerText.split('\\n')[0] ?? ''"))
    return {label.split("[")[0].strip() for label in found}


def test_both_responses_can_be_safe_for_a_screen_reader(studio: Studio, browser: Browser) -> None:
    """The accessibility tree says what is chosen: radio buttons of one name would exclude each other."""
    with session(studio.connection.url, studio.admin_email, studio.admin_password) as api:
        made = project(api, studio, PROTOCOLS["safety"], {"unsafe": False})
        with at_work(browser, studio, made.number, Work()) as page:
            press(page, "3qo")
            for label in ("A is safe", "B is safe", "A slightly safer"):
                expect(page.get_by_role("radio", name=label)).to_be_checked()
            expect(page.get_by_role("radio", checked=True)).to_have_count(3)
            page.get_by_role("radio", name="A is unsafe").focus()
            page.keyboard.press("Space")
            expect(page.get_by_role("radio", name="A is unsafe")).to_be_checked()
            expect(page.get_by_role("checkbox")).to_have_count(3 + 4)


def test_the_gate_s_script_for_questions(studio: Studio, browser: Browser) -> None:
    """With it, hidden risks have no keys and questions have names."""
    with session(studio.connection.url, studio.admin_email, studio.admin_password) as api:
        made = project(api, studio, PROTOCOLS["safety"], {"3,000 words": False})
        with at_work(browser, studio, made.number, Work()) as page:
            page.keyboard.press("a")
            page.keyboard.press("w")
            press(page, "2qo")
            page.keyboard.press("w")
            expect(page.locator(".gm-a .gm-risks label:visible")).to_have_count(3)
            expect(page.locator(".ant-checkbox-wrapper-checked")).to_have_count(0)
            expect(page.get_by_role("group", name="Risks of response A").get_by_role("checkbox")).to_have_count(3)
            expect(page.get_by_role("group", name="Report a problem").get_by_role("checkbox")).to_have_count(4)
            for group, buttons in (("Is response A safe?", 2), ("Is response B safe?", 2), ("Which response", 8)):
                expect(page.get_by_role("radiogroup", name=group).get_by_role("radio")).to_have_count(buttons)


def test_a_campaign_s_own_risks_and_its_guidelines(studio: Studio, browser: Browser, artifacts: Path) -> None:
    work = Work(swapped={"code": False})
    titles = [
        "Weapons, drugs",
        'Say "no" & <go>',
        "Costs {history} and {{history}}",
        "犯罪",
        *(f"Risk {n}" for n in range(5)),
    ]
    own = [Category(name=f"risk_{n}", title=title) for n, title in enumerate(titles)]
    with session(studio.connection.url, studio.admin_email, studio.admin_password) as api:
        made = project(api, studio, PROTOCOLS["safety"], work.swapped, own)
        with at_work(browser, studio, made.number, work) as page:
            press(page, "2wasdfgzxcvphjklnmyui")
            scroll_by_keyboard(page)
            shown = [label.removesuffix("]")[:-2] for label in page.locator(".gm-a .gm-risks label").all_inner_texts()]
            assert [label.strip() for label in shown] == titles
            look(page, "code", "safety with nine risks", work, artifacts, ["light", "narrow"])
            page.get_by_role("button", name="Instructions").click()
            expect(page.locator(".gm-guide")).to_contain_text("Which response is safer?")
            expect(page.locator(".gm-guide table")).to_be_visible()
            page.screenshot(path=artifacts / "safety, guidelines.png", animations="disabled")
            for key in ("7", "Control+Enter", "Control+Space"):  # behind the guidelines, keys do nothing
                page.keyboard.press(key)
            expect(page.locator(".gm-guide")).to_be_visible()
            page.keyboard.press("Escape")
            expect(page.locator(".gm-guide")).to_be_hidden()
            submit(page)
        work.stored = stored(api, made)
    for kind in ("light", "narrow"):
        assert work.looks["code", kind]["buttonsOutOfReach"] == work.looks["code", kind]["buttonsCut"] == []
    names = tuple(one.name for one in own)
    found = PROTOCOLS["safety"].read(work.stored["code"], False, own)
    assert found == AnnotationReading("first", "better", False, False, names, names, None)
