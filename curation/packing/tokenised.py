"""A tokenised corpus: all tokens in one file, all ids in another, and about 40 bytes of memory for each document."""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.packing.encoding import EncodedBatch
from curation.packing.noticed import Noticed, NoticedReport
from curation.release.folder import WORK, Folder
from schemas.errors import UserError
from schemas.packed import TokenType

TOKENISED = f"{WORK}/tokenised"
_FILES = ("tokens", "doc_ids", "documents")
_STATE = f"{TOKENISED}/state.json"
_LONGEST = (1 << 31) - 1


@dataclass(frozen=True, kw_only=True)
class Tokenised:
    """n documents with at least one token, by number. The numbers are in the order of reading; the output depends on
    the digests alone."""

    names: list[str]
    """The sources, sorted."""
    source: npt.NDArray[np.int32]
    """The index in ``names`` of each document's source; shape (n,)."""
    lengths: npt.NDArray[np.int32]
    """The number of each document's tokens, including the end token; shape (n,)."""
    digests: npt.NDArray[np.uint64]
    """Shape (n, 2)."""
    starts: npt.NDArray[np.int64]
    """Where each document's tokens begin in ``tokens``, and then where the last ones end; shape (n + 1,)."""
    tokens: npt.NDArray[Any]
    """The tokens of all documents, memory-mapped."""
    doc_ids: pa.LargeStringArray
    """Memory-mapped; shape (n,)."""
    read: list[int]
    """The number of documents of each source, including empty ones."""
    values: npt.NDArray[np.float64]
    """The value by which a mixture weights each document, NaN if it has none; shape (n,)."""

    def __len__(self) -> int:
        return len(self.lengths)

    def totals(self) -> list[int]:
        """The tokens of each source."""
        return [int(self.lengths[self.source == place].sum()) for place in range(len(self.names))]


_DOCUMENT = np.dtype(
    [
        ("digest", np.uint64, 2),
        ("source", np.int32),
        ("length", np.int32),
        ("id_length", np.int32),
        ("value", np.float64),
    ]
)
"""What is stored for each document."""


@dataclass(frozen=True, kw_only=True)
class _State:
    """The state of a `TokenisedWriter` when it was saved."""

    at: tuple[int, ...] = (0, 0, 0)
    noticed: NoticedReport = field(default_factory=lambda: Noticed().report())
    read: Mapping[str, int] = field(default_factory=dict)
    names: tuple[str, ...]
    sizes: Mapping[str, int] = field(default_factory=dict)


class TokenisedWriter:
    """Writes encoded batches to disk, and keeps no tokens in memory. If the process is killed, another writer continues
    from the last `save`."""

    def __init__(self, folder: Folder, token_type: TokenType, names: list[str]):
        """``names`` are sources that are listed even if they have no document."""
        self._folder = folder
        self._type = np.dtype(token_type)
        saved = folder.read_json(_STATE, _State) if folder.exists(_STATE) else _State(names=tuple(names))
        self.at: tuple[int, ...] = saved.at
        """The position of the next document: the number of its corpus, and its `Place` in the corpus."""
        self.noticed = Noticed.of(saved.noticed)
        self._read = Counter(saved.read)
        self._places = {name: place for place, name in enumerate(saved.names)}
        self._files = {name: _open_at(folder, name, saved.sizes.get(name, 0)) for name in _FILES}

    def __enter__(self) -> "TokenisedWriter":
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    @property
    def documents(self) -> int:
        """The number of documents added, including empty ones."""
        return self._read.total()

    def add(self, encoded: EncodedBatch, corpus: int) -> None:
        """Adds a batch of the corpus with number ``corpus``. Raises UserError for a document of more than 2**31 - 1
        tokens."""
        documents, full = encoded.documents, encoded.lengths > 0
        if encoded.lengths.max(initial=0) > _LONGEST:
            longest = documents.doc_ids[int(encoded.lengths.argmax())]
            raise UserError(f"document {longest} has more than {_LONGEST:,} tokens: leave it out, or divide it")
        self._read.update(documents.sources)
        for name in documents.sources:
            self._places.setdefault(name, len(self._places))
        ids = [doc_id.encode() for doc_id, held in zip(documents.doc_ids, full.tolist(), strict=True) if held]
        rows = np.empty(len(ids), _DOCUMENT)
        rows["digest"] = encoded.digests[full]
        rows["source"] = np.array([self._places[name] for name in documents.sources], np.int32)[full]
        rows["length"] = encoded.lengths[full]
        rows["id_length"] = np.fromiter(map(len, ids), np.int32, len(ids))
        rows["value"] = np.nan if documents.values is None else documents.values[full]
        self._files["tokens"].write(encoded.tokens.data)
        self._files["doc_ids"].write(b"".join(ids))
        self._files["documents"].write(rows.tobytes())
        self.noticed.add(encoded.noticed)
        self.at = corpus, *documents.place

    def save(self) -> None:
        """Saves the state, from which an interrupted run can resume."""
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        state = _State(
            at=self.at,
            noticed=self.noticed.report(),
            read=self._read,
            names=tuple(self._places),
            sizes={name: file.tell() for name, file in self._files.items()},
        )
        self._folder.write_json(_STATE, state)

    def finish(self) -> Tokenised:
        """The written corpus, mapped into memory."""
        for file in self._files.values():
            file.close()
        names = sorted(self._places)
        ranks = np.array([names.index(name) for name in self._places], np.int32)
        rows = _map_file(self._folder.path(f"{TOKENISED}/documents"), _DOCUMENT)
        ids = _ends(rows["id_length"])
        text = pa.py_buffer(b"")  # an empty file cannot be mapped
        if ids[-1]:
            with pa.memory_map(self._folder.path(f"{TOKENISED}/doc_ids")) as file:
                text = file.read_buffer()
        return Tokenised(
            names=names,
            source=ranks[rows["source"]] if len(ranks) else np.empty(0, np.int32),
            lengths=rows["length"].copy(),
            digests=rows["digest"].copy(),
            starts=_ends(rows["length"]),
            tokens=_map_file(self._folder.path(f"{TOKENISED}/tokens"), self._type),
            doc_ids=pa.LargeStringArray.from_buffers(len(rows), pa.py_buffer(ids), text),
            read=[self._read[name] for name in names],
            values=rows["value"],
        )


def _open_at(folder: Folder, name: str, size: int) -> BinaryIO:
    """Opens a file of the folder for appending after its first ``size`` bytes; further bytes are removed."""
    path = Path(folder.path(f"{TOKENISED}/{name}"))
    path.parent.mkdir(exist_ok=True)
    path.touch()
    os.truncate(path, size)
    return path.open("ab")


def _ends(lengths: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """The offsets at which items of these lengths begin, and the end of the last item; shape (n + 1,)."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _map_file(path: str, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """The values in a file, memory-mapped; an empty file, which cannot be mapped, gives an empty array."""
    return np.memmap(path, kind, "r").view(np.ndarray) if os.path.getsize(path) else np.empty(0, kind)
