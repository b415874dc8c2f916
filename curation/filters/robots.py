"""Applies the rules of robots.txt files (RFC 9309), which the user gives, to documents that were crawled before."""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from curation.filters.columns import batch_of, count
from curation.filters.hosts import host_of, named_host
from curation.filters.rules import Rule, active_rules
from curation.lists.list_files import column_of
from curation.lists.steps import ListStep
from schemas.errors import UserError
from schemas.settings import shown

_PARSED_AT_ONCE = 1 << 12


@dataclass(frozen=True, kw_only=True)
class Robots(ListStep):
    """Rejects documents whose url a site refuses to ``agent``. A missing url and an unlisted host fail no rule.

    A group of rules is chosen and a path is matched as Protego does, which follows Google's parser. A byte order mark
    before the rules does not count.
    """

    LISTS = ("robots",)
    use: Literal["robots"] = "robots"
    robots: tuple[str, ...] = ()
    """JSON objects with ``host`` and ``robots``, the text of the host's robots.txt; usually in a file, @file, with an
    object a line. The last object of a host counts."""
    agent: str = "CCBot"
    """The product token of the crawler whose rules count."""

    signals: ClassVar[pa.Schema] = pa.schema(
        [count("robots_refused", "whether robots.txt refuses the url; null if its host is not listed", 1)]
    )

    def __post_init__(self) -> None:
        if not self.agent.strip():
            raise UserError("robots.agent is empty: give the product token of a crawler, such as CCBot")

    def prepare(self) -> None:
        _places.cache_clear()
        _rules.cache_clear()
        _places(self)

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        places = _places(self)
        refused = np.zeros(len(batch), np.float64)
        known = np.zeros(len(batch), np.bool_)
        for row, url in enumerate(batch["url"].to_pylist() if places else []):
            url = (url or "").strip()
            place = places.get(host_of(url)) if url else None
            if place is not None:
                known[row] = True
                refused[row] = not _rules(self, place).can_fetch(url, self.agent)
        [column] = batch_of([refused], self.signals).columns
        null = pa.nulls(len(batch), column.type)
        return pa.RecordBatch.from_arrays([pc.if_else(pa.array(known), column, null)], schema=self.signals)

    def rules(self) -> tuple[Rule, ...]:
        return active_rules(Rule("robots", "robots_refused", at_most=0 if self.robots else None))


@cache
def _places(step: Robots) -> dict[str, int]:
    """The number of each host's entry."""
    entries = column_of(step.robots, step.use)
    return {_entry(entries[place].as_py())[0]: place for place in range(len(entries))}


@lru_cache(maxsize=_PARSED_AT_ONCE)
def _rules(step: Robots, place: int) -> Any:
    from protego import Protego

    return Protego.parse(_entry(column_of(step.robots, step.use)[place].as_py())[1])


def _entry(line: str) -> tuple[str, str]:
    """The host and the robots.txt of an entry."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in ("host", "robots")):
        raise UserError(
            f'robots.robots has {shown(line)}: give {{"host": "mill.example", "robots": "User-agent: ..."}}'
        )
    return named_host(found["host"]), found["robots"].removeprefix("\ufeff")
