"""Responses in any form as rows of a campaign's file of responses."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from annotation.campaign.facts import parse_facts
from annotation.campaign.responses import COLUMNS, HIDDEN_FIELDS, TEXTS, Problem, merge_rows
from annotation.evaluation.forms.responses import AGAIN, FIELDS, own_form
from annotation.rows.delimited import Cell
from annotation.rows.reading import Unreadable
from annotation.rows.reading import rows as rows_of
from schemas.errors import UserError
from schemas.visible import visible

PLACES = 4
"""The most further places that a message names."""
OWN = ("prompt_id", "messages", "prompt", "responses", "model", "temperature", "text", "response")
"""The columns of a campaign's file of responses, beside FACTS."""


def campaign_rows(paths: Sequence[Path], *, measures: bool) -> list[dict[str, Any]]:
    """The rows of files in Gristmill's form or that of alpaca_eval, Arena-Hard or lm-eval, one after the other.

    Missing values are left out, except a null response. Raises UserError, with the place, for a row that cannot be
    read or that a push would skip, and in a campaign that ``measures`` models for a model that answers a prompt twice.
    A response that is repeated for another filter of lm-eval is left out.
    """
    found = list(_rows(paths))
    problems: list[Problem] = []
    merge_rows((each for each in found if not _only_asks(each[1])), problems, measures=measures)
    if problems:
        raise UserError(_first(problems))
    kept = _once(found) if measures else (row for _, row in found)
    return [{name: value for name, value in row.items() if name != AGAIN} for row in kept]


def _first(problems: Sequence[Problem]) -> str:
    """The first problem, with the other places that have it too, since rows that contradict each other are several."""
    places = [each.where for each in problems if each.message == problems[0].message]
    others = ", ".join(places[1 : PLACES + 1]) + (
        f" and {len(places) - 1 - PLACES:,} more" * (len(places) > PLACES + 1)
    )
    return f"{places[0]}: {problems[0].message}" + (f"; see also {others}" if others else "")


def _only_asks(row: dict[str, Any]) -> bool:
    """Whether a row is a prompt without any response, such as a question of Arena-Hard."""
    return "responses" not in row and not any(row.get(name) for name in ("model", "response", "text"))


def _responses(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in row.get("responses", [row]) if each.get("model")]


def _once(rows: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """The valid rows, without repetitions of lm-eval. Raises UserError if a model answers a prompt twice."""
    first: dict[tuple[str, str], tuple[str, Any]] = {}
    for place, row in rows:
        prompt = str(row.get("prompt_id", [row.get("messages"), row.get("prompt")]))
        texts = {(prompt, str(each["model"])): each.get("text", each.get("response")) for each in _responses(row)}
        held = {key: first[key] for key in texts if key in first}
        if held and AGAIN in row and all(text == texts[key] for key, (_, text) in held.items()):
            continue
        for (_, model), (before, _) in held.items():
            raise UserError(
                f"{place}: the model {model!r} answers the prompt of {before} again: keep one of the responses"
            )
        first |= {key: (place, text) for key, text in texts.items()}
        yield row


def _rows(paths: Sequence[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in paths:
        word = "line" if ".jsonl" in path.suffixes else "row"
        for number, row in rows_of(path, frozenset((*COLUMNS, *HIDDEN_FIELDS, *FIELDS)), texts=TEXTS):
            place = f"{path}, {word} {number}"
            if isinstance(row, Unreadable):
                raise UserError(f"{place}: {visible(row.message)}")
            made = own_form(row, path, place)
            yield place, _plain(dict(made), place) | {name: made[name] for name in (AGAIN,) if name in made}


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
