"""The page of a campaign: nothing in it acts, nothing is fetched, and equal journals give equal pages."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from annotation.campaign.rewording import reword_batches
from annotation.judgments.findings import Finding
from annotation.judgments.snapshot import Snapshot
from annotation.quality.timeline import STEPS, timeline
from jobs.campaign.overview import overview
from jobs.campaign.report import render
from jobs.campaign.tables import print_status
from jobs.pages.plots import Range, ranges
from schemas import REFUSED, REPORTS
from tests.annotation.campaign.test_rewording import change, marked
from tests.annotation.campaigns import choices, desk, prompts, write_rows
from tests.annotation.written import drawn, pair, snapshot, table, vote
from tests.jobs.calling import call
from tests.jobs.test_campaign_overview import SETTINGS, report

START = datetime(2026, 5, 4, tzinfo=UTC)
EVIL = '"><script>document.title="owned"</script><img src=https://evil.example/x onerror=alert(1)>\u202e'
EMAILS = {"mill/a1": "ann@mill.example", "mill/a2": "bob@mill.example"}


@pytest.fixture
def mill() -> Snapshot:
    """A campaign of three batches with times, in which others wrote what they could."""
    made = drawn(60)
    times = [START + timedelta(hours=n) for n in range(len(made.judgments))]
    place = made.judgments.column_names.index("submitted")
    raw = json.dumps({"author": EVIL, "project": 1, "task": 2}).encode()
    refused = [{"annotation": EVIL, "reason": "not_asked", "message": EVIL, "raw": raw}]
    message = "a vote was deleted by eve@mill.example, not by its author; it counts"
    return replace(
        made,
        name=EVIL,
        judgments=made.judgments.set_column(place, made.judgments.schema.field("submitted"), [times]),
        refused=table(REFUSED, refused),
        reports=table(REPORTS, [report(1, comment=EVIL), report(2, annotator=EVIL, reason="harmful")]),
        findings=(Finding("deleted_by_other", "b/vote/mill/a1", "mill/a1", message, "javascript:alert(1)"),),
        server="https://label.mill.example",
    )


def page(made: Snapshot, *, names: bool = False) -> str:
    return render(overview(made, EMAILS, "mill", names=names))


def test_what_others_wrote_is_only_text(mill: Snapshot) -> None:
    text = page(mill, names=True)
    assert text == page(mill, names=True)
    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;" in text
    assert "\u202e" not in text
    assert "javascript:" not in text
    assert not re.search(r"url\(|@import|\bsrc=", text.replace("src=https://evil.example", ""))
    assert {link for link in re.findall(r'href="([^"#]*)', text) if link} == {
        "data:,",
        "https://label.mill.example/projects/1/data?task=1",
        "https://label.mill.example/projects/1/data?task=2",
    }


def test_addresses_are_shown_only_by_names(mill: Snapshot) -> None:
    made = replace(mill, name="mill")
    assert "ann@mill.example" in page(made, names=True)
    assert "@mill.example" not in page(made)
    assert "deleted by somebody" in page(made)


def test_plots_tell_in_words_what_they_show() -> None:
    plot = ranges(
        "Left side", [Range("a <b>", 0.5, 0.25, 1.0, "3 of 6"), Range("c", None, None, None, "-")], (0, 1), [], True
    )
    assert "<title>Left side</title><desc>a &lt;b&gt;: 3 of 6; c: -</desc>" in plot
    [(x1, x2)] = re.findall(r'class="whisker" x1="([\d.]+)" y1="[\d.]+" x2="([\d.]+)"', plot)
    [centre] = re.findall(r'cx="([\d.]+)"', plot)
    assert float(centre) == pytest.approx(float(x1) + (float(x2) - float(x1)) / 3, abs=0.1)


def test_a_timeline_counts_votes_in_steps_without_gaps() -> None:
    hours = [0, 1, 1.5, 70]
    rows = [
        vote(f"p{n}", "f1", submitted=START + timedelta(hours=hour), seconds=10.0 * n) for n, hour in enumerate(hours)
    ]
    made = snapshot([pair(f"p{n}") for n in range(5)], [*rows, vote("p4", "f1")])
    found = timeline(made)
    assert (found.step, found.starts[0], len(found.starts)) == (STEPS[2], START, 12)
    assert found.votes == (3, *[0] * 10, 1)
    assert found.seconds == (10.0, *[None] * 10, 30.0)
    assert timeline(snapshot([pair("p")], [])).votes == ()


def test_a_report_replaces_only_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk(tmp_path) as at:
        for task in at.tasks("mill/a1"):
            at.answer(task, choices(preference="a_better"))
    (tmp_path / "campaign.toml").write_text(SETTINGS)
    made = []
    for _ in range(2):
        assert call("campaign", "report", tmp_path, monkeypatch=monkeypatch) == 0
        made.append((tmp_path / "report.html").read_bytes())
    assert made[0] == made[1]
    assert b"@mill.example" not in made[0]
    assert "without email addresses" in capsys.readouterr().out
    (tmp_path / "notes.html").write_text("mine")
    words = ("campaign", "report", tmp_path, "--output", tmp_path / "notes.html")
    assert call(*words, monkeypatch=monkeypatch) == 2
    assert "notes.html exists and is not a report" in capsys.readouterr().err
    assert (tmp_path / "notes.html").read_text() == "mine"


def test_it_shows_under_which_guidelines_votes_were_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with desk(tmp_path, votes=1) as at:
        before, open_page, after, _ = at.tasks()
        at.answer(before, second=1)
        change(at, "# Be kind\n", votes=1)
        reword_batches(at.folder, at.journal)
        at.answer(open_page, second=2)
        at.answer(after, marked(2), second=3)
        write_rows(tmp_path / "b2.jsonl", prompts(range(10, 12)))
        change(at, "# Be brief\n", votes=1, version=2, batch="b2", responses="b2.jsonl")
        at.plan()
        made = overview(at.load(), {}, "mill")
    rows = [(row.batch, row.version, row.name, row.newest, row.votes) for row in made.wordings]
    first = [("b1", "2.1", "1", 2, 1), ("b1", "2.1", "1 or 2", 2, 1), ("b1", "2.1", "2", 2, 1)]
    assert rows == [*first, ("b2", "2.2", "1", 1, 0)]
    times = [(row.first_vote, row.last_vote) for row in made.wordings]
    moments = [START.replace(hour=3, minute=2, second=second) for second in (1, 2, 3)]
    assert times == [*((moment, moment) for moment in moments), (None, None)]
    text = re.sub(r"\s*<[^>]*>\s*", "|", render(made))
    assert "Earlier guidelines of the batch applied, or may have applied, to 2 votes." in text
    assert "wording 1 of 2, earlier||1||2026-05-04 03:02" in text
    assert "wording 2 of 2, in force||1" in text
    assert "2.2||as pushed||0||-||-" in text
    print_status(made)
    line = (
        "Guidelines of b1: wording 2 is in force; votes: 1 under wording 1, 1 under wording 1 or 2, 1 under wording 2."
    )
    assert line in capsys.readouterr().out.splitlines()


@pytest.mark.soak
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_the_page_without_asking_anybody(
    scheme: str, mill: Snapshot, browser: Browser, artifacts: Path, tmp_path: Path
) -> None:
    (tmp_path / "report.html").write_text(page(mill), encoding="utf-8")
    context = browser.new_context(viewport={"width": 1366, "height": 768}, color_scheme=scheme)  # type: ignore[arg-type]
    tab = context.new_page()
    asked: list[str] = []
    told: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: told.append(message.text))
    tab.on("pageerror", lambda error: told.append(str(error)))
    tab.goto((tmp_path / "report.html").as_uri())
    assert [address for address in asked if not address.startswith(("file:", "data:"))] == []
    assert told == []
    assert "script" in tab.title(), "the name is text"
    dark = tab.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0] < 128")
    assert dark == (scheme == "dark")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 1366
    assert tab.locator("svg").count() >= 9
    tab.screenshot(path=artifacts / f"report, {scheme}.png", full_page=True)
    context.close()
