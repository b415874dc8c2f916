"""The pass over a unit that rejects the documents of removed sites, between the first pass and the search for
duplicates."""

from contextlib import ExitStack

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.engine.dedup_stages import Blobs
from curation.engine.reading_pass import PASSED
from curation.engine.run import Run, filtered_name, filtered_sketches_name, passed_name, sites_removed_name
from curation.engine.site_stages import settings_of, unit_hosts
from curation.engine.unit_reports import SitesRemovedReport
from curation.filters.hosts import hosts_of
from curation.release.ledger import Ledger
from curation.release.manifest import SITE_REJECTS
from curation.release.shards import ShardWriter, row_groups, shard_name
from curation.sites.evidence import report, sites_schema
from curation.sites.settings import REASON, STAGE
from schemas import FAILED, REJECTS, SITES, SKETCHES


def remove_sites(run: Run, unit: int, blobs: Blobs) -> None:
    """Rejects the documents of removed sites among those of a unit that passed the filters, and passes on all others;
    writes the evidence on the unit's hosts, and then a report. ``blobs`` have the evidence on hosts that
    `decided_hosts` sent to the unit.

    Raises FileNotFoundError if another attempt at this unit has finished.
    """
    number, settings = unit - run.first, settings_of(run.job.recipe)
    hosts = unit_hosts(run, blobs)
    owned, removed = hosts.filter(hosts["owned"]).drop_columns("owned"), hosts.filter(hosts["removed"])
    ledger = Ledger()
    with ExitStack() as open_files:

        def shard(table: str, schema: pa.Schema) -> ShardWriter:
            return open_files.enter_context(ShardWriter(run.folder, shard_name(table, number), schema))

        rejects, sketches = shard(SITE_REJECTS, REJECTS.schema), shard("sketches", SKETCHES.schema)
        evidence = shard(SITES.name, sites_schema(settings))
        for batch in owned.filter(pc.greater(owned["matches"], 0)).to_batches():
            evidence.write(batch)
        passed = open_files.enter_context(
            pa.ipc.new_file(open_files.enter_context(run.folder.writing(passed_name(number))), PASSED)
        )
        filtered = pa.ipc.open_file(open_files.enter_context(run.folder.reading(filtered_name(number))))
        rejected: list[npt.NDArray[np.bool_]] = [np.empty(0, bool)]
        for index in range(filtered.num_record_batches):
            batch = filtered.get_batch(index)
            density = _densities(batch["url"], removed)
            is_rejected = ~np.isnan(density)
            rejected.append(is_rejected)
            if is_rejected.any():
                lost = _rejects(batch.filter(pa.array(is_rejected)), density[is_rejected], run)
                rejects.write(lost)
                keys = [lost["source"], lost["stage"], lost["reason"]]
                ledger.count("rejected", keys, lost["read_bytes"].to_numpy(), lost["words"].to_numpy())
                batch = batch.filter(pa.array(~is_rejected))
            if len(batch):
                passed.write_batch(batch)
        left = ~np.concatenate(rejected)
        for start, batch in row_groups(run.folder, filtered_sketches_name(number), SKETCHES.columns.names):
            sketches.write(batch.filter(pa.array(left[start : start + len(batch)])).cast(SKETCHES.schema))
    done = SitesRemovedReport(
        ledger=ledger.report(),
        outputs={each.name: each.entry() for each in (rejects, sketches, evidence)},
        sites=report(owned, settings),
    )
    run.folder.write_json(sites_removed_name(number), done)
    for name in (filtered_name(number), filtered_sketches_name(number)):
        run.folder.remove(name)


def _densities(urls: pa.Array, removed: pa.Table) -> npt.NDArray[np.float64]:
    """The density of the removed host of each url; NaN if its host is not removed."""
    found = np.full(len(urls), np.nan)
    if len(removed):
        at = pc.index_in(hosts_of(urls), removed["host"].combine_chunks())
        there = at.is_valid().to_numpy(zero_copy_only=False)
        found[there] = removed["per_thousand_words"].to_numpy()[at.drop_null().to_numpy()]
    return found


def _rejects(rows: pa.RecordBatch, density: npt.NDArray[np.float64], run: Run) -> pa.RecordBatch:
    """REJECTS of the documents (PASSED) of removed sites."""
    columns: dict[str, object] = dict(zip(rows.schema.names, rows.columns, strict=True))
    if not run.job.rejects_text:
        columns["text"] = None
    stage, reason = (pa.repeat(name, len(rows)) for name in (STAGE, REASON))
    threshold = np.full(len(rows), settings_of(run.job.recipe).per_thousand_words)
    failed = pa.StructArray.from_arrays(
        [stage, reason, pa.array(density), pa.array(threshold)], fields=list(FAILED.value_type)
    )
    lists = pa.ListArray.from_arrays(pa.array(np.arange(len(rows) + 1, dtype=np.int32)), failed, type=FAILED)
    return REJECTS.batch({**columns, "stage": stage, "reason": reason, "failed": lists}, len(rows))
