"""Vectors from the peers' own tests: an input, the settings, and what the peer's code makes of them.

A table says for each peer and function how our steps express it: a function that returns our values under the names of
the vector's expectations (a verdict ``keep``, a measured ``value``, a rewritten ``text``, ...), or the reason why it is
out of scope.
"""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from curation.filters.rules import failures
from curation.recipe import Filter, Rewrite

MEANING = 1e-6
"""The relative difference below which two measured values are the same: our signals are 32-bit floats."""


@dataclass(frozen=True)
class Vector:
    """One call of a peer's test. ``text`` is None if the test's input cannot be told from its source."""

    id: str
    peer: str
    function: str
    family: str
    params: Mapping[str, Any]
    text: Any
    url: str | None
    expected: Mapping[str, Any]


Express = Callable[[Vector], Mapping[str, Any] | str]
"""Our values for a vector, or the reason why this vector alone is out of scope."""
Table = Mapping[tuple[str, str], Express | str]
"""By peer and function: how it is expressed, or why it is out of scope."""


def read_vectors(shared: Path, families: Iterable[str] | None = None) -> list[Vector]:
    """The vectors of these families, or all, in the order of their ids."""
    with gzip.open(shared / "data" / "peers" / "vectors.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    wanted = None if families is None else set(families)
    return [
        Vector(
            id=row["id"],
            peer=row["peer"],
            function=row["fn"],
            family=row["family"],
            params=row["params"],
            text=row.get("input"),
            url=row.get("url"),
            expected=row["expected"],
        )
        for row in rows
        if wanted is None or row["family"] in wanted
    ]


@dataclass(frozen=True)
class Comparison:
    """What came of the vectors of a table: those that agree, those that differ (with both sides), those that are out of
    scope (with the reason)."""

    agree: tuple[Vector, ...]
    differ: Mapping[str, str]
    out_of_scope: Mapping[str, str]

    def summary(self) -> str:
        return f"{len(self.agree)} agree, {len(self.differ)} differ, {len(self.out_of_scope)} are out of scope"


def compare(vectors: Iterable[Vector], table: Table) -> Comparison:
    """Compares our values with what the peers expect. A function that the table lacks is a KeyError."""
    agree, differ, out_of_scope = [], {}, {}
    for vector in vectors:
        express = table[vector.peer, vector.function]
        if isinstance(express, str):
            out_of_scope[vector.id] = express
        elif vector.text is None and vector.url is None:
            out_of_scope[vector.id] = "the vector has no input"
        else:
            ours = express(vector)
            if isinstance(ours, str):
                out_of_scope[vector.id] = ours
                continue
            wrong = list(_differences(ours, vector.expected))
            if wrong:
                differ[vector.id] = f"{vector.peer} {vector.function}: {'; '.join(wrong)}"
            else:
                agree.append(vector)
    return Comparison(tuple(agree), differ, out_of_scope)


def _differences(ours: Mapping[str, Any], expected: Mapping[str, Any]) -> Iterator[str]:
    shared_names = ours.keys() & expected.keys()
    if not shared_names:
        yield f"nothing to compare: {dict(ours)} with {dict(expected)}"
    for name in sorted(shared_names):
        value, wanted = ours[name], expected[name]
        if isinstance(wanted, float | int) and isinstance(value, float | int) and not isinstance(wanted, bool):
            same = value == pytest.approx(wanted, rel=MEANING, abs=MEANING)
        else:
            same = value == wanted
        if not same:
            yield f"{name} is {value!r}, not {wanted!r}"


def batch_of_one(text: str, url: str | None = None) -> pa.RecordBatch:
    """A batch of one document."""
    return pa.RecordBatch.from_arrays(
        [pa.array([text], pa.large_string()), pa.array([url], pa.string())], ["text", "url"]
    )


def measured(step: Filter, text: str, url: str | None = None) -> dict[str, Any]:
    """The signals of one text."""
    row: dict[str, Any] = step.measure(batch_of_one(text, url)).to_pylist()[0]
    return row


def failed(step: Filter, text: str, url: str | None = None) -> list[str]:
    """The reasons of the rules that one text fails."""
    rules = step.rules()
    verdicts = failures(step.measure(batch_of_one(text, url)), rules)[0]
    return [rule.reason for rule, fails in zip(rules, verdicts, strict=True) if fails]


def rewritten(step: Rewrite, text: str) -> str:
    """One text after a rewrite."""
    result: str = step.rewrite(pa.array([text], pa.large_string()))[0].as_py()
    return result
