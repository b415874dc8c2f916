"""The pages that measure models: the real Label Studio behind the gate in a real browser, everything by keyboard."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from annotation.protocols import PROTOCOLS, AnnotationReading
from annotation.server.accounts import session
from tests.annotation.parts import Studio
from tests.annotation.protocols.browsing import (
    LOOKS,
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
from tests.annotation.protocols.test_browser import check, refused, walk_by_tab

EVALUATION_KEYS = dict(zip(SAMPLES, "123456741", strict=False))
RATING_KEYS = dict(zip(SAMPLES, ("5e", "4w", "3q", "2e", "1e", "5w", "4q", "3w", "2q"), strict=False))
"""What is pressed, by sample."""
KEYS = {"evaluation": EVALUATION_KEYS, "safety-rating": RATING_KEYS}


FEW = ("code", "hostile", "unsafe")
RUNS = [(protocol, FEW) for protocol in KEYS]
LONG = [pytest.param((protocol, tuple(SAMPLES)), marks=pytest.mark.soak) for protocol in KEYS]


@pytest.fixture(scope="module", params=[*RUNS, *LONG], ids=lambda run: f"{run[0]}, {len(run[1])} samples")
def labelled(request: pytest.FixtureRequest, studio: Studio, browser: Browser, artifacts: Path) -> tuple[str, Work]:
    """(protocol, work): some samples labelled on its page, each in four looks."""
    protocol, samples = request.param
    compares = PROTOCOLS[protocol].scale.compares
    work = Work(swapped={name: compares and n % 3 == 1 for n, name in enumerate(samples)})
    with session(studio.connection.url, studio.admin_email, studio.admin_password) as api:
        made = project(api, studio, PROTOCOLS[protocol], work.swapped)
        with at_work(browser, studio, made.number, work) as page:
            for name in samples:
                come_to(page, name)
                press(page, KEYS[protocol][name])
                look(page, name, protocol, work, artifacts, list(LOOKS))
                submit(page)
        work.stored = stored(api, made)
    return protocol, work


def test_what_is_pressed_is_read_of_the_right_response(labelled: tuple[str, Work]) -> None:
    protocol, work = labelled
    for name, result in work.stored.items():
        keys = KEYS[protocol][name]
        reading = PROTOCOLS[protocol].read(result, work.swapped[name], ())
        assert isinstance(reading, AnnotationReading), reading
        if protocol == "evaluation":
            left, right = ("second", "first") if work.swapped[name] else ("first", "second")
            assert reading.prefers == {"1": left, "2": left, "3": left, "4": "tie"}.get(keys, right)
            degrees = ("about_the_same", "slightly_better", "better", "much_better")
            assert reading.degree == degrees[abs(int(keys) - 4)]
        else:
            refusals = {"q": "for_safety", "w": "for_ability", "e": "none"}
            assert (reading.rating, reading.refusal) == (int(keys[0]), refusals[keys[1]])


def test_everything_is_in_view(labelled: tuple[str, Work]) -> None:
    protocol, work = labelled
    for (name, kind), seen in work.looks.items():
        if protocol == "evaluation":
            check(seen, kind, buttons=7)
        else:
            check_single(seen, kind, name)


def check_single(seen: Mapping[str, Any], kind: str, name: str) -> None:
    assert seen["buttons"] == 5
    for part in ("cut", "buttonsOutOfReach", "buttonsCut"):
        assert seen[part] == [], (name, kind)
    assert max(seen["pageScrollsSideways"], seen["pageScrolls"]) <= 0, (name, kind)
    [height] = seen["responseHeights"]
    assert height >= LOOKS[kind][1] * 0.4
    assert seen["promptInView"]
    assert seen["barBelowText"]
    assert seen["pwned"] is None


def test_nothing_of_the_page_does_harm(labelled: tuple[str, Work]) -> None:
    assert labelled[1].errors == []
    assert not [url for url in labelled[1].requests if "tracker" in url]


CUT = "all => all.filter((each) => each.scrollHeight > each.clientHeight + 1).map((each) => each.innerText)"
WINDOWS = {"tablet": (768, 1024), "zoom of 200%": (683, 384), "768": (1366, 768)}


@pytest.mark.parametrize("protocol", ["evaluation", pytest.param("safety-rating", marks=pytest.mark.soak)])
def test_small_windows_and_the_tab_key(protocol: str, studio: Studio, browser: Browser, artifacts: Path) -> None:
    """In each window a response has 40% of the height; each button is reached by Tab, and says what it is."""
    with session(studio.connection.url, studio.admin_email, studio.admin_password) as api:
        made = project(api, studio, PROTOCOLS[protocol], {"code": False})
        with at_work(browser, studio, made.number, Work()) as page:
            come_to(page, "code")
            for name, (width, height) in WINDOWS.items():
                page.set_viewport_size({"width": width, "height": height})
                for theme in ("Light", "Dark"):
                    dress(page, theme)
                    page.screenshot(path=artifacts / f"{protocol}, {name}, {theme}.png", animations="disabled")
                assert page.locator(".gm-scale label, .gm-refusal label").evaluate_all(CUT) == []
                shown = page.locator(".gm-response").first.evaluate("each => each.getBoundingClientRect().height")
                assert shown >= height * 0.4, name
            titles = {point.title for point in PROTOCOLS[protocol].scale.points}
            assert walk_by_tab(page) >= titles


def test_a_rating_is_asked_for_until_it_is_whole(studio: Studio, browser: Browser) -> None:
    work = Work(swapped={"unsafe": False})
    with session(studio.connection.url, studio.admin_email, studio.admin_password) as api:
        made = project(api, studio, PROTOCOLS["safety-rating"], work.swapped)
        with at_work(browser, studio, made.number, work) as page:
            come_to(page, "unsafe")
            page.keyboard.press("q")
            refused(page, "How safe and helpful", None)
            page.keyboard.press("3")
            expect(page.get_by_role("radiogroup", name="Does it refuse?").get_by_role("radio")).to_have_count(3)
            expect(page.get_by_role("radiogroup", name="How safe").get_by_role("radio")).to_have_count(5)
            submit(page)
        work.stored = stored(api, made)
    reading = PROTOCOLS["safety-rating"].read(work.stored["unsafe"], False, ())
    assert isinstance(reading, AnnotationReading)
    assert (reading.rating, reading.refusal) == (3, "for_safety")
