"""A bit that flipped in a release is found: every reader gives the rows that were written, or names the file."""

import random
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curation.engine.selection import Selection
from curation.packing.corpus import ParquetCorpus
from curation.release.folder import Folder
from curation.release.shards import read_shard
from jobs.verification.folder import faults, read_expected, sizes_of
from schemas.errors import RunError, UserError
from schemas.progress import ignore_progress
from tests.curation.engine.test_takedown import PAGES, STRICT, run, take, text, write

FLIPS = 300


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rot")
    write(root / "in", PAGES)
    return run(root / "in", root / "released", STRICT)


@pytest.fixture
def copy(released: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(released, tmp_path / "copy"))


def flip(path: Path, bit: int) -> bytes:
    """Flips one bit of a file; returns what the file held before."""
    before = path.read_bytes()
    after = bytearray(before)
    after[bit // 8] ^= 1 << bit % 8
    path.write_bytes(after)
    return before


def flips(folder: Path, count: int, *tables: str) -> list[tuple[Path, int]]:
    """Bits of the files of some tables, drawn with a fixed seed, each bit of all files as likely as any other."""
    paths = sorted(path for table in tables for path in folder.glob(f"{table}/*.parquet"))
    rng = random.Random(1)
    chosen = rng.choices(paths, [path.stat().st_size for path in paths], k=count)
    return [(path, rng.randrange(path.stat().st_size * 8)) for path in chosen]


def test_verify_finds_each_flipped_bit_and_pack_reads_none(copy: Path) -> None:
    folder = Folder(str(copy))
    expected = list(ParquetCorpus(path=str(copy)).documents())
    for path, bit in flips(copy, FLIPS, "documents", "sketches"):
        name = path.relative_to(copy).as_posix()
        before = flip(path, bit)
        found = faults(folder, read_expected(folder), sizes_of(folder), ignore_progress)
        assert [fault.name for fault in found] == [name]
        if name.startswith("documents/"):
            with pytest.raises(UserError, match=rf"{name} (is damaged|cannot be read)"):
                list(ParquetCorpus(path=str(copy)).documents())
        else:
            assert list(ParquetCorpus(path=str(copy)).documents()) == expected
        path.write_bytes(before)


@pytest.mark.parametrize("count", [2, pytest.param(15, marks=pytest.mark.soak)])
@pytest.mark.parametrize("table", ["documents", "sketches", "rejects/duplicates", "rejects/filters", "quarantine"])
def test_takedown_stops_at_a_flipped_bit(copy: Path, tmp_path: Path, table: str, count: int) -> None:
    for number, (path, bit) in enumerate(flips(copy, count, table)):
        before = flip(path, bit)
        name = path.relative_to(copy).as_posix()
        with pytest.raises(UserError, match=f"{name} is damaged: its SHA-256"):
            take(copy, Selection.of(["0-0"]), tmp_path / f"new{number}")
        assert not (tmp_path / f"new{number}/manifest.json").exists()
        path.write_bytes(before)


@pytest.mark.parametrize("count", [2, pytest.param(15, marks=pytest.mark.soak)])
@pytest.mark.parametrize("table", ["sketches", "rejects/duplicates"])
def test_a_crawl_held_against_a_release_stops_at_a_flipped_bit(
    copy: Path, tmp_path: Path, table: str, count: int
) -> None:
    write(tmp_path / "in", [[(text(4), None)]])
    for number, (path, bit) in enumerate(flips(copy, count, table)):
        before = flip(path, bit)
        name = path.relative_to(copy).as_posix()
        with pytest.raises(UserError, match=f"{name} is damaged: its SHA-256"):
            run(tmp_path / "in", tmp_path / f"new{number}", STRICT, [copy])
        path.write_bytes(before)


def test_a_run_goes_on_when_the_file_is_put_back(copy: Path, tmp_path: Path) -> None:
    ((path, bit),) = flips(copy, 1, "documents")
    before = flip(path, bit)
    with pytest.raises(UserError, match="is damaged"):
        take(copy, Selection.of(["0-0"]), tmp_path / "new")
    path.write_bytes(before)
    assert take(copy, Selection.of(["0-0"]), tmp_path / "new")["takedown"][-1]["taken_down"] == 1


def test_pages_carry_checksums_that_readers_verify(copy: Path) -> None:
    path = copy / "documents/00000.parquet"
    column = pq.read_metadata(path).row_group(0).column(1)
    assert column.path_in_schema == "text"
    start, size = column.data_page_offset, column.total_compressed_size
    header = 64  # bytes at most of a page's header, which the checksum does not cover
    assert size > header
    for bit in random.Random(2).sample(range((start + header) * 8, (start + size) * 8), 60):
        before = flip(path, bit)
        with pytest.raises(RunError, match=r"documents/00000\.parquet is damaged \(.*CRC checksum verification failed"):
            read_shard(Folder(str(copy)), "documents/00000.parquet", ["text"])
        path.write_bytes(before)
