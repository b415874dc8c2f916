"""Compressed files that expand to far more than they hold: bounded work, a named reason, the rest is read."""

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import lz4.frame
import pytest
import zstandard

from curation.sources import decompression, member_search
from curation.sources.chunks import FREE_RECORDS
from curation.sources.decompression import FREE_EXPANSION, MAX_EXPANSION, decompress
from curation.sources.opening import StoredFile
from curation.sources.reading import ReadingSettings
from tests.curation.sources.made import gz, lines, read_bytes, zst
from tests.curation.sources.test_contents import tarred

GOOD = lines({"text": "before"}), lines({"text": "behind"})
PACKS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gz, "zst": zst, "bz2": bz2.compress, "xz": lzma.compress, "lz4": lz4.frame.compress,
}  # fmt: skip
FAR = ["zst", "bz2", "xz"]
"""What can expand a thousandfold and more; gzip and lz4 cannot be made to expand that far."""


def _far(pack: Callable[[bytes], bytes], size: int) -> bytes:
    """A member of ``size`` zeros."""
    return pack(bytes(size))


@pytest.mark.parametrize("end", FAR)
def test_a_member_that_expands_too_far_costs_itself(end: str, tmp_path: Path) -> None:
    pack = PACKS[end]
    data = pack(GOOD[0]) + _far(pack, FREE_EXPANSION + (48 << 20)) + pack(GOOD[1])
    assert len(data) * MAX_EXPANSION < 48 << 20
    read = read_bytes(data, tmp_path, ReadingSettings(max_record_bytes=1 << 20), f"a.jsonl.{end}")
    assert read.texts == ["before", "behind"]
    assert "expands_too_far" in read.errors
    assert read.bytes_read < FREE_EXPANSION + MAX_EXPANSION * len(data) + (48 << 20)


@pytest.mark.parametrize("end", FAR)
def test_ten_gigabytes_of_zeros_are_not_read(end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not over many members either."""
    monkeypatch.setattr(decompression, "FREE_EXPANSION", 1 << 20)
    pack = PACKS[end]
    member = _far(pack, 16 << 20)
    count = min(600, 300_000 // len(member))
    read = read_bytes(member * count + pack(GOOD[1]), tmp_path, name=f"a.jsonl.{end}")
    assert read.bytes_read < (3 << 20) * count
    assert read.bytes_read < (1 << 20) + MAX_EXPANSION * len(member) * count + (33 << 20)
    assert set(read.errors) <= {"expands_too_far", "too_large", "bad_json"}


@pytest.mark.parametrize("end", PACKS)
def test_text_that_repeats_itself_is_no_bomb(end: str, tmp_path: Path) -> None:
    data = PACKS[end](lines(*({"text": f"Mill {n} stands by the brook."} for n in range(20_000))))
    read = read_bytes(data, tmp_path, name=f"a.jsonl.{end}")
    assert (len(read.documents), read.quarantine) == (20_000, [])


def test_archives_expand_no_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from curation.sources import zipped

    monkeypatch.setattr(zipped, "FREE_EXPANSION", 1 << 20)
    monkeypatch.setattr(decompression, "FREE_EXPANSION", 1 << 20)
    sink = BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_BZIP2) as packed:
        packed.writestr("a.jsonl", bytes(64 << 20))
        packed.writestr("b.jsonl", GOOD[1])
    for name, data in (("a.zip", sink.getvalue()), ("a.tar", tarred({"a.jsonl.bz2": bz2.compress(bytes(64 << 20))}))):
        read = read_bytes(data, tmp_path, name=name)
        assert "expands_too_far" in read.errors
        assert read.bytes_read < 8 << 20


def test_members_of_a_zip_may_not_overlap(tmp_path: Path) -> None:
    """Many entries of the directory for one member."""
    sink = BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.jsonl", lines(*({"text": f"{n}"} for n in range(1000))))
        packed.filelist *= 50
    read = read_bytes(sink.getvalue(), tmp_path, name="a.zip")
    assert (len(read.documents), read.errors) == (1000, ["bad_directory"])


def test_windows_are_bounded(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=28, enable_ldm=True)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    large = stream.compress(GOOD[0]) + stream.flush()
    read = read_bytes(large + zst(GOOD[1]), tmp_path, name="a.jsonl.zst")
    assert (read.texts, read.errors) == (["behind"], ["too_much_memory"])
    assert "reading.max_window_bytes" in read.quarantine[0]["message"]
    read = read_bytes(large, tmp_path, ReadingSettings(max_window_bytes=1 << 28), "a.jsonl.zst")
    assert read.texts == ["before"]
    wide = lzma.compress(GOOD[0], filters=[{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 30}])
    read = read_bytes(wide + lzma.compress(GOOD[1]), tmp_path, name="a.jsonl.xz")
    assert (read.texts, read.errors) == (["behind"], ["too_much_memory"])


class _Counted(StoredFile):
    """Counts the bytes that are handed out, however often."""

    given = 0

    def read(self, size: int = 1 << 18) -> bytes:
        data = super().read(size)
        self.given += len(data)
        return data

    def reread(self, start: int) -> Iterator[bytes]:
        for data in super().reread(start):
            self.given += len(data)
            yield data


def _stored_blocks(count: int) -> bytes:
    """Begins of gzip members that each claim 64 KiB of stored data, one behind the other."""
    return (gzip.compress(b"", mtime=0)[:10] + b"\0\xff\xff\0\0") * count


HOSTILE: dict[str, Callable[[int], bytes]] = {
    "magics": lambda n: b"\x1f\x8b\x08\0" * (n // 4),
    "stored blocks": lambda n: _stored_blocks(n // 15),
    "empty members": lambda n: gz(b"") * (n // 20),
    "broken members": lambda n: (gz(b"some words of text")[:-8] + b"\xff" * 8) * (n // 40),
    "zstd magics": lambda n: b"\x28\xb5\x2f\xfd" * (n // 4),
    "bzip2 magics": lambda n: b"BZh91AY&SY" * (n // 10),
    "xz magics": lambda n: b"\xfd7zXZ\0\0\x04" * (n // 8),
    "lz4 magics": lambda n: b"\x04\x22\x4d\x18" * (n // 4),
    "skippable frames": lambda n: b"\x50\x2a\x4d\x18\0\0\0\0" * (n // 8),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_work_on_hostile_members_is_linear(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read and fed to decompressors, over twice the bytes, at most little more than doubles."""
    monkeypatch.setattr(member_search, "FREE_TRIALS", 1 << 20)
    kind = {"zstd": "zstd", "bzip2": "bzip2", "xz": "xz", "lz4": "lz4", "skippable": "zstd"}.get(
        name.split()[0], "gzip"
    )
    container = decompression.CONTAINERS[kind]  # type: ignore[index]
    work = []
    for size in (200_000, 400_000):
        path = tmp_path / f"{size}"
        path.write_bytes(HOSTILE[name](size))
        fed = [0]
        monkeypatch.setitem(decompression.CONTAINERS, kind, _counting(container, fed))  # type: ignore[arg-type]
        with _Counted(str(path)) as file:
            for _ in decompress(file, kind):  # type: ignore[arg-type]
                pass
            work.append(file.given + fed[0])
    assert work[1] < 2.5 * work[0] + (2 << 20)


def _counting(container: decompression.Container, fed: list[int]) -> decompression.Container:
    """The container with members that count what they take."""
    from dataclasses import replace

    def opened(window: int, dictionary: bytes | None) -> object:
        member = container.open(window, dictionary)
        feed = member.feed
        fed[0] += 64

        def count(data: memoryview) -> tuple[bytes, int]:
            fed[0] += min(len(data), 4096)
            output, taken = feed(data)
            fed[0] += taken + len(output)
            return output, taken

        class Counting:
            eof = property(lambda _: member.eof)
            hungry = property(lambda _: member.hungry)

        counting = Counting()
        counting.feed = count  # type: ignore[attr-defined]
        return counting

    return replace(container, open=opened)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "line",
    [b"{}\n", *(pytest.param(line, marks=pytest.mark.soak) for line in (b'{"text":"a"}\n', b'{"id":1,"text":"b"}\n'))],
)
def test_records_without_number_are_left_unread(line: bytes, tmp_path: Path) -> None:
    """A kilobyte holds millions of them, and each one costs its microseconds."""
    data = zst(line * 900_000)
    assert len(data) < 10_000
    read = read_bytes(data, tmp_path, name="a.jsonl.zst")
    records = len(read.documents) + len(read.quarantine)
    assert FREE_RECORDS < records < FREE_RECORDS + len(data) + 600_000
    assert read.errors[-1] == "expands_too_far"
