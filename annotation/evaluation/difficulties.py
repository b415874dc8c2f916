"""How difficult instructions are, from a file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.evaluation.forms.responses import instruction_id
from annotation.evaluation.outputs import parse_id, read_rows
from annotation.rows.reading import digest
from schemas.errors import UserError
from schemas.settings import shown
from schemas.visible import visible

FIELDS = ("prompt_id", "instruction", "index", "instruction_difficulty")
LARGEST = 1e6
"""The largest absolute value of a difficulty: a regression on far larger ones overflows. The published ones
have a variance of 2.2."""


@dataclass(frozen=True)
class Difficulties:
    """The difficulty of each prompt, by its id; the name of the file, as `visible` shows it, and its SHA-256."""

    name: str
    sha256: str
    values: Mapping[str, float]


def read_difficulties(path: Path, instructions: Path | None = None) -> Difficulties:
    """The difficulties in a file of rows with ``instruction_difficulty`` and ``prompt_id`` or ``instruction``.

    In alpaca_eval's own form, a row has an ``index`` in place of an instruction: its place, from 0, in the file
    ``instructions``, which has an ``instruction`` in each row (alpaca_eval.json, or a model's outputs). A difficulty
    may be repeated. Raises UserError, with the place, for a row without one of these, a difficulty that is not a
    number from -LARGEST to LARGEST, and two difficulties of one prompt.
    """
    order = [] if instructions is None else list(_instructions(instructions))
    found: dict[str, float] = {}
    for place, row in read_rows(path, FIELDS, ("prompt_id", "instruction")):
        prompt_id = _prompt_of(row, order, place)
        value = _number(row.get("instruction_difficulty"), place)
        if found.setdefault(prompt_id, value) != value:
            raise UserError(f"{place}: the prompt already has another difficulty: keep one of them")
    if not found:
        raise UserError(f"{path} holds no difficulty: give rows with prompt_id and instruction_difficulty")
    return Difficulties(visible(path.name), digest(path), found)


def _instructions(path: Path) -> Iterator[str]:
    for place, row in read_rows(path, ("instruction",), ("instruction",)):
        if not isinstance(row.get("instruction"), str):
            raise UserError(f"{place}: instruction must be a text")
        yield str(row["instruction"])


def _prompt_of(row: Mapping[str, Any], order: list[str], place: str) -> str:
    if row.get("prompt_id") not in (None, ""):
        return parse_id(row["prompt_id"], "prompt_id", place)
    if isinstance(row.get("instruction"), str) and row["instruction"]:
        return instruction_id(str(row["instruction"]))
    try:
        index = int(parse_id(row.get("index"), "prompt_id, instruction or index", place))
    except ValueError:
        index = -1
    if not 0 <= index < len(order):
        among = f"the {len(order):,} instructions" if order else "any instructions"
        raise UserError(
            f"{place}: index {shown(row.get('index'))} is not the place of one of {among}: with --instructions, give "
            "the file whose rows it counts from 0, or add a column prompt_id"
        )
    return instruction_id(order[index])


def _number(value: Any, place: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if isinstance(value, bool) or not abs(number) <= LARGEST:
        raise UserError(
            f"{place}: instruction_difficulty is {shown(value)}: give a number from -{LARGEST:,.0f} to {LARGEST:,.0f}"
        )
    return number
