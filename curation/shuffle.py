"""The shuffle of a local run: what stages hand to one another lies on disk, so that no process holds it.

Each call of a stage leaves one run of blobs, which appears whole: an interrupted job finds there what was done before.
What travels through Beam instead of a blob is a reference to it.
"""

import io
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from curation.folder import Folder

Keyed = tuple[int, bytes]

_MAGIC = b"grstshfl"
_REFERENCE = b"@"
_INDEX_WIDTH = 3
"""An entry of the index is (key, offset, length); behind the index stand the number of its entries and _MAGIC."""


def store(folder: Folder, name: str, results: Iterable[Keyed]) -> list[Keyed]:
    """Writes what a call yields; a reference for each blob."""
    index: list[tuple[int, int, int]] = []
    offset = 0
    with folder.writing(name) as stream:
        for key, blob in results:
            stream.write(blob)
            index.append((key, offset, len(blob)))
            offset += len(blob)
        entries = np.array(index, np.int64).reshape(-1, _INDEX_WIDTH)
        stream.write(entries.tobytes() + len(entries).to_bytes(8, "little") + _MAGIC)
    return _references(name, entries)


def stored(folder: Folder, name: str) -> list[Keyed] | None:
    """The references that an earlier ``store`` returned, None where there was none."""
    try:
        stream = folder.reading(name)
    except FileNotFoundError:
        return None
    with stream:
        end = stream.seek(-16, io.SEEK_END)
        count, magic = int.from_bytes(stream.read(8), "little"), stream.read(8)
        assert magic == _MAGIC, name
        size = count * _INDEX_WIDTH * 8
        stream.seek(end - size)
        return _references(name, np.frombuffer(stream.read(size), np.int64).reshape(-1, _INDEX_WIDTH))


def fetch(folder: Folder, blobs: Iterable[bytes]) -> list[bytes]:
    """Blobs for references to them, each run opened once; what is no reference stays as it is."""
    wanted: dict[str, list[tuple[int, int]]] = {}
    found = []
    for blob in blobs:
        if not blob.startswith(_REFERENCE):
            found.append(blob)
            continue
        offset, length, name = blob[len(_REFERENCE) :].decode().split(" ", 2)
        wanted.setdefault(name, []).append((int(offset), int(length)))
    for run, places in sorted(wanted.items()):
        with folder.reading(run) as stream:
            for start, size in sorted(places):
                stream.seek(start)
                found.append(stream.read(size))
    return found


def _references(name: str, entries: npt.NDArray[np.int64]) -> list[Keyed]:
    return [(key, _REFERENCE + f"{offset} {length} {name}".encode()) for key, offset, length in entries.tolist()]
