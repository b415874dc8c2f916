"""A tokenised corpus: all tokens in one file, all ids in another, and about 40 bytes of memory a document."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.errors import UserError
from curation.packing.encoding import Encoded
from schemas.packed import TokenType

_LONGEST = (1 << 31) - 1


@dataclass(frozen=True, kw_only=True)
class Tokenised:
    """n documents with at least one token, by their number. A number says where a document was read; what is made of
    the corpus depends on digests alone."""

    names: list[str]
    """The sources, sorted."""
    source: npt.NDArray[np.int32]
    """Of each document, its place in ``names``; shape (n,)."""
    lengths: npt.NDArray[np.int32]
    """Tokens, the end token among them; shape (n,)."""
    digests: npt.NDArray[np.uint64]
    """Shape (n, 2)."""
    starts: npt.NDArray[np.int64]
    """Where its tokens begin in ``tokens``, and last where they all end; shape (n + 1,)."""
    tokens: npt.NDArray[Any]
    """Of all documents, memory-mapped."""
    doc_ids: pa.LargeStringArray
    """Memory-mapped; shape (n,)."""
    read: list[int]
    """Documents of each source, empty ones among them."""

    def __len__(self) -> int:
        return len(self.lengths)

    def totals(self) -> list[int]:
        """The tokens of each source."""
        return [int(self.lengths[self.source == place].sum()) for place in range(len(self.names))]


class TokenisedWriter:
    """Takes encoded batches, and holds none of their tokens."""

    def __init__(self, folder: Path, token_type: TokenType, names: list[str]):
        """``names`` are sources that are there even if they have no document."""
        folder.mkdir()
        self._folder = folder
        self._type = np.dtype(token_type)
        self._tokens = (folder / "tokens").open("wb")
        self._ids = (folder / "doc_ids").open("wb")
        self._places = {name: place for place, name in enumerate(names)}
        self._read: Counter[str] = Counter()
        self._source: list[npt.NDArray[np.int32]] = []
        self._lengths: list[npt.NDArray[np.int32]] = []
        self._digests: list[npt.NDArray[np.uint64]] = []
        self._id_lengths: list[npt.NDArray[np.int32]] = []

    def __enter__(self) -> "TokenisedWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tokens.close()
        self._ids.close()

    def add(self, encoded: Encoded) -> None:
        """Raises UserError for a document of more than 2**31 - 1 tokens."""
        documents, full = encoded.documents, encoded.lengths > 0
        if encoded.lengths.max(initial=0) > _LONGEST:
            longest = documents.doc_ids[int(encoded.lengths.argmax())]
            raise UserError(f"document {longest} has more than {_LONGEST:,} tokens: leave it out, or divide it")
        self._read.update(documents.sources)
        for name in documents.sources:
            self._places.setdefault(name, len(self._places))
        ids = [doc_id.encode() for doc_id, held in zip(documents.doc_ids, full.tolist(), strict=True) if held]
        self._tokens.write(encoded.tokens.data)
        self._ids.write(b"".join(ids))
        self._source.append(np.array([self._places[name] for name in documents.sources], np.int32)[full])
        self._lengths.append(encoded.lengths[full].astype(np.int32))
        self._digests.append(encoded.digests[full])
        self._id_lengths.append(np.fromiter(map(len, ids), np.int32, len(ids)))

    def finish(self) -> Tokenised:
        """What was written, mapped into memory."""
        self._tokens.close()
        self._ids.close()
        names = sorted(self._places)
        ranks = np.array([names.index(name) for name in self._places], np.int32)
        lengths = np.concatenate([np.empty(0, np.int32), *self._lengths])
        ids = _ends(np.concatenate([np.empty(0, np.int32), *self._id_lengths]))
        source = np.concatenate([np.empty(0, np.int32), *self._source])
        text = pa.py_buffer(b"")  # a file without a byte cannot be mapped
        if ids[-1]:
            with pa.memory_map(str(self._folder / "doc_ids")) as file:
                text = file.read_buffer()
        return Tokenised(
            names=names,
            source=ranks[source] if len(ranks) else source,
            lengths=lengths,
            digests=np.concatenate([np.empty((0, 2), np.uint64), *self._digests]),
            starts=_ends(lengths),
            tokens=_mapped(self._folder / "tokens", self._type),
            doc_ids=pa.LargeStringArray.from_buffers(len(lengths), pa.py_buffer(ids), text),
            read=[self._read[name] for name in names],
        )


def _ends(lengths: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Where each begins and the last one ends: shape (n + 1,)."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _mapped(path: Path, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """The file's tokens; one without a byte cannot be mapped."""
    return np.memmap(path, kind, "r").view(np.ndarray) if path.stat().st_size else np.empty(0, kind)
