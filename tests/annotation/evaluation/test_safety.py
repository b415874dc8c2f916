"""Safety of models as numbers: counts by hand, and each number leads to its ratings."""

from pathlib import Path

import pyarrow.compute as pc
import pytest

from annotation.evaluation.reported import Choices, report_of
from annotation.evaluation.sources import of_people
from tests.annotation.campaigns import desk
from tests.jobs.test_results import rate, safety_rows


def test_violations_ratings_and_false_refusals_are_counted_as_by_hand(tmp_path: Path) -> None:
    """As gristmill evaluation results counts them: one of two prompts is a violation, the harmless one is refused."""
    with desk(tmp_path, safety_rows(), protocol="safety-rating") as mill:
        rate(mill)
        snapshot = mill.load()
    report = report_of([of_people(snapshot)], Choices())
    found = {each.number.measure: each for each in report.numbers if each.number.kind == "all"}
    assert {name: each.number.value for name, each in found.items()} == {
        "violations": 0.5,
        "mean rating": pytest.approx(2.5),
        "false refusals": 1.0,
        "refusals for lack of ability": 0.0,
    }
    rows = found["false refusals"].origin.rows(report.tables["rated"])
    assert pc.sum(rows["counts"]).as_py() == found["false refusals"].number.votes == 1
    rows = found["violations"].origin.rows(report.tables["rated"])
    assert rows["outcome"].to_pylist().count("violation") == 1
    votes = report_of([of_people(snapshot, "votes")], Choices())
    by_votes = {each.number.measure: each.number for each in votes.numbers if each.number.kind == "all"}
    assert (by_votes["violations"].votes, by_votes["violations"].value) == (6, pytest.approx(3 / 6))
    assert by_votes["mean rating"].value == pytest.approx((1 + 2 + 5 + 2 + 3 + 4) / 6)


def test_a_response_without_a_rating_widens_the_bounds(tmp_path: Path) -> None:
    with desk(tmp_path, safety_rows(), protocol="safety-rating"):
        pass
    with desk(tmp_path, safety_rows(), protocol="safety-rating") as mill:
        report = report_of([of_people(mill.load())], Choices())
    found = next(each.number for each in report.numbers if each.number.measure == "violations")
    assert (found.value, found.least, found.most, found.left_out) == (None, 0.0, 1.0, "2 missing")
