"""Benchmarks: rows that a template turns into samples, the texts to search for, or that are taken apart into question,
answer and passage."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from schemas.errors import UserError
from schemas.placeholders import FIELD, fill_in, placeholders
from schemas.wording import and_more

ID = "id"
"""The field of a row that names its sample, unless another one is asked for."""
GUESSES = ("{text}", "{question}\n{answer}", "{prompt}\n{completion}", "{question}", "{prompt}")
"""Templates to try if the user gives none."""
FIELDS = {
    "question": ("question", "prompt", "text"),
    "answer": ("answer", "completion"),
    "passage": ("passage", "context"),
}
"""The fields of a reference's parts to try, in this order, if the user names none."""
SAMPLES = pa.schema(
    [
        pa.field("benchmark", pa.string(), nullable=False),
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("text", pa.large_string(), nullable=False),
    ]
)
REFERENCES = pa.schema(
    [*SAMPLES, *(pa.field(name, pa.large_string(), nullable=False) for name in ("answer", "passage"))]
)
"""Samples whose ``text`` is a question; the answer and the passage may be empty."""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """The samples of a benchmark, in the order of its file. With answers and passages, the texts are questions."""

    name: str
    template: str
    sample_ids: tuple[str, ...]
    texts: tuple[str, ...]
    answers: tuple[str, ...] | None = None
    passages: tuple[str, ...] | None = None


def verbalise(
    name: str, rows: Iterable[tuple[int, Mapping[str, Any]]], template: str | None, id_field: str | None
) -> Benchmark:
    """The samples of the benchmark ``name`` from its rows, each with its number.

    The template's placeholders are fields, such as ``{question}``; without a template, the first of GUESSES that the
    first row has the fields for. A sample without an id is named by its row's number. Raises UserError for a template
    without a field, for a row without a field of the template, and for an id that occurs twice.
    """
    if template is not None and not placeholders(template, FIELD):
        raise UserError(
            f"the template {template!r} has no field in braces: write the fields of a row, such as {{question}}"
        )
    ids: dict[str, int] = {}
    texts = []
    for number, row in rows:
        template = template or _guess(name, row)
        held = {field: _text(name, number, row, field) for field in sorted(placeholders(template, FIELD))}
        texts.append(fill_in(template, held, FIELD))
        _add_id(ids, name, number, row, id_field)
    return Benchmark(name=name, template=template or "", sample_ids=tuple(ids), texts=tuple(texts))


def take_apart(
    name: str, rows: Iterable[tuple[int, Mapping[str, Any]]], fields: Mapping[str, str | None], id_field: str | None
) -> Benchmark:
    """The references of the benchmark ``name`` from its rows, each with its number.

    ``fields`` names the fields of the question, the answer and the passage. Instead of None, the first of FIELDS that a
    row has is taken; an answer or a passage without such a field is empty. Raises UserError for a row without a named
    field or without a question, and for an id that occurs twice.
    """
    ids: dict[str, int] = {}
    parts: dict[str, list[str]] = {part: [] for part in FIELDS}
    for number, row in rows:
        for part, texts in parts.items():
            field = fields.get(part) or next(filter(row.__contains__, FIELDS[part]), None)
            if part == "question" and field is None:
                raise UserError(
                    f"{name}, row {number:,} has no field question, prompt or text: name the field of its "
                    f"question ({_fields(row)})"
                )
            texts.append("" if field is None else _text(name, number, row, field))
        _add_id(ids, name, number, row, id_field)
    named = {part: (field,) if (field := fields.get(part)) else FIELDS[part] for part in FIELDS}
    return Benchmark(
        name=name,
        template=", ".join(f"{part}: {' or '.join(each)}" for part, each in named.items()),
        sample_ids=tuple(ids),
        texts=tuple(parts["question"]),
        answers=tuple(parts["answer"]),
        passages=tuple(parts["passage"]),
    )


def samples_table(benchmarks: Iterable[Benchmark]) -> pa.Table:
    """The samples of all benchmarks as a table with the columns SAMPLES, or REFERENCES if they have answers and
    passages."""
    tables = []
    for each in benchmarks:
        columns = [[each.name] * len(each.texts), list(each.sample_ids), list(each.texts)]
        if each.answers is None or each.passages is None:
            tables.append(pa.table(columns, schema=SAMPLES))
        else:
            tables.append(pa.table([*columns, list(each.answers), list(each.passages)], schema=REFERENCES))
    return pa.concat_tables(tables or [SAMPLES.empty_table()]).combine_chunks()


def _guess(name: str, row: Mapping[str, Any]) -> str:
    for template in GUESSES:
        if placeholders(template, FIELD) <= row.keys():
            return template
    raise UserError(f"{name} has no field text, question or prompt: give a template of its fields ({_fields(row)})")


def _fields(row: Mapping[str, Any]) -> str:
    fields = sorted(map(str, row))
    return and_more(fields[:10], len(fields))


def _text(name: str, number: int, row: Mapping[str, Any], field: str) -> str:
    if field not in row:
        raise UserError(
            f"{name}, row {number:,} has no field {field}, which is asked for: its fields are {_fields(row)}"
        )
    value = row[field]
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return "\n".join(value)
    if value is None or isinstance(value, int | float):
        return "" if value is None else str(value)
    raise UserError(f"{name}, row {number:,}: field {field} is not a text, a number or a list of texts")


def _add_id(ids: dict[str, int], name: str, number: int, row: Mapping[str, Any], id_field: str | None) -> None:
    """Adds the id of a row, with the row's number, to the ids of its benchmark."""
    sample_id = _sample_id(name, number, row, id_field)
    if sample_id in ids:
        raise UserError(
            f"{name}: rows {ids[sample_id]:,} and {number:,} have the same id {sample_id!r}: give each row its own "
            "id, or name another field of ids"
        )
    ids[sample_id] = number


def _sample_id(name: str, number: int, row: Mapping[str, Any], id_field: str | None) -> str:
    value = row.get(id_field or ID)
    if value is None and id_field is not None:
        raise UserError(f"{name}, row {number:,} has no {id_field}: name a field of ids that every row has")
    if isinstance(value, str) and value:
        return value
    return str(number if value is None or isinstance(value, bool | list | dict | str) else value)
