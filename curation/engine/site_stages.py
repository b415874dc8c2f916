"""The stages that find the sites to remove: units send sums by host to partitions of hosts, which send back which hosts
are removed."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from curation.engine.blobs import from_blob, to_blob
from curation.engine.dedup_stages import Blobs, Routed
from curation.engine.run import Run, hosts_name
from curation.recipe import Recipe
from curation.sites.evidence import add_up, decide, document_sums, sites_schema, sums_schema
from curation.sites.settings import Sites

MERGED_ROWS = 1 << 16
"""Sums are added up when more rows than these, plus twice the rows of the last total, were gathered after it."""


class HostSums:
    """Adds up the documents of a unit by host."""

    def __init__(self, recipe: Recipe):
        self._settings, self._signals = settings_of(recipe), recipe.site_signals
        self._sums, self._rows = [sums_schema(self._settings).empty_table()], 0

    def add(self, rows: pa.RecordBatch, signals: pa.RecordBatch) -> None:
        """Adds documents (PASSED) with their signals."""
        matches = [signals[self._signals[kind]] for kind in self._settings.kinds]
        sums = document_sums(rows["url"], rows["words"], matches, self._settings)
        self._sums.append(sums)
        self._rows += len(sums)
        if self._rows > MERGED_ROWS + 2 * len(self._sums[0]):
            self._sums, self._rows = [self.total()], 0

    def total(self) -> pa.Table:
        return add_up(self._sums, self._settings)


def settings_of(recipe: Recipe) -> Sites:
    assert recipe.sites is not None, "no sites are removed"
    return recipe.sites


def write_sums(run: Run, unit: int, sums: pa.Table) -> None:
    """Writes the sums by host of a unit of the input to the run's folder."""
    with run.folder.writing(hosts_name(unit)) as stream, pa.ipc.new_file(stream, sums.schema) as file:
        file.write_table(sums)


def host_sums(run: Run, unit: int) -> Routed:
    """The sums by host of a unit, numbered as in the stages, each with the number of the unit, routed by host."""
    with run.folder.reading(hosts_name(unit - run.first)) as stream:
        sums = pa.ipc.open_file(stream).read_all().combine_chunks()
    sums = sums.append_column("unit", pa.array(np.full(len(sums), unit)))
    hosts = sums["host"].cast(pa.binary()).to_pylist()
    to = np.array([xxhash.xxh3_64_intdigest(host) % run.partitions for host in hosts], np.int64)
    for partition in np.unique(to):
        yield int(partition), _blob(sums.filter(pa.array(to == partition)))


def decided_hosts(run: Run, blobs: Blobs) -> Routed:
    """The evidence on the hosts of a partition (`sites_schema`), routed to units. The first unit with documents of a
    host writes the evidence on it (column ``owned``); the evidence on a removed host goes to all units with its
    documents."""
    if not blobs:
        return
    settings = settings_of(run.job.recipe)
    rows = pa.Table.from_batches([from_blob(blob) for blob in blobs])
    decided = decide(add_up([rows.drop_columns("unit")], settings), settings)
    units = rows["unit"].to_numpy()
    at = pc.index_in(rows["host"], decided["host"].combine_chunks()).to_numpy()
    first = np.full(len(decided), np.iinfo(np.int64).max)
    np.minimum.at(first, at, units)
    owned, removed = first[at] == units, decided["removed"].to_numpy()[at]
    for unit in np.unique(units[owned | removed]):
        chosen = (units == unit) & (owned | removed)
        found = decided.take(pa.array(at[chosen]))
        yield int(unit), _blob(found.append_column("owned", pa.array(owned[chosen])))


def unit_hosts(run: Run, blobs: Blobs) -> pa.Table:
    """The evidence on hosts of a unit that `decided_hosts` sent to it, sorted by host."""
    schema = sites_schema(settings_of(run.job.recipe)).append(pa.field("owned", pa.bool_()))
    found = [pa.Table.from_batches([from_blob(blob)]).cast(schema) for blob in blobs]
    return pa.concat_tables([schema.empty_table(), *found]).sort_by("host").combine_chunks()


def _blob(table: pa.Table) -> bytes:
    [batch] = table.combine_chunks().to_batches()
    return to_blob(batch)
