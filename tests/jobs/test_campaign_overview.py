"""What programs and spreadsheets get of a campaign."""

import csv
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.campaign.overview import Annotator, Remark, as_json, overview
from jobs.spreadsheet import write_csv
from schemas import REFUSED, REPORTS
from tests.annotation.campaigns import PEOPLE, choices, desk, write_rows
from tests.annotation.written import pair, snapshot, table, votes
from tests.jobs.calling import call

RAW = b'{"author": "eve@mill.example", "project": 1, "task": 2}'
HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "'=1", " =1", "\t=1", 'a,"b"\nc\r', "＝1", "héllo\u202e\u200b", "a;=1"]
SETTINGS = """name = "mill"
protocol = "preference"
batch = "b1"
responses = "b1.jsonl"
annotators = ["ann@mill.example", "bob@mill.example", "cy@mill.example"]
guidelines = "guidelines.md"
"""


def report(n: int, **changes: Any) -> dict[str, Any]:
    row = {
        "pair_id": "p",
        "batch": "batch-1",
        "round": "vote",
        "annotator": "mill/a1",
        "annotation": f"{n}",
        "uid": "u",
    }
    return {**row, "project": 1, "task": n, "skipped": False, "reason": None, "comment": None, **changes}


def test_texts_of_a_table_are_no_formulas_and_read_back_exactly() -> None:
    rows = [Remark("b1", "p", "vote", "mill/a1", "", False, None, text, None) for text in HOSTILE]
    written = write_csv(Remark, rows)
    cells = [row["comment"] for row in csv.DictReader(io.StringIO(written, newline=""))]
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@", "＝"))]
    assert [cell.removeprefix("'") for cell in cells] == HOSTILE


def test_numbers_have_all_digits_and_nothing_is_an_empty_cell() -> None:
    made = snapshot([pair("p"), pair("q")], [*votes("p", "f3 f2 s1"), *votes("q", "s1 s1 s2")])
    found = overview(made, {"mill/a1": "ann@mill.example"}, "mill")
    rows = list(csv.DictReader(io.StringIO(write_csv(Annotator, found.annotators))))
    assert [row["email"] for row in rows] == ["ann@mill.example", "", ""]
    assert [float(row["agreement"]) for row in rows] == [each.agreement for each in found.annotators]
    assert [row["last_vote"] for row in rows] == [""] * 3


def test_one_json_object_with_everything_and_without_names_no_address() -> None:
    refused = [{"annotation": "1", "reason": "unknown_annotator", "message": "m", "raw": RAW}]
    reports = [report(1, comment="close"), report(2, reason="harmful", comment="bad"), report(3, reason="both_bad")]
    changes = {"refused": table(REFUSED, refused), "reports": table(REPORTS, reports), "server": "http://mill.example"}
    made = snapshot([pair("p"), pair("q")], [*votes("p", "f3 f2 s1"), *votes("q", "s1")], **changes)
    emails = {"mill/a1": "ann@flour.example"}
    found = json.loads(as_json(overview(made, emails, "mill")))
    assert (found["format"], found["campaign"], found["revision"], found["pairs"]) == (1, "mill", 1, 2)
    assert found["tasks"]["done"] == 4
    assert found["verdicts"]["better"] + found["verdicts"]["significantly_better"] == 1
    assert found["unresolved"]["too_few_votes"] == 1
    assert [row["comment"] for row in found["comments"]] == ["close", "bad"]
    assert [row["reason"] for row in found["reports"]] == ["harmful", "both_bad"]
    assert found["reports"][0]["link"] == "http://mill.example/projects/1/data?task=2"
    assert found["quarantine"] == [
        {
            "annotation": "1",
            "annotator": "",
            "email": "eve@mill.example",
            "reason": "unknown_annotator",
            "message": "m",
            "link": "http://mill.example/projects/1/data?task=2",
        }
    ]
    assert "ann@flour.example" in as_json(overview(made, emails, "mill"))
    hidden = as_json(overview(made, emails, "mill", names=False))
    assert "@" not in hidden


@pytest.fixture
def mill(tmp_path: Path) -> Iterator[Path]:
    """A campaign's folder with votes, as a pull would have written them."""
    write_rows(tmp_path / "guidelines.md", [])
    with desk(tmp_path) as at:
        for n, task in enumerate(at.tasks()):
            said = choices(preference="a_better" if n % 3 else "b_better")
            said.append({"from_name": "comment", "type": "textarea", "value": {"text": [HOSTILE[n % len(HOSTILE)]]}})
            at.answer(task, said, second=n)
        (tmp_path / "campaign.toml").write_text(SETTINGS)
        yield tmp_path


def test_the_same_journal_gives_the_same_bytes(
    mill: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = []
    for _ in range(2):
        assert call("campaign", "status", mill, "--json", monkeypatch=monkeypatch) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    found = json.loads(printed[0])
    assert [row["email"] for row in found["annotators"]] == list(PEOPLE)
    assert found["annotators"][0]["last_vote"].startswith("2026-05-04T03:02:")
    comments = [row["comment"] for row in found["comments"]]
    assert set(comments) <= {text.strip() for text in HOSTILE} | set(HOSTILE)
    assert call("campaign", "status", mill, "--csv", "comments", monkeypatch=monkeypatch) == 0
    rows = csv.DictReader(io.StringIO(capsys.readouterr().out, newline=""))
    assert [row["comment"].removeprefix("'") for row in rows] == comments, "hidden characters included"
    assert call("campaign", "status", mill, "--json", "--csv", "batches", monkeypatch=monkeypatch) == 2
    assert "--json and --csv exclude each other" in capsys.readouterr().err


def test_a_terminal_shows_what_a_cell_hides(
    mill: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert call("campaign", "status", mill, "--csv", "comments", monkeypatch=monkeypatch) == 0
    assert "héllo\\u202e\\u200b" in capsys.readouterr().out
