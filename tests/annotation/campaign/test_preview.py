"""A preview shows the page as annotators will see it, in a browser, without Label Studio."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from annotation.campaign.plan import plan
from annotation.campaign.preview import MARK, choose, preview
from annotation.journal.fold import fold
from annotation.journal.journal import Journal
from annotation.protocols import PROTOCOLS
from curation.dedup.near import families
from schemas import PAIRS
from tests.annotation.campaigns import campaign, prompts, write_rows
from tests.annotation.protocols.samples import SAMPLES
from tests.annotation.written import pair, table


def rows(*names: str, protocol: str = "safety", **changes: Any) -> Any:
    made = [
        pair(
            name.replace(" ", "_"),
            prompt=list(SAMPLES[name].messages),
            first=SAMPLES[name].first,
            second=SAMPLES[name].second,
            protocol=protocol,
            **changes,
        )
        for name in names
    ]
    return table(PAIRS, made)


def test_a_preview_shows_the_extremes_and_each_kind_of_content() -> None:
    chosen = choose(rows("arabic", "formulas", "3,000 words", "unsafe", "code"))
    assert [(what, row["pair_id"]) for what, row in chosen] == [
        ("The shortest pair", "arabic"),
        ("The longest pair", "3,000_words"),
        ("A pair with code, with a table", "code"),
        ("A pair with a formula", "formulas"),
    ]
    assert [what for what, _ in choose(rows("code"))] == ["The only pair, with code, with a table"]
    assert choose(rows("code", gold="first")) == []


def test_a_preview_is_whole_and_asks_nothing_of_a_network(browser: Browser, tmp_path: Path, artifacts: Path) -> None:
    """Light and dark, with buttons that can be pressed; a hostile response stays a text."""
    page = PROTOCOLS["safety"].page("# Which is safer\n", ())
    file = tmp_path / "preview.html"
    file.write_text(preview("Preview of <b1>", page, rows("hostile", "code", "formulas")), encoding="utf-8")
    assert file.read_text(encoding="utf-8").startswith(MARK)
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    asked: list[str] = []
    shown = context.new_page()
    shown.on("request", lambda request: asked.append(request.url))
    shown.goto(file.as_uri())
    expect(shown.locator("h1")).to_have_text("Preview of <b1>")
    expect(shown.locator("iframe")).to_have_count(2 * 4)
    for place, ground in ((2, "rgb(255, 255, 255)"), (3, "rgb(36, 35, 31)")):
        frame = shown.frame_locator("iframe").nth(place)
        expect(frame.locator(".gm-a .gm-response")).to_be_visible()
        expect(frame.locator(".gm-side").first).to_have_css("background-color", ground)
        expect(frame.locator(".gm-a .gm-risks")).to_be_hidden()
        frame.locator("label", has_text="A is unsafe").click()
        expect(frame.locator(".gm-a .gm-risks label")).to_have_count(3)
        expect(frame.locator(".gm-a .gm-risks")).to_be_visible()
        safer = frame.get_by_role("radio", name="A safer")
        safer.press("Space")  # the risks that appeared move the buttons, so that a click may miss them
        expect(safer).to_be_checked()
        expect(frame.locator("label", has_text="A safer")).to_have_css("color", ground)
    assert all(url.startswith(("file:", "about:")) for url in asked), asked
    shown.screenshot(path=artifacts / "preview.png", full_page=True, animations="disabled")
    context.close()


def test_a_preview_names_no_model(tmp_path: Path) -> None:
    write_rows(tmp_path / "b1.jsonl", prompts(range(3), ("zeppelin-1", "zeppelin-2")))
    folder = campaign(tmp_path)
    with Journal(folder.store, create=True) as journal:
        plan(folder, journal, families)
        record = fold(journal)
    text = preview("Preview", record.batches["b1"].page, record.pairs)
    assert "zeppelin" not in text
    assert text == preview("Preview", record.batches["b1"].page, record.pairs)
