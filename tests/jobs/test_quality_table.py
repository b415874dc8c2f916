"""What a person reads of a campaign's votes."""

from dataclasses import replace
from pathlib import Path

import pytest

from annotation.judgments.policy import Policy
from annotation.judgments.snapshot import Snapshot
from jobs.campaign.overview import overview
from jobs.campaign.tables import print_resolution, print_status
from schemas import ASSIGNMENTS, REFUSED
from tests.annotation.written import pair, snapshot, table, vote, votes

EMAILS = {"mill/a1": "ann@mill.example"}
RAW = b'{"author": "eve@mill.example", "project": 1, "task": 2}'


def show(made: Snapshot) -> None:
    print_status(overview(made, EMAILS, "my mill"))


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def rows() -> list[dict[str, object]]:
    return [*votes("p", "f3 f2 s1"), *votes("q", "s1 s1 s2"), *votes("r", "f1"), *votes("g", "f1 s1")]


def test_status_shows_progress_agreement_and_what_needs_attention(
    rows: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    refused = [{"annotation": "1", "reason": "not_asked", "message": "m", "raw": RAW}]
    pairs = [pair("p"), pair("q"), pair("r"), pair("g", gold="first")]
    show(snapshot(pairs, rows, refused=table(REFUSED, refused)))
    out = lines(capsys)
    assert out[0] == "mill: preference 1, 3 pairs and 1 gold pair in 1 batch; 9 of 9 tasks done"
    assert "mill/a1 ann@mill.example 4 0 0.53 (-1.00 to 1.00) 30 (30 to 30) 75.0% (p 0.62) 1 of 1" in out
    assert "mill/a3 2 0 0.20 (-1.00 to 1.00) 30 (30 to 30) 0.0% (p 0.50) -" in out
    assert [line for line in out if line.startswith("all 2 0.34 (")], "r has a single vote"
    assert "Left side chosen: 44.4% of 9 votes (18.9% to 73.3%; exact binomial test, p 1.00)." in out
    assert out[-3:] == [
        "Needs attention:",
        "- 1 annotation in quarantine, not counted:",
        "1, not_asked: m (eve@mill.example)",
    ]


def test_status_shows_some_of_many_annotations_in_quarantine(capsys: pytest.CaptureFixture[str]) -> None:
    refused = [{"annotation": f"{n}", "reason": "repeated", "message": "m", "raw": RAW} for n in range(8)]
    show(snapshot([pair("p")], [], refused=table(REFUSED, refused)))
    out = lines(capsys)
    assert "- 8 annotations in quarantine, not counted:" in out
    assert out[-2:] == ["4, repeated: m (eve@mill.example)", "... and 3 more; in all 8 repeated"]


def test_status_of_many_hasty_votes_names_the_annotator(capsys: pytest.CaptureFixture[str]) -> None:
    pairs = [pair(f"p{n}") for n in range(20)]
    judged = [vote(f"p{n}", "f1", swapped=n % 2 == 0, seconds=1.0) for n in range(20)]
    show(snapshot(pairs, judged))
    assert lines(capsys)[-2:] == [
        "- mill/a1 ann@mill.example: 20 of 20 votes came faster than anybody can read",
        "Ask the person to read both responses; gristmill campaign withdraw 'my mill' ann@mill.example stops counting "
        "the votes.",
    ]


def test_status_before_any_vote(capsys: pytest.CaptureFixture[str]) -> None:
    show(snapshot([pair("p")], []))
    assert lines(capsys)[-1] == "Nothing needs attention."


def test_tables_are_never_cut(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    show(snapshot([pair("p"), pair("q")], [*votes("p", "f3:yn f3:yy s1:yn"), *votes("q", "s1:nn f1:yy s1:yn")]))
    assert "…" not in capsys.readouterr().out


def test_resolution_shows_verdicts_and_reasons(
    rows: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [pair("p"), pair("q"), pair("r"), pair("g", gold="first")]
    print_resolution(snapshot(pairs, rows, policy=Policy(use="unanimous")), Path("mill"))
    out = lines(capsys)
    assert out[0] == "mill: unanimous of all votes asked for"
    assert "resolved 1 33.3%" in out
    assert "slightly better 1 33.3%" in out
    assert "unresolved 2 66.7%" in out
    assert "too few votes so far (too_few_votes) 1 33.3%" in out
    assert "not unanimous (no_majority) 1 33.3%" in out
    assert out[-1] == "For adjudication: 1 pair. Next: gristmill campaign adjudicate mill"


def test_resolution_counts_what_adjudication_decided(capsys: pytest.CaptureFixture[str]) -> None:
    judged = [*votes("p", "f3 s3"), vote("p", "f1", "mill/a9", round="adjudication")]
    print_resolution(snapshot([pair("p")], judged, policy=Policy(min_votes=2)), Path("mill"))
    out = lines(capsys)
    assert out[0] == "mill: majority of 2 votes or more"
    assert out[-1] == "Decided by adjudication: 1 pair."


def test_resolution_counts_open_and_waiting_adjudications_apart(capsys: pytest.CaptureFixture[str]) -> None:
    made = snapshot([pair("p"), pair("q")], [*votes("p", "f3 s3"), *votes("q", "f3 s3")], policy=Policy(min_votes=2))
    given = [{**vote("p", "f1", "mill/a9", round="adjudication"), "state": "open"}]
    print_resolution(replace(made, assignments=table(ASSIGNMENTS, given)), Path("mill"))
    out = lines(capsys)
    assert out[-2:] == [
        "Open with adjudicators: 1 pair.",
        "For adjudication: 1 pair. Next: gristmill campaign adjudicate mill",
    ]
