"""Reads the signals and the verdicts of a finished folder, a unit at a time and without a text."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.engine.taken_down import STAGE as TAKEDOWN
from curation.filters.rules import Rule, failures
from curation.release.folder import Folder
from curation.release.ledger import Amount
from curation.release.manifest import SITE_REJECTS, Manifest
from curation.release.shards import read_shard, shard_columns, shard_name
from curation.routing import Key
from schemas import SIGNALS

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
PLACE = ("file", "offset")
_AMOUNTS = ("read_bytes", "words")
_KEY = ["stage", "reason"]


@dataclass(frozen=True)
class StoredVerdicts:
    """The documents of a unit, but for those that a takedown removed: first those that failed a filter, then those that
    passed all filters, each in the order in which they were read."""

    places: pa.Table
    """The file and offset of each document."""
    sizes: Ints
    """Bytes of the texts as read."""
    words: Ints
    signals: pa.Table
    """Those of the wanted signals that the corpus holds."""
    first: dict[Key, Flags]
    """Which documents the run removed for a rule, the first that they failed, by stage and reason."""
    failed: dict[Key, Flags]
    """Which documents failed a rule in the run; without lists, `first`."""
    later: dict[Key, Flags]
    """Which documents passed the filters, and were removed by a later stage, such as deduplication."""
    taken_down: dict[Key, Amount]
    """Documents, bytes and words that takedowns removed."""
    judged: dict[Rule, Flags] = field(default_factory=dict)
    """The results of `fails`, which several recipes ask for."""

    def __len__(self) -> int:
        return len(self.sizes)

    def fails(self, rule: Rule) -> Flags | None:
        """Which documents fail a rule by the stored signals; None if the corpus does not hold the rule's signal."""
        if rule not in self.judged:
            if rule.signal not in self.signals.column_names:
                return None
            column = self.signals[rule.signal].combine_chunks()
            self.judged[rule] = failures(pa.RecordBatch.from_arrays([column], [rule.signal]), [rule])[:, 0]
        return self.judged[rule]


def stored_signals(folder: Folder, manifest: Manifest) -> tuple[str, ...]:
    """The names of the signals that a finished folder holds."""
    if not manifest.recipe["signals"] or not manifest.units:
        return ()
    return tuple(name for name in shard_columns(folder, shard_name("signals", 0)) if name not in SIGNALS.columns.names)


def stored_unit(folder: Folder, manifest: Manifest, unit: int, held: Sequence[str], lists: bool) -> StoredVerdicts:
    """The documents of a unit, with the signals ``held``. Reading the lists of all rules that documents failed takes as
    long as all other columns together."""
    names = [*PLACE, *_AMOUNTS]
    removed, down = _rejects(folder, shard_name("rejects/filters", unit), ["failed"] if lists else [])
    passed = [read_shard(folder, shard_name("sketches", unit), names)]
    later = [read_shard(folder, shard_name("rejects/duplicates", unit), [*PLACE, *_KEY])]
    if shard_name(SITE_REJECTS, unit) in manifest.files:
        of_sites, down_with_sites = _rejects(folder, shard_name(SITE_REJECTS, unit), [])
        passed.append(of_sites.select(names))
        later.append(of_sites.select([*PLACE, *_KEY]))
        down = pa.concat_tables([down.select(down_with_sites.column_names), down_with_sites])
    both = pa.concat_tables([removed.select(names), *passed]).combine_chunks()
    places, dropped = both.select(PLACE), pa.concat_tables(later).combine_chunks()
    signals = pa.table({})
    if held:
        measured = read_shard(folder, shard_name("signals", unit), [*PLACE, *held])
        signals = measured.select(list(held)).take(pa.array(rows_of(places, measured)))
    sizes, words = (both[name].to_numpy() for name in _AMOUNTS)
    first = _by_key(removed, np.arange(len(removed)), len(both))
    return StoredVerdicts(
        places=places,
        sizes=sizes,
        words=words,
        signals=signals,
        first=first,
        failed=_failed(removed, len(both)) if lists else first,
        later=_by_key(dropped, rows_of(dropped, places), len(both)),
        taken_down=_amounts(down.combine_chunks()),
    )


def _rejects(folder: Folder, name: str, more: list[str]) -> tuple[pa.Table, pa.Table]:
    """The rejects of a shard, and those that takedowns removed, apart."""
    rows = read_shard(folder, name, [*PLACE, *_AMOUNTS, *_KEY, *more]).combine_chunks()
    down = pc.equal(rows["stage"], TAKEDOWN)
    return rows.filter(pc.invert(down)).combine_chunks(), rows.filter(down).combine_chunks()


def _amounts(rows: pa.Table) -> dict[Key, Amount]:
    """The documents, bytes and words of each stage and reason."""
    found = dict[Key, Amount]()
    for key, chosen in _by_key(rows, np.arange(len(rows)), len(rows)).items():
        size, words = (int(rows[name].to_numpy()[chosen].sum()) for name in _AMOUNTS)
        found[key] = int(chosen.sum()), size, words
    return found


def _failed(removed: pa.Table, count: int) -> dict[Key, Flags]:
    """The documents that failed each rule; the first ``len(removed)`` of ``count`` documents failed some."""
    lists = removed["failed"].combine_chunks()
    rows = pc.list_parent_indices(lists).to_numpy()
    entries = lists.flatten()
    table = pa.table({name: entries.field(name) for name in _KEY})
    return _by_key(table, rows, count)


def _by_key(table: pa.Table, rows: Ints, count: int) -> dict[Key, Flags]:
    """The numbered rows of each stage and reason, as flags for ``count`` documents."""
    keys = table.select(_KEY)
    found: dict[Key, Flags] = {}
    for each in keys.group_by(_KEY).aggregate([]).to_pylist():
        chosen = pc.and_(pc.equal(keys["stage"], each["stage"]), pc.equal(keys["reason"], each["reason"]))
        flags = np.zeros(count, np.bool_)
        flags[rows[np.asarray(chosen)]] = True
        found[each["stage"], each["reason"]] = flags
    return found


def rows_of(wanted: pa.Table, places: pa.Table) -> Ints:
    """For each wanted place (file, offset) its row in ``places``, which holds all of them."""
    files = pa.chunked_array([*wanted["file"].chunks, *places["file"].chunks]).dictionary_encode().combine_chunks()
    codes = files.indices.to_numpy().astype(np.int64)
    offsets = np.concatenate([wanted["offset"].to_numpy(), places["offset"].to_numpy()])
    if len(offsets) and int(offsets.max() + 1) * (len(files.dictionary) + 1) >= 1 << 63:
        offsets = np.unique(offsets, return_inverse=True)[1]
    keys = codes * (offsets.max(initial=0) + 1) + offsets
    sought, known = keys[: len(wanted)], keys[len(wanted) :]
    order = np.argsort(known, kind="stable")
    return np.asarray(order[np.searchsorted(known[order], sought)])
