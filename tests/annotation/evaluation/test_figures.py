"""The numbers of a report are those of their votes, and each lists exactly these."""

from collections import Counter
from pathlib import Path

import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.evaluation.inquiry import Inquiry
from annotation.evaluation.judging import Verdict
from annotation.evaluation.numbers import Traced, numbers_of, table_of
from annotation.evaluation.outputs import read_outputs
from annotation.evaluation.pairs import Pairs, of_outputs
from annotation.evaluation.replies import Reply
from annotation.evaluation.reported import Choices, Report, report_of
from annotation.evaluation.sources import of_people, of_verdicts
from annotation.evaluation.tables import tables_of
from annotation.evaluation.winrates import matches
from tests.annotation.campaigns import desk
from tests.annotation.evaluation.judged import judge, pair, rows, write_rows
from tests.annotation.evaluation.reports import judged, manifest_of

PAIRS = Pairs([], [("alpha", "beta")])
SAID = st.lists(st.sampled_from(["first", "second", "tie", "inconsistent", "unparsed", "refused"]), min_size=1)


def one(report: Report, measure: str, **about: str | None) -> Traced:
    """The number of that measure about ``about``, which is of all votes unless a group is given."""
    about = {"group": "", **about}
    [found] = [
        each
        for each in report.numbers
        if each.number.measure == measure and all(getattr(each.number, name) == held for name, held in about.items())
    ]
    return found


@settings(max_examples=40)
@given(SAID)
def test_shares_and_rates_are_those_of_the_rows_that_each_number_lists(said: list[str]) -> None:
    report = report_of([judged(said)], Choices())
    votes, counted = report.tables["votes"], Counter("tie" if each == "inconsistent" else each for each in said)
    verdicts = counted["first"] + counted["second"] + counted["tie"]
    for measure, word in (("win", "first"), ("tie", "tie"), ("loss", "second")):
        found = one(report, measure)
        rows = found.origin.rows(votes)
        assert (len(rows), pc.sum(rows["counts"]).as_py()) == (len(said), verdicts)
        assert found.number.value == (pytest.approx(counted[word] / verdicts) if verdicts else None)
    rate = one(report, "win rate")
    decided = counted["first"] + counted["second"]
    rows = rate.origin.rows(votes)
    wins = pc.sum(pc.and_(rows["counts"], pc.equal(rows["outcome"], "win"))).as_py()
    assert (rate.number.votes, pc.sum(rows["counts"]).as_py(), wins) == (decided, decided, counted["first"])
    assert rate.number.value == (pytest.approx(wins / decided) if decided else None)


@settings(max_examples=40)
@given(SAID)
def test_numbers_survive_their_table(said: list[str]) -> None:
    report = report_of([judged(said)], Choices())
    assert numbers_of(table_of(report.numbers)) == report.numbers
    assert [each.number.number for each in report.numbers] == list(range(1, len(report.numbers) + 1))


def test_half_ties_count_as_documented() -> None:
    said = ["first", "tie", "tie", "second", "second", "unparsed"]
    assert one(report_of([judged(said)], Choices(ties="half")), "win rate").number.value == pytest.approx(2 / 5)
    rate = one(report_of([judged(said)], Choices()), "win rate").number
    assert (rate.value, rate.left_out) == (pytest.approx(1 / 3), "2 tie, 1 unparsed")
    assert (rate.least, rate.most) == (pytest.approx(1 / 4), pytest.approx(2 / 4))


def test_what_a_model_did_not_answer_is_named_in_its_category() -> None:
    """The category of a prompt is known from a pair of other models."""
    source = judged(["first", "second"], unanswered=[("beta", "p0001")], categories={0: "rye", 1: "oats"})
    assert one(report_of([source], Choices()), "win rate").number.left_out == "1 missing"
    assert one(report_of([source], Choices()), "win rate", group="oats").number.left_out == "1 missing"
    assert one(report_of([source], Choices()), "win rate", group="rye").number.left_out == ""


def test_a_prompt_of_no_pair_is_missing_in_its_category(tmp_path: Path) -> None:
    """Of two models, one does not answer a prompt of each of two categories."""
    given = [{**row, "category": "rye" if row["prompt_id"] < "p0003" else "oats"} for row in rows(6)]
    given = [row for row in given if (row["prompt_id"], row["model"]) not in {("p0000", "beta"), ("p0005", "beta")}]
    inquiry = Inquiry.of(of_outputs(read_outputs([write_rows(tmp_path / "r.jsonl", given)])), judge())
    said = Reply("", "content_filter", "", "judge-1", "")
    tables = inquiry.tables({request.key: said for request in inquiry.requests})
    source = of_verdicts("judged", manifest_of(), tables)
    for group in ("rye", "oats"):
        assert one(report_of([source], Choices()), "win rate", group=group).number.left_out == "2 refused, 1 missing"


@pytest.mark.parametrize("said", [["first"] * 8, ["first"] * 40, ["first", "second"] * 20])
def test_the_report_has_the_interval_that_the_judge_printed(said: list[str]) -> None:
    report = report_of([judged(said)], Choices())
    found = one(report, "win rate").number
    tables = tables_of([Verdict(pair(n, "a", "b"), word, False, ()) for n, word in enumerate(said)], PAIRS)
    printed = matches(tables)["alpha", "beta"].rate
    assert (found.value, found.low, found.high) == (printed.value, printed.low, printed.high)
    assert (found.method, found.clustered) == (printed.method, "prompt")
    assert {(each.number.low, each.number.high) for each in report.section("outcomes")} >= {(found.low, found.high)}


def test_one_verdict_a_prompt_has_the_exact_interval_of_a_share() -> None:
    """Clopper and Pearson 1934: of 8 wins in 8, from 0.025 ** (1 / 8)."""
    found = one(report_of([judged(["first"] * 8)], Choices()), "win rate").number
    assert (found.low, found.high) == (pytest.approx(0.025 ** (1 / 8)), 1.0)


def test_the_baseline_is_the_opponent() -> None:
    found = one(report_of([judged(["first", "first", "second"], baseline="alpha")], Choices()), "win rate").number
    assert (found.model, found.opponent, found.value) == ("beta", "alpha", pytest.approx(1 / 3))


def test_votes_of_people_are_clustered_by_prompt_and_rater(tmp_path: Path) -> None:
    """Three people vote on four pairs: two always prefer alpha, one never does."""
    with desk(tmp_path) as mill:
        for task in mill.tasks():
            alpha = task["annotator"] != "mill/a3"
            mill.answer(task, "a_better" if alpha != task["swapped"] else "b_better")
        source = of_people(mill.load())
    report = report_of([source], Choices())
    rate = one(report, "win rate")
    assert (rate.number.model, rate.number.opponent, rate.number.voters) == ("alpha", "beta", "people")
    assert (rate.number.votes, rate.number.prompts, rate.number.raters) == (12, 4, 3)
    assert (rate.number.value, rate.number.clustered) == (pytest.approx(2 / 3), "prompt and rater")
    rows = rate.origin.rows(report.tables["votes"]).to_pylist()
    assert {row["rater"] for row in rows if row["outcome"] == "loss"} == {"mill/a3"}
    assert len({(row["pair_id"], row["rater"]) for row in rows}) == 12
