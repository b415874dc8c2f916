"""The shuffle of a local run: stages exchange data through files, so that it need not fit into memory.

Each call of a stage writes one file of blobs, which appears when it is complete, so that an interrupted run skips calls
that are done.
"""

import io
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np

from curation.release.folder import Folder

Keyed = tuple[int, bytes]

_MAGIC = b"grstshfl"
_ENTRY = 3 * 8
"""Bytes of an entry of the index: (key, offset, length), sorted. The number of entries and _MAGIC follow the index."""


def store(folder: Folder, name: str, results: Iterable[Keyed]) -> None:
    """Writes the results of a call."""
    index: list[tuple[int, int, int]] = []
    offset = 0
    with folder.writing(name) as stream:
        for key, blob in results:
            stream.write(blob)
            index.append((key, offset, len(blob)))
            offset += len(blob)
        stream.write(np.array(sorted(index), np.int64).tobytes() + len(index).to_bytes(8, "little") + _MAGIC)


def is_whole(folder: Folder, name: str) -> bool:
    """Whether a file holds all results of a call: after a crash of the machine a file may be empty or cut off."""
    try:
        stream = folder.reading(name)
    except FileNotFoundError:
        return False
    with stream:
        return stream.seek(0, io.SEEK_END) >= len(_MAGIC) and _ends_well(stream)


def _ends_well(stream: IO[bytes]) -> bool:
    stream.seek(-len(_MAGIC), io.SEEK_END)
    return stream.read(len(_MAGIC)) == _MAGIC


def fetch(folder: Folder, names: Iterable[str], key: int) -> Iterator[bytes]:
    """The blobs of a key in some files."""
    for name in names:
        with folder.reading(name) as stream:
            index = _Index(stream, name)
            for at in range(bisect_left(index, key), len(index)):
                found, offset, length = index.entry(at)
                if found != key:
                    break
                stream.seek(offset)
                yield stream.read(length)


class _Index:
    """The keys of a file, ascending; reads only the entries that are accessed."""

    def __init__(self, stream: IO[bytes], name: str):
        self._stream = stream
        if not _ends_well(stream):
            raise ValueError(f"{name} is cut off")
        end = stream.seek(-8 - len(_MAGIC), io.SEEK_END)
        self._entries = int.from_bytes(stream.read(8), "little")
        self._start = end - self._entries * _ENTRY

    def __len__(self) -> int:
        return self._entries

    def __getitem__(self, at: int) -> int:
        return self.entry(at)[0]

    def entry(self, at: int) -> tuple[int, int, int]:
        self._stream.seek(self._start + at * _ENTRY)
        key, offset, length = np.frombuffer(self._stream.read(_ENTRY), np.int64).tolist()
        return key, offset, length
