"""Responses in any form as rows of a campaign's file of responses."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from annotation.campaign.facts import parse_facts
from annotation.campaign.responses import COLUMNS, HIDDEN_FIELDS, TEXTS
from annotation.evaluation.forms.responses import FIELDS, own_form
from annotation.rows.delimited import Cell
from annotation.rows.reading import Unreadable
from annotation.rows.reading import rows as rows_of
from schemas.errors import UserError
from schemas.visible import visible

OWN = ("prompt_id", "messages", "prompt", "responses", "model", "temperature", "text", "response")
"""The columns of a campaign's file of responses, beside FACTS."""


def campaign_rows(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The rows of files in Gristmill's form or that of alpaca_eval, Arena-Hard or lm-eval, one after the other.

    Missing values are left out, except a null response. Raises UserError, with the place, for a row that cannot be
    read or has no response and no prompt.
    """
    for path in paths:
        word = "line" if ".jsonl" in path.suffixes else "row"
        for number, row in rows_of(path, frozenset((*COLUMNS, *HIDDEN_FIELDS, *FIELDS)), texts=TEXTS):
            place = f"{path}, {word} {number}"
            if isinstance(row, Unreadable):
                raise UserError(f"{place}: {visible(row.message)}")
            made = own_form(row, path, place)
            yield _plain(dict(made), place)


def _plain(row: dict[str, Any], place: str) -> dict[str, Any]:
    try:
        facts = {name: value for name, value in vars(parse_facts(row)).items() if value is not None}
    except ValueError as error:
        raise UserError(f"{place}: {error}") from error
    held = {name: row[name] for name in (*OWN, *sorted(HIDDEN_FIELDS)) if name in row}
    kept = {name: value for name, value in held.items() if name in ("text", "response") or value not in (None, "")}
    if isinstance(kept.get("temperature"), Cell):
        kept["temperature"] = _number(kept["temperature"])
    if not {"model", "responses", "messages", "prompt"} & kept.keys():
        raise UserError(
            f"{place}: the row is in no known form: give prompt_id, prompt, model and response, or outputs of "
            "alpaca_eval, Arena-Hard or lm-eval"
        )
    return {**kept, **facts}


def _number(cell: Cell) -> Any:
    try:
        return float(cell)
    except ValueError:
        return str(cell)
