"""The stages of deduplication over packed records and the units' sketches: plain functions, no Beam.

Each takes a key (a unit or a partition) and the blobs grouped under it, and yields (key, blob) for the next stage.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from curation.dedup.bands import PAIR_WIDTH, bands_by_partition, candidates, similar
from curation.dedup.components import LINK_WIDTH, forest
from curation.dedup.edges import EDGE_WIDTH, Records, distinct, routed, row_ids, rows_of, units_of, unpack
from curation.dedup.groups import keys_by_partition, losers
from curation.dedup.removal import REQUEST_WIDTH, Removals, removals, requests
from curation.dedup.settings import Near
from curation.dedup.sketch import signature_values
from curation.run import Run
from curation.shards import read_shard

Blobs = list[bytes]
Routed = Iterator[tuple[int, bytes]]

SIMILARITY = {"url": np.nan, "exact": 1.0}
"""What is known of two documents with the same url or the same text before they are compared."""


def key_records(run: Run, unit: int, column: str, removed: list[Blobs]) -> Routed:
    """The hashes of a unit's documents that earlier stages left, routed by hash."""
    table = read_shard(run.folder, run.sketches(unit), [column, "rank"])
    hashes, rank = table[column].combine_chunks(), table["rank"].to_numpy()
    present = hashes.is_valid().to_numpy(zero_copy_only=False) & _left(len(table), unit, removed)
    rows = np.flatnonzero(present)
    halves = np.frombuffer(b"".join(hashes.take(pa.array(rows)).to_pylist()), np.uint64).reshape(-1, 2)
    records = np.column_stack([halves, rank[rows], row_ids(unit, rows)])
    yield from keys_by_partition(records, run.partitions)


def same_key(blobs: Blobs, kind: str) -> Routed:
    """Edges from the documents of one key to the best of them, routed to the units of those that lose."""
    found = losers(blobs, SIMILARITY[kind])
    yield from routed(units_of(found[:, 3]), found)


def band_records(run: Run, unit: int, removed: list[Blobs]) -> Routed:
    """The bands of a unit's documents that earlier stages left, routed by band key."""
    near = _near(run)
    column = read_shard(run.folder, run.sketches(unit), ["signature"])["signature"].combine_chunks()
    left = _left(len(column), unit, removed)
    values, present = signature_values(column, near)
    rows = np.flatnonzero(present & left)
    yield from bands_by_partition(values[left[present]], row_ids(unit, rows), near, run.partitions)


def bucket_pairs(blobs: Blobs) -> Routed:
    """The candidate pairs of one partition, routed to the unit of the first document."""
    pairs = candidates(blobs)
    yield from routed(units_of(pairs[:, 0]), pairs)


COMPARISON = pa.schema([("pair", pa.binary(16)), ("rank", pa.uint64()), ("signature", pa.large_binary())])


def first_signatures(run: Run, unit: int, blobs: Blobs) -> Routed:
    """The first documents' signatures of candidate pairs, sent to the units of the second documents."""
    pairs = distinct(unpack(blobs, PAIR_WIDTH))
    table = read_shard(run.folder, run.sketches(unit), ["rank", "signature"])
    to = units_of(pairs[:, 1])
    for target in np.unique(to):
        chosen = pairs[to == target]
        rows = pa.array(rows_of(chosen[:, 0]))
        packed = pa.Array.from_buffers(pa.binary(16), len(chosen), [None, pa.py_buffer(np.ascontiguousarray(chosen))])
        columns = [packed, table["rank"].take(rows).combine_chunks(), table["signature"].take(rows).combine_chunks()]
        yield int(target), _ipc(pa.RecordBatch.from_arrays(columns, schema=COMPARISON))


def compared(run: Run, unit: int, blobs: Blobs) -> Routed:
    """Edges between the pairs that are similar enough; the second document of each pair lies in this unit."""
    near = _near(run)
    table = read_shard(run.folder, run.sketches(unit), ["rank", "signature"])
    for blob in blobs:
        batch = _batch(blob)
        pairs = np.frombuffer(batch["pair"].buffers()[1], np.uint64).reshape(-1, PAIR_WIDTH)
        rows = pa.array(rows_of(pairs[:, 1]))
        left = np.column_stack([batch["rank"].to_numpy(), pairs[:, 0]])
        right = np.column_stack([table["rank"].take(rows).to_numpy(), pairs[:, 1]])
        mine = table["signature"].take(rows).combine_chunks()
        edges = similar(
            (left, signature_values(batch["signature"], near)[0]), (right, signature_values(mine, near)[0]), near
        )
        if len(edges):
            yield unit, edges.tobytes()


def links_of(edges: Blobs) -> bytes:
    """Edges without their similarity."""
    return unpack(edges, EDGE_WIDTH)[:, :LINK_WIDTH].tobytes()


def survivors(links: Blobs) -> Routed:
    """The forest over all links, routed to the units of the documents that go."""
    found = forest(unpack(links, LINK_WIDTH))
    yield from routed(units_of(found[:, 3]), found)


def by_both_ends(blobs: Blobs) -> Routed:
    """Edges, routed to the units of both documents."""
    edges = unpack(blobs, EDGE_WIDTH)
    first, second = units_of(edges[:, 1]), units_of(edges[:, 3])
    yield from routed(second, edges)
    yield from routed(first[first != second], edges[first != second])


def unit_removals(unit: int, groups: Mapping[str, Blobs]) -> Removals:
    return removals(unit, groups["survivor"], groups["url"], groups["exact"], groups["near"])


def name_requests(unit: int, groups: Mapping[str, Blobs]) -> Routed:
    """Requests for the names of survivors and neighbours, routed to the units that hold them."""
    wanted = requests(unit, unit_removals(unit, groups))
    yield from routed(units_of(wanted[:, 0]), wanted)


NAMED = pa.schema(
    [
        ("id", pa.uint64()),
        ("doc_id", pa.string()),
        ("file", pa.string()),
        ("offset", pa.int64()),
        ("signature", pa.large_binary()),
    ]
)


def names(run: Run, unit: int, blobs: Blobs) -> Routed:
    """What other units asked of this one: doc_id, file, offset, and the signature where it is needed."""
    wanted = distinct(unpack(blobs, REQUEST_WIDTH))
    table = read_shard(run.folder, run.sketches(unit), ["doc_id", "file", "offset", "signature"])
    for asking in np.unique(wanted[:, 1]):
        chosen = wanted[wanted[:, 1] == asking]
        found = table.take(pa.array(rows_of(chosen[:, 0]))).combine_chunks()
        signature = found["signature"].combine_chunks()
        masked = pa.compute.if_else(pa.array(chosen[:, 2] > 0), signature, pa.scalar(None, pa.large_binary()))
        columns = [pa.array(chosen[:, 0])] + [found[name].combine_chunks() for name in ("doc_id", "file", "offset")]
        yield int(asking), _ipc(pa.RecordBatch.from_arrays([*columns, masked], schema=NAMED))


def named(blobs: Blobs) -> pa.Table:
    """The answers to a unit's requests, sorted by row id."""
    return pa.Table.from_batches([_batch(blob) for blob in blobs], NAMED).sort_by("id").combine_chunks()


def _near(run: Run) -> Near:
    near = run.job.recipe.dedup.near
    assert near is not None, "near-deduplication is off"
    return near


def _left(count: int, unit: int, removed: list[Blobs]) -> "np.ndarray":  # type: ignore[type-arg]
    """Which rows of a unit no earlier stage removed."""
    left = np.ones(count, bool)
    for blobs in removed:
        gone: Records = unpack(blobs, EDGE_WIDTH)[:, 3]
        left[rows_of(gone[units_of(gone) == unit])] = False
    return left


def _ipc(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _batch(blob: bytes) -> pa.RecordBatch:
    with pa.ipc.open_stream(blob) as reader:
        return reader.read_next_batch()
