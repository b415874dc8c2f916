"""Benchmarks: rows that a template turns into samples, the texts to search for."""

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
SAMPLES = pa.schema(
    [
        pa.field("benchmark", pa.string(), nullable=False),
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("text", pa.large_string(), nullable=False),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """The samples of a benchmark, in the order of its file."""

    name: str
    template: str
    sample_ids: tuple[str, ...]
    texts: tuple[str, ...]


def verbalise(
    name: str, rows: Iterable[tuple[int, Mapping[str, Any]]], template: str | None, id_field: str | None
) -> Benchmark:
    """The samples of the benchmark ``name`` from its rows, each with its number.

    The template's placeholders are fields, such as ``{question}``; without a template, the first of GUESSES that the
    first row has the fields for. A sample without an id is named by its row's number. Raises UserError for a row
    without a field of the template, and for an id that occurs twice.
    """
    ids: dict[str, int] = {}
    texts = []
    for number, row in rows:
        template = template or _guess(name, row)
        held = {field: _text(name, number, row, field) for field in sorted(placeholders(template, FIELD))}
        texts.append(fill_in(template, held, FIELD))
        sample_id = _sample_id(name, number, row, id_field)
        if sample_id in ids:
            raise UserError(
                f"{name}: rows {ids[sample_id]:,} and {number:,} have the same id {sample_id!r}: give each row its own "
                "id, or name another field as --id-field"
            )
        ids[sample_id] = number
    return Benchmark(name=name, template=template or "", sample_ids=tuple(ids), texts=tuple(texts))


def samples_table(benchmarks: Iterable[Benchmark]) -> pa.Table:
    """The samples of all benchmarks as a table with the columns SAMPLES."""
    parts = [
        pa.table([[each.name] * len(each.texts), list(each.sample_ids), list(each.texts)], schema=SAMPLES)
        for each in benchmarks
    ]
    return pa.concat_tables([SAMPLES.empty_table(), *parts]).combine_chunks()


def _guess(name: str, row: Mapping[str, Any]) -> str:
    for template in GUESSES:
        if placeholders(template, FIELD) <= row.keys():
            return template
    fields = sorted(map(str, row))
    raise UserError(
        f"{name} has no field text, question or prompt: give a --template of its fields "
        f"({and_more(fields[:10], len(fields))})"
    )


def _text(name: str, number: int, row: Mapping[str, Any], field: str) -> str:
    if field not in row:
        fields = sorted(map(str, row))
        raise UserError(
            f"{name}, row {number:,} has no field {field}, which the template asks for: "
            f"its fields are {and_more(fields[:10], len(fields))}"
        )
    value = row[field]
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return "\n".join(value)
    if value is None or isinstance(value, int | float):
        return "" if value is None else str(value)
    raise UserError(f"{name}, row {number:,}: field {field} is not a text, a number or a list of texts")


def _sample_id(name: str, number: int, row: Mapping[str, Any], id_field: str | None) -> str:
    value = row.get(id_field or ID)
    if value is None and id_field is not None:
        raise UserError(f"{name}, row {number:,} has no {id_field}: name a field that every row has as --id-field")
    if isinstance(value, str) and value:
        return value
    return str(number if value is None or isinstance(value, bool | list | dict | str) else value)
