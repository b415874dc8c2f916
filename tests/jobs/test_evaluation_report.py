"""The commands ``gristmill evaluation``: a page, its numbers as CSV, and the votes behind each number."""

import csv
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from annotation.evaluation.imported_ratings import read_ratings
from annotation.evaluation.length_control import LengthControl
from annotation.evaluation.reported import Choices, report_of, write
from jobs.evaluation.page import render
from jobs.evaluation.sections import sections
from tests.annotation.campaigns import choices, desk
from tests.annotation.evaluation.endpoint import prefers_quality
from tests.annotation.evaluation.judged import rows, write_rows
from tests.annotation.evaluation.reports import judged, rated, sampled, voted
from tests.benchmarks.evaluations import judged as judged_pairs
from tests.benchmarks.evaluations import voted as voted_campaign
from tests.jobs.calling import call
from tests.jobs.report_page import SIZES, check_page, opened
from tests.jobs.test_judge import judge
from tests.jobs.test_results import safety_rows

EVIL = '"><script>document.title="owned"</script><img src=https://evil.example/x onerror=alert(1)>\u202e'


@pytest.fixture
def verdicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    responses = write_rows(tmp_path / "responses.jsonl", rows(14, ("alpha", "beta", "gamma")))
    assert judge(responses, prefers_quality, "--output", tmp_path / "verdicts", monkeypatch=monkeypatch)[0] == 0
    return tmp_path / "verdicts"


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_judges_folder_becomes_a_page_whose_numbers_lead_to_their_verdicts(
    verdicts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in the test of gristmill judge: alpha and beta win six times each, and tie twice."""
    out = tmp_path / "report"
    assert call("evaluation", "report", verdicts, "--output", out, monkeypatch=monkeypatch) == 0
    assert call("verify", out, monkeypatch=monkeypatch) == 0
    [rate] = [row for row in read(out / "win_rates.csv") if (row["model"], row["opponent"]) == ("alpha", "beta")]
    assert (rate["value"], rate["votes"], rate["left_out"]) == ("0.5", "12", "2 tie")
    text = (out / "report.html").read_text(encoding="utf-8")
    for name in ("outcomes", "win_rates", "position"):
        assert all(f'id="n{row["number"]}"' in text for row in read(out / f"{name}.csv"))
    capsys.readouterr()
    assert call("evaluation", "why", out, rate["number"], monkeypatch=monkeypatch) == 0
    printed = capsys.readouterr().out
    assert "value: 0.5000" in printed
    assert "left out: 2 tie" in printed
    assert "made from 14 rows of votes.parquet, of which 12 count" in printed
    assert call("evaluation", "why", out, rate["number"], "--csv", monkeypatch=monkeypatch) == 0
    votes = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["outcome"] for row in votes if row["counts"] == "true"].count("win") == 6


def test_equal_sources_give_equal_bytes(verdicts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        assert call("evaluation", "report", verdicts, "--output", tmp_path / name, monkeypatch=monkeypatch) == 0
    for path in sorted((tmp_path / "one").iterdir()):
        assert (tmp_path / "two" / path.name).read_bytes() == path.read_bytes()


def test_people_and_a_judge_stand_side_by_side(verdicts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mill").mkdir()
    with desk(tmp_path / "mill") as mill:
        for task in mill.tasks():
            mill.answer(task, "b_better" if task["swapped"] else "a_better")
    out = tmp_path / "report"
    assert call("evaluation", "report", tmp_path / "mill", verdicts, "--output", out, monkeypatch=monkeypatch) == 0
    found = {(row["voters"], row["model"], row["opponent"]): row for row in read(out / "win_rates.csv")}
    assert found["people", "alpha", "beta"]["value"] == "1.0"
    assert found["judge", "alpha", "beta"]["value"] == "0.5"


def test_the_terminal_has_the_numbers_of_the_page(
    verdicts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All three models have the same qualities, in another order of prompts."""
    out = tmp_path / "report"
    assert call("evaluation", "report", verdicts, "--output", out, monkeypatch=monkeypatch) == 0
    capsys.readouterr()
    assert call("evaluation", "leaderboard", verdicts, "--csv", monkeypatch=monkeypatch) == 0
    printed = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    written = read(out / "leaderboard.csv")
    assert [{**row, "number": ""} for row in printed] == [{**row, "number": ""} for row in written]
    assert call("evaluation", "leaderboard", verdicts, "--json", monkeypatch=monkeypatch) == 0
    found = json.loads(capsys.readouterr().out)["leaderboard"]
    assert [row["value"] for row in found] == [float(row["value"]) for row in written]
    assert call("evaluation", "leaderboard", verdicts, "--control", "position", monkeypatch=monkeypatch) == 0
    assert "no vote has a single order" in capsys.readouterr().out
    assert call("evaluation", "leaderboard", verdicts, "--json", "--csv", monkeypatch=monkeypatch) == 2
    assert "--json and --csv exclude each other" in capsys.readouterr().err


def test_every_number_can_be_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of people, judges and safety ratings: the votes that a number states are those that its rows count."""
    judge = judged(["first", "second", "inconsistent", "refused", "first"], unanswered=[("beta", "p0009")])
    people = voted({"a": ["win", "loss", "tie"], "b": ["win", "win", "loss"]}, sampling=sampled(judge))
    report = report_of([judge, people, rated({"v1": [1, 4, None], "v2": [2, 5, 1]})], Choices(together=True))
    write(tmp_path / "report", report, {})
    for each in report.numbers:
        number = each.number
        assert call("evaluation", "why", tmp_path / "report", str(number.number), monkeypatch=monkeypatch) == 0
        printed = capsys.readouterr().out
        assert f"number {number.number}: {number.measure}" in printed
        counted = int(printed.partition("of which ")[2].split()[0].replace(",", ""))
        if number.section in ("outcomes", "win_rates", "safety", "iterations"):
            assert counted == number.votes, number
        else:
            assert counted >= number.votes


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("report", "nowhere", "--output", "out"), "nowhere holds no verdicts"),
        (("report", "verdicts", "verdicts", "--output", "out"), "two sources have the name 'verdicts'"),
        (("why", "verdicts", "1"), "was not written by gristmill evaluation report"),
        (("why", "report", "999"), "report has no number 999: choose a number from 1 to"),
    ],
)
def test_a_mistake_is_one_sentence(
    words: tuple[str, ...],
    message: str,
    verdicts: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(verdicts.parent)
    assert call("evaluation", "report", "verdicts", "--output", "report", monkeypatch=monkeypatch) == 0
    assert call("evaluation", *words, monkeypatch=monkeypatch) == 2
    assert message in capsys.readouterr().err


def test_what_others_wrote_is_only_text() -> None:
    source = judged(["first", "second"], models=(EVIL, "beta"), name=EVIL, categories={0: EVIL})
    text = render(report_of([source], Choices()))
    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;" in text
    assert "\u202e" not in text
    assert not re.search(r"url\(|@import|\bsrc=", text.replace("src=https://evil.example", ""))


@pytest.mark.soak
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_the_page_without_asking_anybody(
    scheme: str, size: tuple[int, int], browser: Browser, artifacts: Path, tmp_path: Path
) -> None:
    said = ["first", "second", "tie", "inconsistent", "unparsed"] * 20
    categories = {n: f"category {n % 7}" for n in range(len(said))}
    models = ("a-model-of-a-long-name-70b", "b")
    judge = judged(said, models, categories=categories)
    people = voted({rater: ["win", "loss", "tie"] * 9 for rater in "ab"}, models, sampling=sampled(judge))
    (tmp_path / "arena.csv").write_text(f"model,rating\n{models[0]},1301.5\n")
    beside = {"length_control": LengthControl("b"), "imported": (read_ratings(tmp_path / "arena.csv"),)}
    safety = rated({"v1": [1, 4, 5] * 9, "v2": [2, 5, 1] * 9})
    report = report_of([people, judge, safety], Choices(together=True, **beside))  # type: ignore[arg-type]
    assert {"length_controlled", "imported_ratings"} <= {each.name for each in sections(report)}
    (tmp_path / "report.html").write_text(render(report), encoding="utf-8")
    opening = opened(browser, tmp_path / "report.html", size, scheme)
    check_page(opening, size[0], scheme)
    tab = opening[0]
    tab.screenshot(path=artifacts / f"evaluation, {scheme}, {size[0]}.png", full_page=True)
    tab.context.close()


@pytest.mark.soak
def test_a_large_campaign_has_the_win_rates_that_its_votes_were_drawn_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later model by name wins two of three decided votes, on 400 prompts with three votes for each pair.

    A campaign draws its pairs with a key of its own, so that each run has other votes: chance takes a win rate
    further from the truth than five standard errors (two and a half times the interval) less than once in five
    thousand runs.
    """
    (tmp_path / "people").mkdir()
    voted_campaign(tmp_path / "people", 400)
    judged_pairs(tmp_path / "judge", 2_000)
    sources = (tmp_path / "people", tmp_path / "judge")
    assert call("evaluation", "report", *sources, "--output", tmp_path / "out", monkeypatch=monkeypatch) == 0
    assert call("verify", tmp_path / "out", monkeypatch=monkeypatch) == 0
    rates = [row for row in read(tmp_path / "out" / "win_rates.csv") if row["kind"] == "all"]
    people = [row for row in rates if row["voters"] == "people"]
    assert len(people) == 6
    for row in people:
        low, high, rate = float(row["low"]), float(row["high"]), float(row["value"])
        assert rate - 2.5 * (rate - low) <= 1 / 3 <= rate + 2.5 * (high - rate)
        assert high - low < 0.12
    assert sum(int(row["votes"]) for row in rates if row["voters"] == "judge") > 250


def test_votes_that_are_too_few_for_a_verdict_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of three people has rated each response."""
    (tmp_path / "safe").mkdir()
    with desk(tmp_path / "safe", safety_rows(), protocol="safety-rating") as mill:
        tasks = [task for task in mill.tasks() if task["annotator"] == "mill/a1"]
        for task in tasks:
            mill.answer(task, choices(rating="minor_issue", refusal="none"))
    for counted, printed in (("verdicts", "0 verdicts"), ("votes", f"{len(tasks)} votes")):
        words = ("--count", counted, "--output", tmp_path / counted)
        assert call("evaluation", "report", tmp_path / "safe", *words, monkeypatch=monkeypatch) == 0
        assert f"numbers from {printed}" in capsys.readouterr().out
    text = (tmp_path / "verdicts" / "report.html").read_text(encoding="utf-8")
    assert f"too few votes for a verdict ({len(tasks)} votes; --count votes counts each)" in text
    assert "no votes" not in text
    assert "too few votes" not in (tmp_path / "votes" / "report.html").read_text(encoding="utf-8")


def test_plots_of_a_section_have_one_axis() -> None:
    """The same share is at the same place in every plot, however long the names are."""
    judge = judged(
        ["first"] * 3 + ["second"], ("a-model-of-a-long-name-70b", "b"), categories=dict.fromkeys(range(3), "x")
    )
    people = voted({"a": ["win", "win", "win", "loss"]}, ("a-model-of-a-long-name-70b", "b"))
    [section] = [each for each in sections(report_of([people, judge], Choices())) if each.name == "win_rates"]
    plots = [plot for group in section.groups for _, plot in group.plots]
    assert len(plots) == 2
    assert len({tuple(re.findall(r'class="mark" x1="([\d.]+)"', plot)) for plot in plots}) == 1
    assert {box for plot in plots for box in re.findall(r'viewBox="0 0 (\d+) ', plot)} == {"360"}
    desc = re.findall(r"<desc>(.*?)</desc>", plots[0])
    assert desc[0].startswith("a-model-of-a-long-name-70b against b, mill (people): 75.0%")
    assert "judged (judge): 75.0%" in desc[0]


def test_a_table_has_no_empty_column() -> None:
    found = {each.name: each for each in sections(report_of([judged(["first", "second", "tie"])], Choices()))}
    titles = {name: [column.title for column in each.panels[0].columns] for name, each in found.items()}
    assert titles["outcomes"] == [
        *("model", "opponent", "measure", "value", "95% interval", "votes", "prompts", "raters", "clustered by")
    ]
    assert {*titles["win_rates"]} - {*titles["outcomes"]} == {"at least, at most", "left out"}
