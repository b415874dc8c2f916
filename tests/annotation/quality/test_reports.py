"""What annotators report about tasks comes back as rows, with votes and with skips, and changes no vote."""

from pathlib import Path
from typing import Any

import pytest

from annotation.campaign.moves import reassign
from annotation.quality.reports import count_problems, reports
from jobs.campaign.overview import overview
from jobs.campaign.tables import print_status
from schemas import REPORTS
from tests.annotation.campaigns import PEOPLE, choices, desk


def said(problem: str | None = None, comment: str | None = None) -> list[dict[str, Any]]:
    found = choices(report=problem) if problem else []
    return [*found, {"from_name": "comment", "type": "textarea", "value": {"text": [comment]}}] if comment else found


def test_reports_are_rows_and_votes_are_as_without(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with desk(tmp_path) as at:
        one, two, three, four, *_ = at.tasks("mill/a1")
        at.answer(one, number=1)
        at.answer(two, number=2)
        plain = at.load()
        assert reports(plain).num_rows == 0
        at.answer(one, [*choices(preference="a_better"), *said("both_bad")], number=1, second=1)
        at.answer(two, [*choices(preference="a_better"), *said(comment="close")], number=2, second=1)
        at.answer(three, said("broken_text", "cut\x1b off"), skip=True)
        at.answer(four, [], skip=True)
        found = at.load()
    rows = {row["pair_id"]: row for row in reports(found).to_pylist()}
    assert {pair: (row["skipped"], row["reason"], row["comment"], row["link"]) for pair, row in rows.items()} == {
        one["pair_id"]: (False, "both_bad", None, None),
        two["pair_id"]: (False, None, "close", None),
        three["pair_id"]: (True, "broken_text", "cut\x1b off", None),
    }
    assert {row["annotator"] for row in rows.values()} == {"mill/a1"}
    assert count_problems(found) == {"broken_text": 1, "both_bad": 1}
    changed = ["comment", "submitted"]
    assert found.judgments.drop_columns(changed).equals(plain.judgments.drop_columns(changed))
    REPORTS.upgrade(found.reports)
    print_status(overview(found, {"mill/a1": PEOPLE[0]}, "mill"))
    told = capsys.readouterr().out
    assert "- 2 problems reported by annotators: 1 broken text, 1 both bad\n" in told
    assert f"    b1 {three['pair_id']}, broken text, skipped: cut\\x1b off (mill/a1 {PEOPLE[0]})\n" in told


def test_a_report_stays_when_its_task_goes_to_somebody_else(tmp_path: Path) -> None:
    with desk(tmp_path, votes=2) as at:
        task = at.tasks("mill/a1")[0]
        at.answer(task, said("harmful"), skip=True)
        assert reassign(at.folder, at.journal, giver=PEOPLE[0])
        [row] = reports(at.load()).to_pylist()
    assert (row["pair_id"], row["reason"], row["skipped"]) == (task["pair_id"], "harmful", True)


@pytest.mark.parametrize("change", [{"author": PEOPLE[1]}, {"editor": PEOPLE[1]}, {"shown": "00"}, {"uid": "feed"}])
def test_a_report_without_a_proven_author_is_left_out(tmp_path: Path, change: dict[str, str]) -> None:
    with desk(tmp_path) as at:
        at.answer(at.tasks("mill/a1")[0], said("harmful"), skip=True, **change)
        assert reports(at.load()).num_rows == 0


def test_no_reported_problem_of_a_skip_is_lost(tmp_path: Path) -> None:
    """The page sends one problem at most; of several, the gravest is reported."""
    both = [*choices(report="harmful"), *choices(report="both_bad")]
    with desk(tmp_path) as at:
        task = at.tasks("mill/a1")[0]
        at.answer(task, both, skip=True)
        assert reports(at.load())["reason"].to_pylist() == ["harmful"]
