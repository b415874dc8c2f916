"""The numbers of a report, each with how it was made and the votes that it was made from."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from annotation.statistics.clusters import Interval
from schemas.evaluation import NUMBERS


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number of a report, as the table NUMBERS describes it. ``number`` is 0 until `numbered`."""

    number: int = 0
    section: str
    source: str
    voters: str
    measure: str
    model: str | None = None
    opponent: str | None = None
    kind: str = "all"
    group: str = ""
    value: float | None
    low: float | None = None
    high: float | None = None
    error: float | None = None
    iid_error: float | None = None
    least: float | None = None
    most: float | None = None
    votes: int
    prompts: int | None = None
    raters: int | None = None
    clustered: str | None = None
    method: str
    left_out: str = ""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The rows of a table of the report that a number was made from: those that have one of the given values in each
    column of ``where``, and whose item is in each of the sources ``in_all``. Rows whose value in ``column`` is
    ``left_out`` belong to the number, but do not count."""

    table: str = "votes"
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    column: str = "outcome"
    left_out: tuple[str, ...] = ()
    in_all: tuple[str, ...] = ()

    def rows(self, table: pa.Table) -> pa.Table:
        """The rows, in the order of the table, with a further column ``counts``."""
        for column, values in self.where.items():
            texts = table[column].cast(pa.string())
            table = table.filter(pc.is_in(texts, value_set=pa.array(values, pa.string())))
        counts = pc.invert(pc.is_in(table[self.column], value_set=pa.array(self.left_out, pa.string())))
        table = table.append_column("counts", counts)
        known = [table.filter(pc.and_(pc.equal(table["source"], source), counts)) for source in self.in_all]
        for each in known:
            items = each["item"].combine_chunks()
            table = table.filter(pc.is_in(table["item"], value_set=items, skip_nulls=True))
        return table


@dataclass(frozen=True)
class Traced:
    """A number and its origin."""

    number: Number
    origin: Origin


def of_interval(found: Interval, origin: Origin, **about: Any) -> Traced:
    """The number of an interval. ``about`` are further fields of Number."""
    names = ("value", "low", "high", "error", "iid_error", "votes", "prompts", "clustered", "method")
    estimate = {name: getattr(found, name) for name in names}
    return Traced(Number(**{**estimate, "raters": found.raters or None, **about}), origin)


def numbered(found: Iterable[Traced]) -> list[Traced]:
    """The numbers, counted from 1 in their order."""
    return [
        Traced(dataclasses.replace(each.number, number=place), each.origin) for place, each in enumerate(found, start=1)
    ]


def table_of(numbers: Iterable[Traced]) -> pa.Table:
    """The table NUMBERS."""
    rows = [{**vars(each.number), "origin": _origin_row(each.origin)} for each in numbers]
    return pa.Table.from_pylist(rows, NUMBERS.schema)


def numbers_of(table: pa.Table) -> list[Traced]:
    """The numbers of a table NUMBERS."""
    found = []
    for row in table.to_pylist():
        held = row.pop("origin")
        where = {each["column"]: tuple(each["values"]) for each in held["where"]}
        lists = {name: tuple(held[name]) for name in ("left_out", "in_all")}
        origin = Origin(table=held["table"], column=held["column"], where=where, **lists)
        found.append(Traced(Number(**row), origin))
    return found


def _origin_row(origin: Origin) -> dict[str, Any]:
    where = [{"column": column, "values": list(values)} for column, values in origin.where.items()]
    return {
        "table": origin.table,
        "where": where,
        "column": origin.column,
        "left_out": list(origin.left_out),
        "in_all": list(origin.in_all),
    }
