"""Reports how similar the near-duplicates that a run removed are to their survivors, and where they come from."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.filters.hosts import hosts_of

BINS = 20
"""Similarities are counted in steps of a twentieth."""
UNIT_HOSTS, SHOWN_HOSTS = 1_000, 20
"""Maximum number of hosts in the report of a unit, and in the manifest, which have the hosts with the most removals.
The manifest's counts are exact if no unit has more than UNIT_HOSTS hosts; otherwise they may be too low."""


@dataclass(frozen=True, kw_only=True)
class NearReport:
    """Counts of removed near-duplicates: by the similarity to their survivor (a key is the lower end of a step of 0.05,
    such as "0.65"; ``measure`` says how it was measured), by source, and by host, the most frequent hosts first."""

    removed: int
    measure: Literal["exact", "signature"]
    similarity: Mapping[str, int]
    sources: Mapping[str, int]
    hosts: Mapping[str, int]


class NearCounts:
    """Counts removed near-duplicates for a `NearReport`."""

    def __init__(self) -> None:
        self._similarity, self._sources, self._hosts = Counter[str](), Counter[str](), Counter[str]()

    def add(self, similarity: npt.NDArray[np.float64], sources: pa.Array, urls: pa.Array) -> None:
        """Counts documents; NaN is an unknown similarity, which only the total counts."""
        known = similarity[~np.isnan(similarity)]
        steps, counts = np.unique(np.floor(known * BINS + 1e-9).astype(np.int64), return_counts=True)
        for step, count in zip(steps.tolist(), counts.tolist(), strict=True):
            self._similarity[f"{step / BINS:.2f}"] += count
        self._sources.update(_counted(sources))
        self._hosts.update(_counted(hosts_of(urls)))

    def merge(self, report: NearReport) -> None:
        for own, other in (
            (self._similarity, report.similarity),
            (self._sources, report.sources),
            (self._hosts, report.hosts),
        ):
            own.update(other)

    def report(self, measure: Literal["exact", "signature"], most_hosts: int) -> NearReport:
        hosts = sorted(self._hosts.items(), key=lambda entry: (-entry[1], entry[0]))[:most_hosts]
        return NearReport(
            removed=self._sources.total(),
            measure=measure,
            similarity=dict(sorted(self._similarity.items())),
            sources=dict(sorted(self._sources.items())),
            hosts=dict(hosts),
        )


def merged(reports: Iterable[NearReport | None]) -> NearReport | None:
    """The report of a run, from the reports of its units; None if no unit has a report."""
    found = [report for report in reports if report is not None]
    if not found:
        return None
    counts = NearCounts()
    for report in found:
        counts.merge(report)
    return counts.report(found[0].measure, SHOWN_HOSTS)


def _counted(column: pa.Array) -> dict[str, int]:
    return {entry["values"]: entry["counts"] for entry in pc.value_counts(column.drop_null()).to_pylist()}
