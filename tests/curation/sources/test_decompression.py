"""Broken containers: what is whole is read, what is broken is told once, what follows is found again."""

import hashlib
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.sources.decompression import decompress
from curation.sources.events import Broken, MemberStart
from curation.sources.opening import StoredFile
from tests.curation.sources.made import gz, zst

PACK = {"gzip": gz, "zstd": zst}
CONTAINERS = pytest.mark.parametrize("container", PACK)


def _noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def unpack(data: bytes, container: str | None, folder: Path) -> tuple[bytes, list[Broken], list[int]]:
    """Decompressed bytes, broken places and the offsets of members; the stored bytes are all read and hashed."""
    path = folder / "packed"
    path.write_bytes(data)
    out, broken, members = [], [], []
    with StoredFile(str(path)) as file:
        for event in decompress(file, container):
            if isinstance(event, bytes):
                out.append(event)
            elif isinstance(event, MemberStart):
                members.append(event.offset)
            else:
                broken.append(event)
        assert file.sha256 == hashlib.sha256(data).hexdigest()
        assert file.hashed == len(data)
    return b"".join(out), broken, members


@CONTAINERS
def test_members_follow_each_other(container: str, tmp_path: Path) -> None:
    parts = [b"a" * 5_000_000, b"", _noise(700_000), b"end"]
    packed = [PACK[container](part) for part in parts]
    out, broken, members = unpack(b"".join(packed), container, tmp_path)
    assert out == b"".join(parts)
    assert not broken
    assert members == [sum(map(len, packed[:n])) for n in range(len(packed))]


def test_a_plain_file_is_as_it_is(tmp_path: Path) -> None:
    data = _noise(3_000_000)
    assert unpack(data, None, tmp_path) == (data, [], [])


@CONTAINERS
@given(data=st.data())
def test_a_truncated_file_gives_what_it_holds(
    container: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first, second = b"first " * 50, _noise(400)
    packed = PACK[container](first) + PACK[container](second)
    cut = data.draw(st.integers(len(PACK[container](first)) + 1, len(packed) - 1))
    out, broken, _ = unpack(packed[:cut], container, tmp_path_factory.getbasetemp())
    assert (first + second).startswith(out)
    assert out.startswith(first)
    assert [one.error for one in broken] in (["truncated"], ["trailing_garbage"])
    assert broken[0].offset == len(PACK[container](first))
    assert broken[0].size == cut - broken[0].offset


@CONTAINERS
@pytest.mark.parametrize("junk", [b"junk", b"\x1f\x8b\x08\0 no", b"\x28\xb5\x2f\xfd\xff\xff", b"<html>" * 200_000])
def test_garbage_behind_the_last_member_is_reported(container: str, junk: bytes, tmp_path: Path) -> None:
    good = PACK[container](b"good\n")
    out, broken, _ = unpack(good + junk, container, tmp_path)
    assert out == b"good\n"
    assert len(broken) == 1
    assert (broken[0].offset, broken[0].size) == (len(good), len(junk))


def test_zero_padding_is_none_of_the_data(tmp_path: Path) -> None:
    assert unpack(gz(b"tape") + b"\0" * 1_000_000, "gzip", tmp_path)[:2] == (b"tape", [])
    assert unpack(gz(b"tape") + b"\0" * 10 + gz(b"more"), "gzip", tmp_path)[:2] == (b"tapemore", [])


@CONTAINERS
@given(seed=st.integers(0, 1000), place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_broken_byte_costs_its_member_only(
    container: str, seed: int, place: float, flip: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    parts = [b"one " * 900, _noise(3000, seed) + b"two " * 30, b"three " * 700]
    packed = [PACK[container](part) for part in parts]
    spoilt = bytearray(packed[1])
    spoilt[int(place * len(spoilt))] ^= flip
    out, broken, _ = unpack(packed[0] + bytes(spoilt) + packed[2], container, tmp_path_factory.getbasetemp())
    assert out.startswith(parts[0])
    assert out.endswith(parts[2])
    assert len(broken) <= 2
    assert broken or out[len(parts[0]) : -len(parts[2])] == parts[1]


def test_a_member_with_a_wrong_checksum_is_still_given(tmp_path: Path) -> None:
    content = b"line\n" * 100_000
    packed = bytearray(gz(content))
    packed[-6] ^= 1
    out, broken, _ = unpack(bytes(packed) + gz(b"next\n"), "gzip", tmp_path)
    assert out == content + b"next\n"
    assert [one.error for one in broken] == ["bad_checksum"]


def test_a_bomb_comes_in_small_pieces(tmp_path: Path) -> None:
    for container, pack in PACK.items():
        path = tmp_path / "bomb"
        path.write_bytes(pack(bytes(64 << 20)))
        with StoredFile(str(path)) as file:
            sizes = [len(event) for event in decompress(file, container) if isinstance(event, bytes)]
        assert sum(sizes) == 64 << 20
        assert max(sizes) <= (1 << 20 if container == "gzip" else 32 << 20)
