"""What was packed is what is read, through every way of reading; a damaged folder is named when it is opened."""

import json
import pickle
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.packed import BATCH
from schemas.sequences import PackedError, PackedSequences, open_packed
from tests.schemas.packed_folders import filled_of, parts_of, tokens_of, write_packed

ROWS, LENGTH = 3 * BATCH + 7, 5
TOKENS = tokens_of(ROWS, LENGTH)
SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards, of 512 and of 263 rows."""
    return write_packed(tmp_path_factory.mktemp("packed") / "out", TOKENS)


@pytest.fixture(scope="module")
def sequences(written: Path) -> PackedSequences:
    return open_packed(written, verify=True)


@pytest.mark.parametrize(
    ("rows", "length", "kind", "shard_rows"),
    [(0, 4, "uint16", 512), (1, 1, "uint16", 512), (700, 3, "int32", 300), (513, 7, "uint16", 512)],
)
def test_every_row_is_read(tmp_path: Path, rows: int, length: int, kind: Any, shard_rows: int) -> None:
    tokens = tokens_of(rows, length)
    sequences = open_packed(write_packed(tmp_path / "out", tokens, kind, shard_rows), verify=True)
    assert (len(sequences), sequences.length, sequences.dtype) == (rows, length, np.dtype(kind))
    assert np.array_equal(sequences.take(np.arange(rows)), tokens)
    assert [row.tolist() for row in sequences] == tokens.tolist()
    assert [sequences.parts(row) for row in range(rows)] == [parts_of(row, length) for row in range(rows)]
    assert (sequences.padded, [sequences.filled(row) for row in range(rows)]) == (False, [length] * rows)


@pytest.mark.parametrize(("rows", "kind", "shard_rows"), [(1, "uint16", 512), (700, "int32", 300)])
def test_padding_belongs_to_no_document(tmp_path: Path, rows: int, kind: Any, shard_rows: int) -> None:
    tokens, filled = tokens_of(rows, 7), filled_of(rows, 7)
    sequences = open_packed(write_packed(tmp_path / "out", tokens, kind, shard_rows, padded=True), verify=True)
    assert sequences.padded
    assert np.array_equal(sequences.take(np.arange(rows)), tokens)
    assert [sequences.filled(row) for row in range(-rows, rows)] == filled * 2
    assert [sequences.parts(row) for row in range(rows)] == [parts_of(row, filled[row]) for row in range(rows)]
    for row in range(rows):
        assert sequences.starts(row).tolist() == [part.start for part in parts_of(row, filled[row])]
    for row in (rows, -rows - 1):
        with pytest.raises(IndexError):
            sequences.filled(row)


def test_a_row_is_a_view_that_cannot_be_written(sequences: PackedSequences) -> None:
    row = sequences[-1]
    assert row.tolist() == TOKENS[-1].tolist()
    assert not row.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        row[0] = 1


@pytest.mark.parametrize("row", [ROWS, -ROWS - 1])
def test_there_are_no_other_rows(sequences: PackedSequences, row: int) -> None:
    for read in (sequences.__getitem__, sequences.parts, sequences.starts):
        with pytest.raises(IndexError):
            read(row)
    with pytest.raises(IndexError):
        sequences.take([0, row])
    with pytest.raises(IndexError):
        sequences.slice(0, ROWS + 1)


@given(rows=st.lists(st.integers(0, ROWS - 1) | st.integers(BATCH - 2, BATCH + 2), max_size=20), kind=st.booleans())
def test_rows_are_taken_in_any_order(sequences: PackedSequences, rows: list[int], kind: bool) -> None:
    out = np.empty((len(rows), LENGTH), np.int64 if kind else np.uint16)
    assert sequences.take(rows, out) is out
    assert np.array_equal(out, TOKENS[rows])


@given(st.tuples(st.integers(0, ROWS), st.integers(0, ROWS)).map(sorted))
def test_a_slice_is_a_view_within_a_batch(sequences: PackedSequences, ends: list[int]) -> None:
    start, stop = ends
    found = sequences.slice(start, stop)
    assert np.array_equal(found, TOKENS[start:stop])
    if start < stop and start // BATCH == (stop - 1) // BATCH:
        assert not found.flags.writeable


def test_what_does_not_fit_is_refused(sequences: PackedSequences) -> None:
    with pytest.raises(ValueError, match=r"out has shape \(1, 5\): give shape \(2, 5\)"):
        sequences.take([0, 1], np.empty((1, LENGTH)))
    with pytest.raises(TypeError):
        sequences.take([0], np.empty((1, LENGTH), np.int8))


def test_starts_are_those_of_the_parts(sequences: PackedSequences) -> None:
    for row in range(ROWS):
        assert sequences.starts(row).tolist() == [part.start for part in parts_of(row, LENGTH)]


def test_a_pickle_holds_only_the_folder(sequences: PackedSequences) -> None:
    sent = pickle.dumps(sequences)
    assert len(sent) < 500
    assert np.array_equal(pickle.loads(sent)[3], sequences[3])


def test_a_pickle_refuses_a_folder_that_was_packed_again(written: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(written, tmp_path / "out")
    sent = pickle.dumps(open_packed(folder))
    shutil.rmtree(folder)
    write_packed(folder, TOKENS[:9])
    with pytest.raises(PackedError, match="was packed again after it was opened"):
        pickle.loads(sent)


def test_no_file_stays_open(written: Path) -> None:
    before = set(Path("/proc/self/fd").iterdir())
    sequences = open_packed(written)
    sequences.take(range(ROWS))
    assert set(Path("/proc/self/fd").iterdir()) == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 3}, "version 3, newer than this Gristmill, which reads up to 2: upgrade Gristmill"),
        ({"format": "other"}, "was not written by gristmill pack"),
        ({"version": "1"}, "version is not a whole number from 0 up"),
        ({"version": 0}, "has an impossible version or length"),
        ({"length": 0}, "has an impossible version or length"),
        ({"rows": None}, "rows is not a whole number from 0 up"),
        ({"rows": ROWS + 1}, "has row counts that contradict each other"),
        ({"token_type": "int8"}, "token_type is not uint16 or int32"),
        ({"token_type": "int32"}, "00000.arrow is damaged: its columns do not match the manifest"),
        ({"length": 6}, "00000.arrow is damaged: its columns do not match the manifest"),
        ({"files": {}, "rows": 1}, "has row counts that contradict each other"),
        ({"files": {"shards/00000.arrow": {}}}, "lacks files.shards/00000.arrow.sha256"),
        ({"files": {"shards/00001.arrow": {"rows": ROWS, "bytes": 1, "sha256": "0" * 64}}}, "does not number"),
    ],
    ids=str,
)
def test_a_manifest_that_does_not_fit_is_named(written: Path, tmp_path: Path, change: Any, says: str) -> None:
    folder = shutil.copytree(written, tmp_path / "out")
    place = folder / "manifest.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | change))
    with pytest.raises(PackedError) as refused:
        open_packed(folder)
    assert says in str(refused.value)
    assert str(folder) in str(refused.value)


def test_a_folder_of_something_else_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackedError, match=r"manifest\.json is missing: name a folder"):
        open_packed(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(PackedError, match=r"manifest\.json is not JSON"):
        open_packed(tmp_path)


def test_a_missing_shard_is_named(written: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(written, tmp_path / "out")
    (folder / "shards/00001.arrow").unlink()
    with pytest.raises(PackedError, match=r"shards/00001\.arrow is missing: copy it again"):
        open_packed(folder)


@pytest.fixture(scope="module", params=[False, True], ids=["full", "padded"])
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One shard of two batches."""
    return write_packed(tmp_path_factory.mktemp("small") / "out", TOKENS[: BATCH + 3], padded=request.param)


@pytest.fixture
def damaged(small: Path, tmp_path: Path) -> Path:
    return shutil.copytree(small, tmp_path / "out")


@SAME_FOLDER
@given(data=st.data(), noted=st.booleans())
def test_a_shard_cut_off_anywhere_is_named(small: Path, damaged: Path, data: st.DataObject, noted: bool) -> None:
    """Also where the manifest has the shorter length."""
    place = damaged / "shards/00000.arrow"
    whole = (small / "shards/00000.arrow").read_bytes()
    length = data.draw(st.integers(0, len(whole) - 1))
    place.write_bytes(whole[:length])
    if noted:
        _note(small, damaged, bytes=length)
    else:
        shutil.copy(small / "manifest.json", damaged)
    with pytest.raises(PackedError, match=r"00000\.arrow"):
        open_packed(damaged)


@SAME_FOLDER
@given(st.data())
def test_a_flipped_bit_is_named(small: Path, damaged: Path, data: st.DataObject) -> None:
    _flip(small, damaged, data.draw(st.integers(0, 8 * (damaged / "shards/00000.arrow").stat().st_size - 1)))
    with pytest.raises(PackedError, match=r"00000\.arrow"):
        open_packed(damaged, verify=True)


@settings(SAME_FOLDER, max_examples=400)
@given(st.data())
def test_a_flipped_bit_of_the_metadata_is_named_or_does_not_matter(
    small: Path, damaged: Path, data: st.DataObject
) -> None:
    spans = metadata(small / "shards/00000.arrow")
    start, stop = data.draw(st.sampled_from(spans))
    _flip(small, damaged, data.draw(st.integers(8 * start, 8 * stop - 1)))
    harmless(damaged)


@pytest.mark.soak
def test_every_flipped_bit_of_the_metadata_is_named_or_does_not_matter(small: Path, damaged: Path) -> None:
    for start, stop in metadata(small / "shards/00000.arrow"):
        for bit in range(8 * start, 8 * stop):
            _flip(small, damaged, bit)
            harmless(damaged)


def harmless(folder: Path) -> None:
    """It is refused at opening, or all of it is read as it was written."""
    try:
        sequences = open_packed(folder)
    except PackedError as refused:
        if "00000.arrow is damaged" not in str(refused):
            raise
        return
    assert np.array_equal(sequences.take(range(BATCH + 3)), TOKENS[: BATCH + 3])
    filled = filled_of(BATCH + 3, LENGTH) if sequences.padded else [LENGTH] * (BATCH + 3)
    for row in (0, 1, BATCH - 1, BATCH, BATCH + 2):
        assert sequences.filled(row) == filled[row]
        assert sequences.parts(row) == parts_of(row, filled[row])


def metadata(shard: Path) -> list[tuple[int, int]]:
    """Where in the file there is something else than the bodies of batches."""
    written = shard.read_bytes()
    footer = len(written) - 10 - struct.unpack_from("<i", written, len(written) - 10)[0]
    with pa.OSFile(str(shard)) as file:
        file.seek(8)
        pa.ipc.read_schema(file)
        first = file.tell()
        spans = [(0, first)]
        for _ in range(2):
            start = file.tell()
            stop = start + 8 + struct.unpack_from("<i", written, start + 4)[0]
            pa.ipc.read_message(file)
            spans.append((start, stop))
    return [*spans, (footer - 8, len(written))]


def _flip(small: Path, damaged: Path, bit: int) -> None:
    written = bytearray((small / "shards/00000.arrow").read_bytes())
    written[bit // 8] ^= 1 << bit % 8
    (damaged / "shards/00000.arrow").write_bytes(written)


def _note(small: Path, damaged: Path, **changes: int) -> None:
    manifest = json.loads((small / "manifest.json").read_text())
    manifest["files"]["shards/00000.arrow"] |= changes
    (damaged / "manifest.json").write_text(json.dumps(manifest))


@settings(max_examples=40)
@given(st.data())
def test_damaged_parts_are_named_when_they_are_read(
    small: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Or are still parts: only the digest tells. Nothing else is raised."""
    folder = shutil.copytree(small, tmp_path_factory.mktemp("parts") / "out")
    [_, (_, body), (end, _), _] = metadata(small / "shards/00000.arrow")
    start = body + 2 * LENGTH * BATCH
    written = bytearray((small / "shards/00000.arrow").read_bytes())
    for place in data.draw(st.lists(st.integers(start, end - 1), min_size=1, max_size=200)):
        written[place] = data.draw(st.integers(0, 255))
    (folder / "shards/00000.arrow").write_bytes(written)
    sequences = open_packed(folder)
    for row in range(BATCH):
        for read in (sequences.parts, sequences.starts, sequences.filled):
            try:
                read(row)
            except PackedError as refused:
                if "00000.arrow is damaged" not in str(refused):
                    raise
    shutil.rmtree(folder)
