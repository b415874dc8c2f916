"""Finds which texts of a release are taken down, and their near-duplicates, before the release is read again.

Two steps over all units. ``select`` writes the texts of documents that a selection names, or whose text was taken down
before; ``find_near`` compares the sketches of a unit with all texts of the first step. After each step,
``gather_texts`` or ``gather_near`` merges the results of the units.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.dedup.settings import Near
from curation.dedup.sketch import signature_column, signature_values
from curation.engine.carried_files import receive_files
from curation.engine.released import PLACE, rows_at, sketched_places
from curation.engine.run import Run, near_name, selected_name
from curation.engine.selection import Matcher, Selection
from curation.engine.taken_down import (
    HASH,
    STAGE,
    hashes,
    is_among,
    kept_hashes,
    merge_hashes,
    recognise_rejected,
    rejected_texts,
    taken_down_hashes,
)
from curation.engine.unit_reports import SelectedReport
from curation.kernels.minhash import band_keys, equal_shares
from curation.release.folder import WORK, Folder
from curation.release.manifest import SITE_REJECTS, TABLES
from curation.release.opening import Release, check_contents
from curation.release.shards import read_rows, row_groups, shard_name

SELECTION = f"{WORK}/selection.json"
TEXTS = f"{WORK}/taken.arrow"
"""The distinct texts that are taken down: hash, id of a document with the text, and signature."""
SELECTED = f"{WORK}/selected.json"
"""A `SelectedReport`."""
HASHES, NEAR_HASHES = f"{WORK}/taken.hashes", f"{WORK}/near.hashes"
"""The hashes of the texts that are taken down, and of their near-duplicates."""
READ = (*TABLES, SITE_REJECTS, "sites", "signals", "cuts")
"""The tables of a release that a takedown reads, so far as the release has them."""
ROWS_AT_ONCE = 1 << 11
COMPARED_AT_ONCE = 1 << 16
"""How many texts that are taken down are in memory together with a unit's sketches (about 600 bytes each)."""
MET_IN_A_BAND = 8
"""A document is compared with at most this many texts in each band."""

TAKEN = pa.schema([("content_hash", HASH), ("doc_id", pa.string()), ("signature", pa.large_binary())])
ALIKE = pa.schema(
    [
        ("row", pa.int64()),
        ("doc_id", pa.string()),
        ("file", pa.string()),
        ("offset", pa.int64()),
        ("content_hash", HASH),
        ("like", pa.string()),
        ("similarity", pa.float64()),
    ]
)
"""``row``: the row in the unit's sketches; ``like``: the id of the document that is taken down."""

Found = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]
"""The similarity of each document to its most similar text, and the number of the text; -1 if it shares no band."""


def select(run: Run, unit: int) -> None:
    """Writes the texts of a unit that are taken down, by the selection or because they were taken down before.

    Raises UserError if one of the unit's files differs from the manifest.
    """
    release, number = _release(run, unit)
    check_contents(release, [shard_name(table, number) for table in READ])
    receive_files(run.folder, run.job.recipe.carried_files(), run.local)
    matcher = Matcher(run.folder.read_json(SELECTION, Selection))
    earlier = taken_down_hashes((release, *run.releases))
    found = [*_rejected_texts(run, unit, matcher, earlier), _passed_texts(run, unit, matcher, earlier)]
    if run.job.recipe.sites is not None:
        found += _site_texts(run, unit, matcher, earlier)
    _write(run.folder, selected_name(number), TAKEN, found)


def _rejected_texts(run: Run, unit: int, matcher: Matcher, earlier: pa.Array) -> Iterator[pa.RecordBatch]:
    """The texts to take down among the rejects of filters."""
    release, number = _release(run, unit)
    recipe, name = run.job.recipe, shard_name("rejects/filters", number)
    rows: list[npt.NDArray[Any]] = [np.empty(0, np.int64)]
    columns = ["doc_id", "url", "stage", *(["text"] if len(earlier) else [])]
    for start, batch in row_groups(release.folder, name, columns):
        down = matcher.reasons(batch["doc_id"], batch["url"]) >= 0
        if len(earlier):
            down |= recognise_rejected(batch, recipe, earlier)
        down &= pc.not_equal(batch["stage"], STAGE).to_numpy(zero_copy_only=False)
        rows.append(np.flatnonzero(down) + start)
    found = read_rows(release.folder, name, ["doc_id", "text", "failed"], np.concatenate(rows)).combine_chunks()
    for batch in found.to_batches(max_chunksize=ROWS_AT_ONCE):
        texts = rejected_texts(batch, recipe)
        signatures = signature_column(texts, recipe.dedup.near) if recipe.dedup.near else None
        yield _text_batch(hashes(texts), batch["doc_id"], signatures)


def _site_texts(run: Run, unit: int, matcher: Matcher, earlier: pa.Array) -> Iterator[pa.RecordBatch]:
    """The texts to take down among the documents of removed sites."""
    release, number = _release(run, unit)
    near = run.job.recipe.dedup.near
    for _, batch in row_groups(release.folder, shard_name(SITE_REJECTS, number), ["doc_id", "url", "stage", "text"]):
        content = kept_hashes(batch)
        down = (matcher.reasons(batch["doc_id"], batch["url"]) >= 0) | is_among(content, earlier)
        down &= pc.not_equal(batch["stage"], STAGE).to_numpy(zero_copy_only=False)
        found, mask = batch.filter(pa.array(down)), pa.array(down)
        texts = found["text"].cast(pa.large_string()).fill_null("")
        yield _text_batch(content.filter(mask), found["doc_id"], signature_column(texts, near) if near else None)


def _passed_texts(run: Run, unit: int, matcher: Matcher, earlier: pa.Array) -> pa.RecordBatch:
    """The texts to take down among the documents that reached deduplication, kept or not, from their sketches."""
    release, number = _release(run, unit)
    places = []
    for table in ("documents", "rejects/duplicates"):
        for _, batch in row_groups(release.folder, shard_name(table, number), ["doc_id", "url", *PLACE]):
            down = matcher.reasons(batch["doc_id"], batch["url"]) >= 0
            places.append(pa.Table.from_batches([batch.select(PLACE).filter(pa.array(down))]))
    name = shard_name("sketches", number)
    rows = rows_at(sketched_places(release, number), pa.concat_tables(places)) if places else np.empty(0, np.int64)
    if len(earlier):
        again = [
            start + np.flatnonzero(is_among(batch["content_hash"], earlier))
            for start, batch in row_groups(release.folder, name, ["content_hash"])
        ]
        rows = np.union1d(rows, np.concatenate([np.empty(0, np.int64), *again]))
    found = read_rows(release.folder, name, ["content_hash", "doc_id", "signature"], rows).combine_chunks()
    columns = [found[column].combine_chunks() for column in TAKEN.names]
    return _text_batch(*columns)


def _text_batch(content: pa.Array, doc_ids: pa.Array, signatures: pa.Array | None) -> pa.RecordBatch:
    signatures = pa.nulls(len(content), pa.large_binary()) if signatures is None else signatures
    return pa.RecordBatch.from_arrays([content.cast(HASH), doc_ids, signatures], schema=TAKEN)


def gather_texts(run: Run) -> None:
    """Merges the texts of all units, each text once."""
    seen: set[bytes] = set()
    documents = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal documents
        for unit in range(run.units):
            for batch in _read(run.folder, selected_name(unit)):
                documents += len(batch)
                new = []
                for row, value in enumerate(batch["content_hash"].to_pylist()):
                    if value is not None and value not in seen:
                        seen.add(value)
                        new.append(row)
                if new:
                    yield batch.take(pa.array(new))

    _write(run.folder, TEXTS, TAKEN, batches())
    _write_hashes(run.folder, HASHES, pa.array(sorted(seen), HASH))
    run.folder.write_json(SELECTED, SelectedReport(documents=documents))


def find_near(run: Run, unit: int) -> None:
    """Writes the documents of a unit that are near-duplicates of a document that is taken down, with another text."""
    near = run.job.recipe.dedup.near
    release, number = _release(run, unit)
    _write(run.folder, near_name(number), ALIKE, [] if near is None else _near(run, release, number, near))


def _near(run: Run, release: Release, number: int, near: Near) -> Iterator[pa.RecordBatch]:
    wanted = read_hashes(run.folder, HASHES)
    for start, batch in row_groups(release.folder, shard_name("sketches", number), [*_SKETCHED, "signature"]):
        values, present = signature_values(batch["signature"], near)
        rows = np.flatnonzero(present & ~is_among(batch["content_hash"], wanted))
        values = values[np.searchsorted(np.flatnonzero(present), rows)]
        best, like = np.zeros(len(rows)), np.full(len(rows), "", object)
        for texts in _signed_texts(run.folder):
            similarity, text = _most_alike(values, signature_values(texts["signature"], near)[0], near)
            better = (text >= 0) & (similarity > best)
            best[better] = similarity[better]
            like[better] = texts["doc_id"].take(pa.array(text[better])).to_pylist()
        found = best >= max(near.required_similarity, np.nextafter(0, 1))
        if found.any():
            own = batch.take(pa.array(rows[found]))
            columns = [own[name] for name in _SKETCHED]
            columns += [pa.array(like[found], pa.string()), pa.array(best[found])]
            yield pa.RecordBatch.from_arrays([pa.array(rows[found] + start), *columns], schema=ALIKE)


_SKETCHED = ["doc_id", "file", "offset", "content_hash"]


def _signed_texts(folder: Folder) -> Iterator[pa.RecordBatch]:
    """The texts that are taken down and have a signature, in batches of about COMPARED_AT_ONCE."""
    held: list[pa.RecordBatch] = []
    for batch in _read(folder, TEXTS):
        held.append(batch.filter(batch["signature"].is_valid()))
        if sum(map(len, held)) >= COMPARED_AT_ONCE:
            yield pa.Table.from_batches(held).combine_chunks().to_batches()[0]
            held = []
    table = pa.Table.from_batches(held, TAKEN).combine_chunks()
    if len(table):
        yield table.to_batches()[0]


def _most_alike(own: npt.NDArray[np.uint32], other: npt.NDArray[np.uint32], near: Near) -> Found:
    """For each signature in ``own``, the most similar signature in ``other`` that shares a band with it."""
    bands, width = near.banding
    own_keys, keys = np.empty((len(own), bands), np.uint64), np.empty((len(other), bands), np.uint64)
    band_keys(own, bands, width, own_keys)
    band_keys(other, bands, width, keys)
    order = np.argsort(keys.ravel(), kind="stable")
    sorted_keys, texts = keys.ravel()[order], order // bands
    first = np.searchsorted(sorted_keys, own_keys.ravel(), "left")
    behind = np.searchsorted(sorted_keys, own_keys.ravel(), "right")
    best, text = np.zeros(len(own)), np.full(len(own), -1)
    for step in range(MET_IN_A_BAND):
        met = np.flatnonzero(first + step < behind)
        if not len(met):
            break
        rows, candidates = met // bands, texts[first[met] + step]
        share = np.empty(len(met), np.float64)
        equal_shares(own[rows], other[candidates], share)
        order = np.lexsort((-candidates, share))  # the last entry of each row is its best, the first text among equals
        rows, candidates, share = rows[order], candidates[order], share[order]
        better = share > best[rows]
        best[rows[better]] = share[better]
        text[rows[better]] = candidates[better]
    return best, text


def gather_near(run: Run) -> None:
    """Merges the hashes of the near-duplicates of all units."""
    found = [batch["content_hash"] for unit in range(run.units) for batch in _read(run.folder, near_name(unit))]
    _write_hashes(run.folder, NEAR_HASHES, merge_hashes(found))


def near_documents(run: Run, unit: int) -> pa.Table:
    """The documents that ``find_near`` wrote for a unit (ALIKE)."""
    return pa.Table.from_batches(list(_read(run.folder, near_name(unit))), ALIKE)


def _release(run: Run, unit: int) -> tuple[Release, int]:
    assert run.taken_from is not None
    return run.taken_from, unit - run.first


def read_hashes(folder: Folder, name: str) -> pa.Array:
    """The merged hashes in the file HASHES or NEAR_HASHES, sorted."""
    with folder.reading(name) as stream:
        content = stream.read()
    return pa.Array.from_buffers(HASH, len(content) // 16, [None, pa.py_buffer(content)])


def _write_hashes(folder: Folder, name: str, values: pa.Array) -> None:
    with folder.writing(name) as stream:
        stream.write(b"".join(values.to_pylist()))


def _write(folder: Folder, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    with folder.writing(name) as stream, pa.ipc.new_file(stream, schema) as file:
        for batch in batches:
            file.write_batch(batch)


def _read(folder: Folder, name: str) -> Iterator[pa.RecordBatch]:
    with folder.reading(name) as stream:
        file = pa.ipc.open_file(stream)
        for number in range(file.num_record_batches):
            yield file.get_batch(number)
