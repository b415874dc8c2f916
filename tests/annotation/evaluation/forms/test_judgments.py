"""Judgments go out in the forms of other tools and come back with the same outcomes; none gets lost."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.evaluation.book import request_of
from annotation.evaluation.folder import fill, load, writing
from annotation.evaluation.forms.exporting import export
from annotation.evaluation.forms.importing import tables_of_votes
from annotation.evaluation.forms.judgments import read_votes
from annotation.evaluation.forms.writing import FORMS, LEFT_OUT
from annotation.evaluation.judging import Answer, Question, combine
from annotation.evaluation.manifest import SourceEntry
from annotation.evaluation.pairs import Pair, Pairs
from annotation.evaluation.replies import Reply
from annotation.evaluation.tables import JudgeTables, tables_of
from annotation.evaluation.verdicts import Outcome, Reading
from annotation.evaluation.winrates import Position, position, verdict_outcomes
from schemas.errors import DamagedError, UserError
from tests.annotation.campaigns import write_rows
from tests.annotation.evaluation.judged import judge

OUTCOMES = [each for each in get_args(Outcome) if each not in ("graded", "error")]
SAID = st.lists(st.tuples(st.sampled_from(OUTCOMES), st.sampled_from(OUTCOMES)), min_size=1, max_size=12)


def judged(said: Sequence[tuple[Outcome, ...]], first: str = "base", second: str = "rye/7b") -> JudgeTables:
    """The tables of a judge that said this of one pair each, in terms of what it was shown."""
    found = []
    for number, outcomes in enumerate(said):
        messages = (("user", f"Question {number}?"),)
        pair = Pair(f"{number:032x}", f"p{number:02}", "grain", messages, first, second, f"a{number}", f"b{number}")
        answers = []
        for swapped, outcome in enumerate(outcomes):
            question = Question(pair, bool(swapped), "", request_of("", {"n": number, "swapped": swapped}))
            answers.append(Answer(question, Reply("Because.", "stop", "", "judge-1", ""), Reading(outcome)))
        found.append(combine(answers))
    return tables_of(found, Pairs([], [(first, second)]))


def back(tables: JudgeTables, form: str, path: Path) -> JudgeTables:
    """The tables of what is read from the files of that form."""
    names = []
    for name, content in FORMS[form](tables, "judge-1").items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
        names.append(name)
    wanted = [name for name in names if "judgment" in name or name in ("annotations.json", "battles.jsonl")]
    return tables_of_votes(read_votes([path / name for name in wanted]))


def outcomes(tables: JudgeTables) -> dict[str, str]:
    return dict(zip(*(tables.verdicts[name].to_pylist() for name in ("prompt_id", "outcome")), strict=True))


DECIDED = ("first", "second", "tie")


@pytest.mark.parametrize("form", ["alpaca-eval", "arena-hard", "battles"])
@given(said=SAID)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_what_is_written_comes_back(form: str, tmp_path: Path, said: list[tuple[Outcome, Outcome]]) -> None:
    tables = judged(said)
    expected = {
        key: outcome if outcome in DECIDED else "unparsed"
        for key, outcome in outcomes(tables).items()
        if outcome in DECIDED or form != "battles"
    }
    if not expected:
        return
    found = back(tables, form, tmp_path)
    assert outcomes(found) == expected
    assert set(found.verdicts["rater"].to_pylist()) == {"judge-1"}
    assert verdict_outcomes(found).counts()["win"] == verdict_outcomes(tables).counts()["win"]
    known = position(tables.said) if form == "arena-hard" else Position(0, 0, 0, 0)
    assert position(found.said) == known


def test_annotations_of_alpaca_eval() -> None:
    tables = judged([("first", "second"), ("second", "first"), ("first", "first"), ("refused", "first")])
    rows = json.loads(FORMS["alpaca-eval"](tables, "judge-1")["annotations.json"])
    assert [row["preference"] for row in rows] == [1.0, 2.0, 1.5, None]
    assert rows[0] | {"prompt_id": ""} == {
        "prompt_id": "",
        "instruction": "Question 0?",
        "output_1": "a0",
        "output_2": "b0",
        "generator_1": "base",
        "generator_2": "rye/7b",
        "annotator": "judge-1",
        "preference": 1.0,
    }


@pytest.mark.parametrize("turned", [False, True])
def test_games_of_arena_hard(turned: bool) -> None:
    """In the first game the baseline is A; the judge prefers the baseline, then the response shown first, then nothing.
    The pair may have the baseline first or second."""
    models = ("rye", "base") if turned else ("base", "rye")
    said: list[tuple[Outcome, ...]] = [("second", "first") if turned else ("first", "second"), ("first", "first")]
    tables = judged([*said, ("unparsed", "tie") if not turned else ("tie", "unparsed")], *models)
    tables = JudgeTables(tables.verdicts, tables.unanswered, (models, ("base", "oats")), tables.answers)
    files = FORMS["arena-hard"](tables, "judge-1")
    rows = [json.loads(line) for line in files["model_judgment/judge-1/rye.jsonl"].splitlines()]
    assert {(row["model"], row["baseline"], row["judge"]) for row in rows} == {("rye", "base", "judge-1")}
    assert [[game["score"] for game in row["games"]] for row in rows] == [["A>B", "B>A"], ["A>B", "A>B"], [None, "A=B"]]
    answers = [json.loads(line) for line in files["model_answer/base.jsonl"].splitlines()]
    assert answers[0]["messages"] == [
        {"role": "user", "content": "Question 0?"},
        {"role": "assistant", "content": {"answer": "b0" if turned else "a0"}},
    ]
    assert json.loads(files["question.jsonl"].splitlines()[0]) == {
        "uid": "p00",
        "category": "grain",
        "prompt": "Question 0?",
    }


def test_battles_name_what_they_leave_out() -> None:
    files = FORMS["battles"](judged([("first", "second"), ("truncated", "first")]), "judge-1")
    [battle] = map(json.loads, files["battles.jsonl"].splitlines())
    assert battle == {
        "question_id": "p00",
        "model_a": "base",
        "model_b": "rye/7b",
        "winner": "model_a",
        "judge": "judge-1",
    }
    [left] = map(json.loads, files[LEFT_OUT].splitlines())
    assert (left["prompt_id"], left["outcome"]) == ("p01", "truncated")


def test_scores_of_inspect_are_those_of_each_side() -> None:
    files = FORMS["inspect"](
        judged([("first", "second"), ("tie", "tie"), ("second", "first"), ("refused", "tie")]), "judge-1"
    )
    values = {
        name: [(row["id"], row["epoch"], row["value"]) for row in map(json.loads, content.splitlines())]
        for name, content in files.items()
        if name != LEFT_OUT
    }
    assert values == {
        "base-against-rye_7b.jsonl": [("p00", 1, 1.0), ("p01", 1, 0.5), ("p02", 1, 0.0)],
        "rye_7b-against-base.jsonl": [("p00", 1, 0.0), ("p01", 1, 0.5), ("p02", 1, 1.0)],
    }
    assert len(files[LEFT_OUT].splitlines()) == 1


READ: list[tuple[dict[str, Any], tuple[Outcome, ...]]] = [
    ({"preference": 1}, ("first",)),
    ({"preference": 2.0}, ("second",)),
    ({"preference": 1.5}, ("tie",)),
    ({"preference": 0}, ("tie",)),
    ({"preference": 1.0000067}, ("first",)),
    ({"preference": 1.51}, ("second",)),
    ({"preference": None}, ("unparsed",)),
]


@pytest.mark.parametrize(("row", "said"), READ)
def test_a_preference_is_read_as_alpaca_eval_means_it(
    row: dict[str, Any], said: tuple[Outcome, ...], tmp_path: Path
) -> None:
    whole = {"instruction": "?", "output_1": "a", "output_2": "b", "generator_1": "x", "generator_2": "y", **row}
    (tmp_path / "annotations.json").write_text(json.dumps([whole]))
    [vote] = read_votes([tmp_path / "annotations.json"])
    assert tuple(outcome for _, outcome in vote.said) == said


GAMES: dict[tuple[str | None, ...], tuple[Outcome, bool]] = {
    ("A>B", "B>A"): ("first", False),
    ("A>>B", "B>A"): ("first", False),
    ("B>A", "A>B"): ("second", False),
    ("A=B", "A=B"): ("tie", False),
    ("A>B", "A>B"): ("tie", True),
    ("B<A", "A<<B"): ("first", False),
    ("A>B", None): ("unparsed", False),
    ("B>A",): ("second", False),
}


@pytest.mark.parametrize("scores", GAMES)
def test_games_are_read_as_arena_hard_means_them(scores: tuple[str | None, ...], tmp_path: Path) -> None:
    row = {"uid": "q", "judge": "j", "model": "rye", "baseline": "base", "games": [{"score": each} for each in scores]}
    write_rows(tmp_path / "rye.jsonl", [row])
    [found] = tables_of_votes(read_votes([tmp_path / "rye.jsonl"])).verdicts.to_pylist()
    assert (found["first_model"], found["second_model"]) == ("base", "rye")
    assert (found["outcome"], found["inconsistent"]) == GAMES[scores]


BATTLE = {"question_id": "q", "model_a": "x", "model_b": "y", "winner": "model_a"}
ALPACA = {"instruction": "?", "generator_1": "x", "generator_2": "y", "preference": 1}
FAULTS: dict[str, tuple[list[Any], str]] = {
    "unknown form": ([{"a": 1}], "line 1: the row is of no known form"),
    "unknown winner": ([{**BATTLE, "winner": "model_c"}], "line 1: winner is 'model_c': give one of model_a"),
    "no model": ([{**BATTLE, "model_b": None}], "line 1: model_b is missing"),
    "no question": ([{**BATTLE, "question_id": ""}], "line 1: question_id is missing"),
    "repeated": ([BATTLE, BATTLE], "line 2: a rater judges x and y on q again, after .*line 1"),
    "repeated the other way": ([BATTLE, {**BATTLE, "model_a": "y", "model_b": "x"}], "line 2: a rater judges y and x"),
    "preference of 3": ([{**ALPACA, "preference": 3}], "line 1: preference is 3: give a number from 1 to 2"),
    "preference as a word": ([{**ALPACA, "preference": "m"}], "line 1: preference is 'm'"),
    "preference of true": ([{**ALPACA, "preference": True}], "line 1: preference is True"),
    "unknown score": (
        [{"uid": "q", "games": [{"score": "A"}], "model": "x", "baseline": "y"}],
        "score of a game is 'A'",
    ),
    "three games": ([{"uid": "q", "games": [None] * 3, "model": "x", "baseline": "y"}], "a list of one or two games"),
    "nothing": ([], "holds no judgment"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_its_place(name: str, tmp_path: Path) -> None:
    rows, message = FAULTS[name]
    write_rows(tmp_path / "x.jsonl", rows)
    with pytest.raises(UserError, match=message):
        read_votes([tmp_path / "x.jsonl"])


def test_several_raters_are_kept_apart(tmp_path: Path) -> None:
    write_rows(tmp_path / "x.jsonl", [{**BATTLE, "judge": name} for name in ("ann", "bob")])
    assert verdict_outcomes(tables_of_votes(read_votes([tmp_path / "x.jsonl"]))).raters == ("ann", "bob")


def folder(path: Path, tables: JudgeTables) -> Path:
    with writing(path) as writer:
        fill(writer, tables, judge(), SourceEntry(files={}, compared=tables.compared))
    return path


@pytest.mark.parametrize("form", FORMS)
def test_an_export_is_a_folder_with_a_manifest_and_the_same_bytes_again(form: str, tmp_path: Path) -> None:
    source = folder(tmp_path / "out", judged([("first", "second"), ("refused", "tie")]))
    lines = export(source, form, tmp_path / "one")
    export(source, form, tmp_path / "two")
    names = {path.relative_to(tmp_path / "one").as_posix() for path in (tmp_path / "one").rglob("*") if path.is_file()}
    assert names == {*lines, "manifest.json"}
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_folder_is_read_back_and_a_changed_file_is_found(tmp_path: Path) -> None:
    tables = judged([("first", "second"), ("tie", "tie")])
    place = folder(tmp_path / "out", tables)
    assert load(place)[1] == tables
    path = place / "answers.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(UserError, match=r"answers\.parquet"):
        export(place, "battles", tmp_path / "one")


def test_what_does_not_fit_a_form_is_one_sentence(tmp_path: Path) -> None:
    tables = judged([("first", "second")])
    three = (("a", "b"), ("a", "c"), ("b", "c"))
    with pytest.raises(UserError, match="judge with --baseline"):
        FORMS["arena-hard"](JudgeTables(tables.verdicts, tables.unanswered, three, tables.answers), "judge-1")
    with pytest.raises(UserError, match=re.escape("the models rye 7b and rye/7b would share the file rye_7b")):
        FORMS["inspect"](judged([("first", "second")], "rye 7b"), "judge-1")
    with pytest.raises(UserError, match="cannot be the name of a file"):
        FORMS["inspect"](judged([("first", "second")], ".."), "judge-1")
    with pytest.raises(UserError, match="did you mean 'battles'"):
        export(folder(tmp_path / "out", tables), "battle", tmp_path / "one")


def test_judgments_without_texts_go_where_texts_are_not_needed(tmp_path: Path) -> None:
    write_rows(tmp_path / "x.jsonl", [BATTLE, {**BATTLE, "question_id": "r", "winner": "tie"}])
    tables = tables_of_votes(read_votes([tmp_path / "x.jsonl"]))
    with pytest.raises(UserError, match="with their texts, which these verdicts lack"):
        FORMS["alpaca-eval"](tables, "judge-1")
    with pytest.raises(UserError, match="these have a single verdict"):
        FORMS["arena-hard"](tables, "judge-1")
    assert outcomes(back(tables, "battles", tmp_path)) == {"q": "first", "r": "tie"}
    games = {"uid": "q", "model": "y", "baseline": "x", "games": [{"score": "A>B"}, {"score": "B>A"}]}
    write_rows(tmp_path / "y.jsonl", [games])
    tables = tables_of_votes(read_votes([tmp_path / "y.jsonl"]))
    assert list(FORMS["arena-hard"](tables, "judge-1")) == ["model_judgment/judge-1/y.jsonl"]


def test_a_manifest_without_a_table_is_damaged(tmp_path: Path) -> None:
    place = folder(tmp_path / "out", judged([("first", "second")]))
    for name in ("verdicts", "unanswered", "answers"):
        manifest = json.loads((place / "manifest.json").read_text())
        del manifest["files"][f"{name}.parquet"]
        (tmp_path / name).mkdir()
        for path in place.iterdir():
            (tmp_path / name / path.name).write_bytes(path.read_bytes())
        (tmp_path / name / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(DamagedError, match="lacks a table"):
            load(tmp_path / name)
