"""Adds up the personal information of each host's documents, and decides by the sums which hosts are removed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.filters.hosts import hosts_of
from curation.sites.settings import Sites
from schemas import SITES

STEPS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
"""The lower ends of the steps by which densities are counted, in matches per 1,000 words."""


@dataclass(frozen=True)
class DensityCount:
    """The number of hosts with densities from ``at_least`` up to the next step, and of their documents."""

    at_least: float
    hosts: int
    documents: int


@dataclass(frozen=True, kw_only=True)
class SitesReport:
    """How many hosts have documents that passed the filters, how many of the hosts have at least ``min_documents``, and
    how many were removed. ``densities`` counts the hosts with at least ``min_documents``, without steps of density that
    have no host."""

    hosts: int
    large_enough: int
    removed: int
    densities: tuple[DensityCount, ...]


def sums_schema(settings: Sites) -> pa.Schema:
    """The columns of sums: host, documents, words, and the matches of each kind."""
    counted = ("documents", "words", *settings.kinds)
    return pa.schema([pa.field("host", pa.string()), *(pa.field(name, pa.int64()) for name in counted)])


def document_sums(urls: pa.Array, words: pa.Array, matches: Sequence[pa.Array], settings: Sites) -> pa.Table:
    """The sums of documents by host, without documents that have no host. ``matches`` has a column of counts for each
    of the settings' kinds."""
    columns = [hosts_of(urls), np.ones(len(urls), np.int64), words, *matches]
    schema = sums_schema(settings)
    arrays = [pa.array(column).cast(field.type) for column, field in zip(columns, schema, strict=True)]
    rows = pa.Table.from_arrays(arrays, schema=schema)
    return add_up([rows.filter(rows["host"].is_valid())], settings)


def add_up(sums: Iterable[pa.Table], settings: Sites) -> pa.Table:
    """The total of several tables of sums, with a row for each host, sorted by host."""
    schema = sums_schema(settings)
    rows = pa.concat_tables([schema.empty_table(), *sums])
    names = schema.names[1:]
    grouped = rows.group_by("host", use_threads=False).aggregate([(name, "sum") for name in names])
    return grouped.select(["host", *(f"{name}_sum" for name in names)]).rename_columns(schema.names).sort_by("host")


def sites_schema(settings: Sites) -> pa.Schema:
    """SITES, with the matches of each kind."""
    kinds = [pa.field(kind, pa.int64(), nullable=False) for kind in settings.kinds]
    return pa.schema([*SITES.columns, *kinds], metadata=SITES.schema.metadata)


def decide(sums: pa.Table, settings: Sites) -> pa.Table:
    """The evidence on each host (`sites_schema`), from the sums over the corpus: its density, and whether it is
    removed."""
    matches = sum((sums[kind].to_numpy() for kind in settings.kinds), np.zeros(len(sums), np.int64))
    words, documents = sums["words"].to_numpy(), sums["documents"].to_numpy()
    density = 1000 * matches / np.maximum(words, 1)
    removed = (density > settings.per_thousand_words) & (documents >= settings.min_documents)
    found: dict[str, Any] = {name: sums[name] for name in sums.column_names}
    found |= {"matches": pa.array(matches), "per_thousand_words": pa.array(density), "removed": pa.array(removed)}
    schema = sites_schema(settings)
    return pa.Table.from_arrays([found[name] for name in schema.names], schema=schema)


def report(decided: pa.Table, settings: Sites) -> SitesReport:
    """The report on the hosts of a table of evidence."""
    enough = decided.filter(pc.greater_equal(decided["documents"], settings.min_documents))
    step = np.searchsorted(np.array(STEPS), enough["per_thousand_words"].to_numpy(), side="right") - 1
    documents = enough["documents"].to_numpy()
    counts = [
        DensityCount(STEPS[each], int((step == each).sum()), int(documents[step == each].sum()))
        for each in np.unique(step).tolist()
    ]
    removed = pc.sum(decided["removed"]).as_py() or 0
    return SitesReport(hosts=len(decided), large_enough=len(enough), removed=removed, densities=tuple(counts))


def merge_reports(reports: Iterable[SitesReport]) -> SitesReport:
    """The report on the hosts of several reports, which have no host in common."""
    found = list(reports)
    counts: dict[float, DensityCount] = {}
    for each in (count for one in found for count in one.densities):
        known = counts.get(each.at_least, DensityCount(each.at_least, 0, 0))
        counts[each.at_least] = DensityCount(each.at_least, known.hosts + each.hosts, known.documents + each.documents)
    return SitesReport(
        hosts=sum(each.hosts for each in found),
        large_enough=sum(each.large_enough for each in found),
        removed=sum(each.removed for each in found),
        densities=tuple(counts[step] for step in sorted(counts)),
    )
