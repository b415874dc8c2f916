"""The stages of deduplication over packed records and the units' sketches: plain functions, without Beam.

A stage takes a key (a unit or a partition) and the blobs grouped under the key, and yields (key, blob) pairs for the
next stage.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.dedup.bands import PAIR_WIDTH, bands_by_partition, candidates, ranked_bands, similar
from curation.dedup.components import LINK_WIDTH, Forest
from curation.dedup.edges import EDGE_WIDTH, Records, distinct, edges, route, row_ids, rows_of, units_of, unpack
from curation.dedup.groups import keys_by_partition, losers
from curation.dedup.removal import REQUEST_WIDTH, STAGES, Removals, removals, requests
from curation.dedup.settings import Near
from curation.dedup.sketch import signature_values
from curation.dedup.stars import by_worse, large_star, small_star, spread
from curation.dedup.survivors import CHOICE_WIDTH, removals_of
from curation.engine.blobs import from_blob, to_blob
from curation.engine.released import (
    IN_CORPUS,
    class_of,
    class_ranks,
    groups_known_to,
    is_new_edge,
    orient_links,
    unbeaten_ids,
)
from curation.engine.run import Run, edges_name, linked_name
from curation.engine.shingles import similarities, write_sets
from curation.engine.unit_reports import LinkedReport, ShrunkReport
from curation.release.shards import read_rows, row_groups

Blobs = list[bytes]
Routed = Iterator[tuple[int, bytes]]

SIMILARITY = {"url": np.nan, "exact": 1.0}
"""The similarity of documents with the same url (unknown) or the same text, before signatures are compared."""

CONTINUES = {"url": "url on", "exact": "exact on"}
"""The kinds of row ids that continue to the next stage, although an edge of this stage names them as worse."""

COMPARED_AT_ONCE = 1 << 16
"""How many pairs of signatures (448 bytes each by default) are in memory together."""


def key_records(run: Run, unit: int, column: str, removed: Records) -> Routed:
    """The hashes of a unit's documents, without the row ids in ``removed``, routed by hash."""
    gone = rows_of(removed)
    for start, table in row_groups(*run.sketches(unit), [column, "rank"]):
        present = table[column].is_valid().to_numpy(zero_copy_only=False) & _mask_of_remaining(start, len(table), gone)
        rows = np.flatnonzero(present)
        halves = np.frombuffer(b"".join(table[column].take(pa.array(rows)).to_pylist()), np.uint64).reshape(-1, 2)
        ranks = class_ranks(run, unit, rows + start, table["rank"].to_numpy()[rows])
        records = np.column_stack([halves, ranks, row_ids(unit, rows + start)])
        yield from keys_by_partition(records, run.partitions)


def same_key(run: Run, records: Records, kind: str) -> Routed:
    """Edges from the documents with equal keys to the best of them, routed to the units of the worse documents.

    If the best document belongs to a release, its edges also go to its own unit, since such an edge may be the only one
    that connects the document to others.
    """
    found = losers(records, SIMILARITY[kind])
    yield from route(units_of(found[:, 3]), found)
    better, worse = units_of(found[:, 1]), units_of(found[:, 3])
    known = found[(better < run.first) & (better != worse)]
    yield from route(units_of(known[:, 1]), known)


def continuing_ids(run: Run, records: Records) -> Routed:
    """The row ids of documents that lose to others with their key only by class, and continue to the next stage."""
    if run.releases:
        found = unbeaten_ids(run, records[:, :2], records[:, 2:])
        yield from route(units_of(found), found)


def removed_rows(unit: int, edges: Mapping[str, Blobs], kinds: Sequence[str]) -> Records:
    """The row ids of a unit's documents, ascending, that the stages in ``kinds`` removed."""
    gone = [np.empty(0, np.uint64)]
    for kind in kinds:
        lost = unpack(edges[kind], EDGE_WIDTH)[:, 3]
        gone.append(np.setdiff1d(lost[units_of(lost) == unit], unpack(edges[CONTINUES[kind]], 1)[:, 0]))
    return np.unique(np.concatenate(gone))


def band_records(run: Run, unit: int, removed: Records) -> Routed:
    """The bands of a unit's documents, without the row ids in ``removed``, routed by band key."""
    near = _near(run)
    gone = rows_of(removed)
    ranked = ranked_bands(run.job.recipe.dedup)
    for start, table in row_groups(*run.sketches(unit), ["signature", *(["rank"] if ranked else [])]):
        left = _mask_of_remaining(start, len(table), gone)
        values, present = signature_values(table["signature"], near)
        rows = np.flatnonzero(present & left)
        ranks = table["rank"].to_numpy()[rows] if ranked else None
        yield from bands_by_partition(values[left[present]], unit, rows + start, near, run.partitions, ranks)


def bucket_pairs(run: Run, blobs: Blobs) -> Records:
    """The candidate pairs of one partition."""
    known = [groups_known_to(run, group) for group in range(len(run.releases))]
    return candidates(blobs, run.firsts, known, ranked_bands(run.job.recipe.dedup))


def distinct_pairs(blobs: Blobs) -> Records:
    """The candidate pairs in the blobs, each once."""
    return distinct(unpack(blobs, PAIR_WIDTH))


def by_first(pairs: Records) -> Routed:
    """Candidate pairs, routed to the unit of the first document."""
    yield from route(units_of(pairs[:, 0]), pairs)


def by_second(pairs: Records) -> Routed:
    """Candidate pairs, routed to the unit of the second document."""
    yield from route(units_of(pairs[:, 1]), pairs)


def seconds(pairs: Records) -> Routed:
    """The row ids of the second documents of candidate pairs, routed to their units."""
    ids = np.unique(pairs[:, 1])
    yield from route(units_of(ids), ids)


def write_candidate_sets(run: Run, unit: int, pairs: Records, seconds: Blobs) -> None:
    """Writes the sets of shingles of a unit's candidates: the first documents of ``pairs``, and ``seconds``."""
    ids = np.unique(np.concatenate([pairs[:, 0], unpack(seconds, 1)[:, 0]]))
    write_sets(run, unit, rows_of(ids), _near(run))


FIRSTS = pa.schema([("id", pa.uint64()), ("rank", pa.uint64()), ("signature", pa.large_binary())])


def first_sketches(run: Run, unit: int, pairs: Records) -> Routed:
    """The ranks and signatures (FIRSTS) of the first documents of pairs, routed to the units of the second documents,
    once for each such unit. Without signatures if documents are compared by their sets of shingles."""
    firsts = np.unique(pairs[:, 0])
    signed = not run.job.recipe.dedup.verifies
    for start, batch in row_groups(*run.sketches(unit), ["rank", *(["signature"] if signed else [])]):
        low, high = np.searchsorted(rows_of(firsts), [start, start + len(batch)])
        here = (pairs[:, 0] >= row_ids(unit, np.array([start]))) & (
            pairs[:, 0] < row_ids(unit, np.array([start + len(batch)]))
        )
        if high == low:
            continue
        found = batch.take(pa.array(rows_of(firsts[low:high]) - start))
        chosen = pairs[here]
        to = units_of(chosen[:, 1])
        for target in np.unique(to):
            wanted = np.unique(chosen[to == target, 0])
            at = pa.array(np.searchsorted(firsts[low:high], wanted))
            for low_row in range(0, len(wanted), COMPARED_AT_ONCE // 8):
                rows = at.slice(low_row, COMPARED_AT_ONCE // 8)
                ids = pa.array(wanted[low_row : low_row + len(rows)])
                ranks = class_ranks(run, unit, rows_of(ids.to_numpy()), found["rank"].take(rows).to_numpy())
                signatures = found["signature"].take(rows) if signed else pa.nulls(len(ids), pa.large_binary())
                columns = [ids, pa.array(ranks), signatures]
                yield int(target), to_blob(pa.RecordBatch.from_arrays(columns, schema=FIRSTS))


def similar_edges(run: Run, unit: int, pairs: Blobs, firsts: Blobs) -> Routed:
    """Edges between the documents of pairs that are similar enough, routed to the units of both documents.

    The second document of each pair is in this unit; ``firsts`` are FIRSTS of the first documents.
    """
    near = _near(run)
    found = distinct_pairs(pairs)
    if not len(found):
        return
    if near.verify == "exact":
        yield from _verified_edges(run, unit, found, firsts)
        return
    left = pa.Table.from_batches([from_blob(blob) for blob in firsts], FIRSTS).sort_by("id").combine_chunks()
    own = np.unique(found[:, 1])
    right = read_rows(*run.sketches(unit), ["rank", "signature"], rows_of(own))
    ranks = class_ranks(run, unit, rows_of(own), right["rank"].to_numpy())
    right = right.set_column(0, "rank", pa.array(ranks))
    ids = left["id"].to_numpy()
    for start in range(0, len(found), COMPARED_AT_ONCE):
        chunk = found[start : start + COMPARED_AT_ONCE]
        sides = [
            _signature_side(table.take(pa.array(np.searchsorted(known, wanted))), wanted, near)
            for table, known, wanted in ((left, ids, chunk[:, 0]), (right, own, chunk[:, 1]))
        ]
        yield from _by_both_ends(similar(sides[0], sides[1], near))


def _verified_edges(run: Run, unit: int, pairs: Records, firsts: Blobs) -> Routed:
    """The edges of ``similar_edges`` by the sets of shingles of both documents."""
    left = pa.Table.from_batches([from_blob(blob) for blob in firsts], FIRSTS).sort_by("id")
    own = np.unique(pairs[:, 1])
    ranks = read_rows(*run.sketches(unit), ["rank"], rows_of(own))["rank"].to_numpy()
    share = similarities(run, pairs[:, 0], pairs[:, 1])
    enough = share >= _near(run).required_similarity
    share, pairs = share[enough], pairs[enough]
    first_ranks = left["rank"].to_numpy()[np.searchsorted(left["id"].to_numpy(), pairs[:, 0])]
    second_ranks = class_ranks(run, unit, rows_of(own), ranks)[np.searchsorted(own, pairs[:, 1])]
    found = edges(np.column_stack([first_ranks, pairs[:, 0]]), np.column_stack([second_ranks, pairs[:, 1]]), share)
    yield from _by_both_ends(found)


def _signature_side(table: pa.Table, ids: Records, near: Near) -> tuple[Records, npt.NDArray[np.uint32]]:
    values, _ = signature_values(table["signature"].combine_chunks(), near)
    return np.column_stack([table["rank"].to_numpy(), ids]), values


def _by_both_ends(edges: Records) -> Routed:
    first, second = units_of(edges[:, 1]), units_of(edges[:, 3])
    yield from route(second, edges)
    yield from route(first[first != second], edges[first != second])


EDGES = pa.schema(
    [
        ("stage", pa.uint8()),
        ("better_rank", pa.uint64()),
        ("better", pa.uint64()),
        ("worse_rank", pa.uint64()),
        ("worse", pa.uint64()),
        ("similarity", pa.uint64()),
    ]
)
"""``stage`` is an index into STAGES; ``similarity`` the bits of a float64."""


def write_edges(run: Run, unit: int, groups: Mapping[str, Blobs]) -> None:
    """Writes all edges at a unit's documents to the run's folder, and then a report with the number of its links."""
    links = 0
    with run.folder.writing(edges_name(unit)) as stream, pa.ipc.new_file(stream, EDGES) as file:
        for stage, kind in enumerate(STAGES):
            found = distinct(unpack(groups[kind], EDGE_WIDTH))
            links += int((units_of(found[:, 3]) == unit).sum())
            columns = [pa.array(np.full(len(found), stage, np.uint8)), *(pa.array(column) for column in found.T.copy())]
            file.write_batch(pa.RecordBatch.from_arrays(columns, schema=EDGES))
    run.folder.write_json(linked_name(unit), LinkedReport(links=links))


def unit_edges(run: Run, unit: int) -> dict[str, Records]:
    """The edges at a unit's documents by stage."""
    edges = {}
    with run.folder.reading(edges_name(unit)) as stream:
        file = pa.ipc.open_file(stream)
        for stage, kind in enumerate(STAGES):
            batch = file.get_batch(stage)
            edges[kind] = np.column_stack([column.to_numpy() for column in batch.columns[1:]])
    return edges


def unit_links(run: Run, unit: int) -> Records:
    """The links whose worse document is in a unit, so that every link of the corpus is in one unit only. With releases,
    their removed documents count as the worst here."""
    edges = np.concatenate(list(unit_edges(run, unit).values()))
    links = distinct(edges[units_of(edges[:, 3]) == unit][:, :LINK_WIDTH])
    return orient_links(links) if run.releases else links


def survivors(run: Run) -> Routed:
    """The forest over all links, from each removed document to its survivor, routed to the removed documents' units."""
    forest = Forest()
    for unit in range(run.all_units):
        forest.add(unit_links(run, unit))
    found = forest.links()
    yield from route(units_of(found[:, 3]), found)


def spread_links(run: Run, part: int, round_: int) -> Routed:
    """The links of a unit in the first round of stars, and of a partition, as the previous round left them, later."""
    yield from spread(unit_links(run, part) if round_ == 0 else _star_links(run, part, round_ - 1), run.partitions)


def large_stars(run: Run, blobs: Blobs) -> tuple[Routed, int]:
    """Applies large-star to the links at a partition's nodes; returns the new links, routed for small-star, and how
    many links changed."""
    found, changed = large_star(unpack(blobs, LINK_WIDTH))
    return by_worse(found, run.partitions), changed


def write_small_stars(run: Run, partition: int, round_: int, blobs: Blobs, changed: int) -> None:
    """Applies small-star to a partition's links and writes the new links, and then a report of how many links both
    steps changed."""
    found, more = small_star(unpack(blobs, LINK_WIDTH))
    name = run.star_name(round_, partition)
    with run.folder.writing(name) as stream:
        stream.write(found.tobytes())
    run.folder.write_json(f"{name}.json", ShrunkReport(changed=changed + more))


def star_survivors(run: Run, partition: int) -> Routed:
    """The part of the forest in a partition, after the last round of stars, routed to the removed documents' units."""
    assert run.stars
    found = _star_links(run, partition, run.stars - 1)
    yield from route(units_of(found[:, 3]), found)


def _star_links(run: Run, partition: int, round_: int) -> Records:
    with run.folder.reading(run.star_name(round_, partition)) as stream:
        return unpack([stream.read()], LINK_WIDTH)


def unit_removals(run: Run, unit: int, survivors: Blobs) -> Removals:
    """The removals in a unit of the run; in a unit of a release, the documents that are superseded. ``survivors`` are
    choices if survivors must be similar enough, else links of the forest."""
    if run.job.recipe.dedup.bounds_survivors:
        return removals_of(unpack(survivors, CHOICE_WIDTH))
    links, edges = unpack(survivors, LINK_WIDTH), unit_edges(run, unit)
    if unit >= run.first:
        return removals(unit, links, edges)
    new_edges = {stage: found[is_new_edge(run, found)] for stage, found in edges.items()}
    return removals(unit, links[class_of(links[:, 2]) == IN_CORPUS], edges, new_edges)


def name_requests(run: Run, unit: int, survivors: Blobs) -> Routed:
    """Requests for the names of survivors and neighbours, routed to the units that hold them."""
    wanted = requests(unit, unit_removals(run, unit, survivors))
    yield from route(units_of(wanted[:, 0]), wanted)


NAMED = pa.schema(
    [
        ("id", pa.uint64()),
        ("doc_id", pa.string()),
        ("file", pa.string()),
        ("offset", pa.int64()),
        ("signature", pa.large_binary()),
    ]
)


def answer_requests(run: Run, unit: int, blobs: Blobs) -> Routed:
    """Answers other units' requests to this unit (NAMED): doc_id, file, offset, and the signature if requested."""
    wanted = distinct(unpack(blobs, REQUEST_WIDTH)[:, :3])
    last = np.ones(len(wanted), bool)  # a unit may ask for a document once with and once without its signature
    last[:-1] = (wanted[1:, :2] != wanted[:-1, :2]).any(axis=1)
    wanted = wanted[last]
    asked = np.unique(wanted[:, 0])
    found = read_rows(*run.sketches(unit), ["doc_id", "file", "offset", "signature"], rows_of(asked))
    for asking in np.unique(wanted[:, 1]):
        chosen = wanted[wanted[:, 1] == asking]
        for start in range(0, len(chosen), COMPARED_AT_ONCE // 8):
            part = chosen[start : start + COMPARED_AT_ONCE // 8]
            at = np.searchsorted(asked, part[:, 0])
            rows = found.select(["doc_id", "file", "offset"]).take(pa.array(at)).combine_chunks()
            signature = found["signature"].combine_chunks().take(pa.array(at, mask=part[:, 2] == 0))
            columns = [pa.array(part[:, 0]), *(column.combine_chunks() for column in rows.columns), signature]
            yield int(asking), to_blob(pa.RecordBatch.from_arrays(columns, schema=NAMED))


def count_removed(unit: int, blobs: Blobs) -> Routed:
    """(row id, number of documents that are removed for it as near-duplicates or copies), for a unit's documents."""
    wanted = unpack(blobs, REQUEST_WIDTH)
    ids, inverse = np.unique(wanted[:, 0], return_inverse=True)
    counts = np.zeros(len(ids), np.uint64)
    np.add.at(counts, inverse, wanted[:, 3])
    yield from route(np.full(len(ids), unit), np.column_stack([ids, counts]))


def name_table(blobs: Blobs) -> pa.Table:
    """The answers to a unit's requests, sorted by row id."""
    return pa.Table.from_batches([from_blob(blob) for blob in blobs], NAMED).sort_by("id").combine_chunks()


def _near(run: Run) -> Near:
    near = run.job.recipe.dedup.near
    assert near is not None, "near-deduplication is off"
    return near


def _mask_of_remaining(start: int, count: int, gone: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which of ``count`` rows from ``start`` on are not in ``gone``."""
    left = np.ones(count, bool)
    low, high = np.searchsorted(gone, [start, start + count])
    left[gone[low:high] - start] = False
    return left
