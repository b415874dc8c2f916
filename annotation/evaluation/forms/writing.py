"""Writes verdicts in the forms of alpaca_eval, Arena-Hard, arena battles and Inspect.

A form is a function from tables to the files that it wants, by name; what a form has no place for is in LEFT_OUT.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyarrow as pa

from annotation.evaluation.tables import JudgeTables
from schemas.errors import UserError
from schemas.settings import shown

LEFT_OUT = "left_out.jsonl"
"""The file of what the form has no place for: pairs without a winner or tie, pairs of one model, missing grades."""

Row = dict[str, Any]
Files = dict[str, bytes]

_PREFERENCES = {"first": 1.0, "second": 2.0, "tie": 1.5}
_WINNERS = {"first": "model_a", "second": "model_b", "tie": "tie"}
_WORTH = {"first": 1.0, "tie": 0.5, "second": 0.0}


def alpaca_eval(tables: JudgeTables, judge: str) -> Files:
    """``annotations.json``; a verdict that is missing has the preference null, which alpaca_eval leaves out. Raises
    UserError if texts are unknown."""
    if not _has_texts(tables.verdicts):
        raise UserError(
            "alpaca_eval keeps judgments with their texts, which these verdicts lack: choose another --format"
        )
    rows = [
        {
            "prompt_id": row["prompt_id"],
            "instruction": row["prompt"][-1]["content"],
            **({"messages": row["prompt"]} if len(row["prompt"]) > 1 else {}),
            "output_1": row["first"],
            "output_2": row["second"],
            "generator_1": row["first_model"],
            "generator_2": row["second_model"],
            "annotator": row["rater"] or judge,
            "preference": _PREFERENCES.get(row["outcome"]) if row["preference"] is None else 2 - row["preference"],
        }
        for row in tables.verdicts.to_pylist()
    ]
    return {"annotations.json": (json.dumps(rows, indent=1, ensure_ascii=False) + "\n").encode()}


def battles(tables: JudgeTables, judge: str) -> Files:
    """``battles.jsonl``: question_id, model_a, model_b, winner, judge."""
    rows, left = _decided(tables.verdicts)
    made = [
        {
            "question_id": row["prompt_id"],
            "model_a": row["first_model"],
            "model_b": row["second_model"],
            "winner": _WINNERS[row["outcome"]],
            "judge": row["rater"] or judge,
        }
        for row in rows
    ]
    return {"battles.jsonl": _lines(made), **_left_out(left)}


def arena_hard(tables: JudgeTables, judge: str) -> Files:
    """``model_judgment``, and ``question.jsonl`` and ``model_answer`` if the texts are known. In the first game the
    baseline is shown first. A game without a verdict has the score null.

    Raises UserError for grades, for pairs without a verdict in each order, and unless one model is the baseline of all.
    """
    if tables.answers is None:
        raise UserError("Arena-Hard has no place for grades of single responses: choose another --format")
    baseline = _baseline(tables)
    rows = tables.verdicts.to_pylist()
    said: dict[str, dict[bool, Row]] = {}
    for answer in tables.answers.to_pylist():
        said.setdefault(answer["pair_id"], {})[answer["swapped"]] = answer
    judgments: dict[str, list[Row]] = {}
    for row in rows:
        turned = row["first_model"] != baseline
        model = row["first_model" if turned else "second_model"]
        orders = said[row["pair_id"]]
        if len(orders) < 2:
            raise UserError(
                "Arena-Hard has two games of each pair, and these have a single verdict: choose another --format"
            )
        games = [_game(orders[turned ^ swapped], turned ^ swapped) for swapped in (False, True)]
        about = {"uid": row["prompt_id"], "category": row["category"], "judge": row["rater"] or judge}
        judgments.setdefault(model, []).append({**about, "model": model, "baseline": baseline, "games": games})
    named = _file_names({baseline, *judgments})
    place = f"model_judgment/{_file_name(judge)}"
    files = {f"{place}/{named[name]}.jsonl": _lines(each) for name, each in judgments.items()}
    return files | (_arena_hard_texts(rows, named) if _has_texts(tables.verdicts) else {})


def _arena_hard_texts(rows: list[Row], named: Mapping[str, str]) -> Files:
    """``question.jsonl`` and ``model_answer``. Raises UserError if a model has several responses to a prompt."""
    questions: dict[str, Row] = {}
    answers: dict[str, dict[str, Row]] = {}
    for row in rows:
        about = {"uid": row["prompt_id"], "category": row["category"]}
        questions[row["prompt_id"]] = about | {"prompt": row["prompt"][-1]["content"]}
        for side in ("first", "second"):
            own = answers.setdefault(row[f"{side}_model"], {})
            if own.setdefault(row["prompt_id"], _answer(row, side)) != _answer(row, side):
                raise UserError(
                    f"{row[f'{side}_model']} has several responses to {row['prompt_id']}, for which Arena-Hard has no "
                    "place: choose another --format"
                )
    files = {"question.jsonl": _lines(questions.values())}
    return files | {f"model_answer/{named[name]}.jsonl": _lines(each.values()) for name, each in answers.items()}


def inspect(tables: JudgeTables, judge: str) -> Files:
    """A file for each model: of a match (1 for a win, 0.5 for a tie, 0 for a loss), or of grades. Inspect leaves a
    sample without a record unscored."""
    if tables.grades is not None:
        return _inspect_grades(tables.grades, judge)
    rows, left = _decided(tables.verdicts)
    named = _file_names({name for models in tables.compared for name in models})
    found: dict[str, _Records] = {}
    for row in rows:
        for model, opponent, worth in (
            (row["first_model"], row["second_model"], _WORTH[row["outcome"]]),
            (row["second_model"], row["first_model"], 1 - _WORTH[row["outcome"]]),
        ):
            about = {"model": model, "opponent": opponent, "judge": row["rater"] or judge}
            name = f"{named[model]}-against-{named[opponent]}.jsonl"
            found.setdefault(name, _Records()).add({"id": row["prompt_id"], "value": worth, "metadata": about})
    return {**{name: _lines(each.rows) for name, each in sorted(found.items())}, **_left_out(left)}


def _inspect_grades(grades: pa.Table, judge: str) -> Files:
    named = _file_names(set(grades["model"].to_pylist()))
    found: dict[str, _Records] = {}
    left = []
    for row in grades.to_pylist():
        if row["grade"] is None:
            left.append({name: row[name] for name in ("prompt_id", "model", "outcome")})
            continue
        about = {"model": row["model"], "judge": judge}
        record = {"id": row["prompt_id"], "value": row["grade"], "explanation": row["content"], "metadata": about}
        found.setdefault(f"{named[row['model']]}.jsonl", _Records()).add(record)
    return {**{name: _lines(each.rows) for name, each in sorted(found.items())}, **_left_out(left)}


@dataclass
class _Records:
    """The records of a file of Inspect. A further record with the same id has the next epoch."""

    rows: list[Row] = field(default_factory=list)
    epochs: Counter[str] = field(default_factory=Counter)

    def add(self, record: Row) -> None:
        self.epochs[record["id"]] += 1
        self.rows.append({"id": record["id"], "epoch": self.epochs[record["id"]], **record})


Form = Callable[[JudgeTables, str], Files]
FORMS: Mapping[str, Form] = {
    "alpaca-eval": alpaca_eval,
    "arena-hard": arena_hard,
    "battles": battles,
    "inspect": inspect,
}
"""The forms by the names that the command gives them."""


def _decided(verdicts: pa.Table) -> tuple[list[Row], list[Row]]:
    """The rows with a winner or a tie of two models, and the others."""
    rows = verdicts.to_pylist()
    fit = [row["outcome"] in _WORTH and row["first_model"] != row["second_model"] for row in rows]
    names = ("prompt_id", "first_model", "second_model", "outcome")
    left = [{name: row[name] for name in names} for row, fits in zip(rows, fit, strict=True) if not fits]
    return [row for row, fits in zip(rows, fit, strict=True) if fits], left


def _left_out(rows: list[Row]) -> Files:
    return {LEFT_OUT: _lines(rows)} if rows else {}


def _has_texts(verdicts: pa.Table) -> bool:
    """Whether every row has its prompt and both responses."""
    return not any(verdicts[name].null_count for name in ("prompt", "first", "second"))


def _lines(rows: Iterable[Row]) -> bytes:
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _baseline(tables: JudgeTables) -> str:
    """The model that is compared with every other. Of a single pair it is the first."""
    shared = set.intersection(*(set(models) for models in tables.compared)) if tables.compared else set[str]()
    firsts = {first for first, _ in tables.compared}
    found = sorted(shared & firsts) or sorted(shared)
    if not found:
        raise UserError("Arena-Hard compares every model with one baseline: judge with --baseline, and export again")
    return found[0]


def _answer(row: Row, side: str) -> Row:
    turns = [*row["prompt"], {"role": "assistant", "content": {"answer": row[side]}}]
    return {"uid": row["prompt_id"], "model": row[f"{side}_model"], "messages": turns}


def _game(answer: Row, swapped: bool) -> Row:
    """A game as Arena-Hard has it, from an answer in which the pair was shown swapped or not; A is shown first."""
    first, second = ("B>A", "A>B") if swapped else ("A>B", "B>A")
    score = {"first": first, "second": second, "tie": "A=B"}.get(answer["outcome"])
    return {"score": score, "judgment": {"answer": answer["content"]}}


def _file_names(models: Iterable[str]) -> dict[str, str]:
    """The names of models as names of files. Raises UserError if two would share a file."""
    found: dict[str, str] = {}
    for model in sorted(models):
        name = _file_name(model)
        if name in found:
            raise UserError(
                f"the models {found[name]} and {model} would share the file {name}: rename one in the input"
            )
        found[name] = model
    return {model: name for name, model in found.items()}


def _file_name(name: str) -> str:
    made = re.sub(r"[^\w.+@=-]", "_", name)
    if made.startswith(".") or not 0 < len(made) <= 200:
        raise UserError(f"{shown(name)} cannot be the name of a file: rename the model in the input")
    return made
