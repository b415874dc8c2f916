"""Searches a part of the corpus: writes the part's contaminated documents, and returns what it says of the samples."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from curation.benchmarks.index import Integers
from curation.benchmarks.ngram_index import AnyIndex
from curation.benchmarks.settings import SHOWN_SPANS
from curation.contamination.best import BestSpans, Span, ranks
from curation.contamination.run import Search, index_of
from curation.contamination.tables import DOCUMENTS
from curation.engine.shuffle import Keyed
from curation.engine.stages import Groups, of_kind
from curation.release.shards import ShardWriter, shard_name
from curation.tokenizers.tokenizer import one_thread_each
from schemas.manifest import ShardEntry

TOUCHED = np.dtype([("token", np.int64), ("longest", np.int64)])
"""The longest span of a token of the samples."""
COUNTED = np.dtype([("sample", np.int64), ("documents", np.int64)])
_DRAW = (1 << 63) - 1
_DOCUMENT, _SAMPLE, _PLACE, _AT, _TOKENS, _MISMATCHES = range(6)
"""The columns of `find_spans`."""


class Read(NamedTuple):
    """What was read of the corpus: documents, bytes of text, documents that were tokenised (or split into words, for a
    definition by words), contaminated documents."""

    documents: int
    bytes: int
    tokenised: int
    contaminated: int


def search_part(run: Search, key: int, groups: Groups) -> Iterator[Keyed]:
    """Stage: searches part ``key`` of the corpus."""
    with one_thread_each():
        found = _Found(index_of(run)[0])
        name = shard_name("documents", key)
        with ShardWriter(run.folder, name, DOCUMENTS.schema) as writer:
            for batch in run.corpus.batches(run.parts[key]):
                writer.write(found.search(batch, index_of(run)[1]))
    entry = {name: asdict(writer.entry())}
    yield from of_kind("entries", [(0, json.dumps(entry).encode())])
    yield from of_kind("read", [(0, np.array(found.read, np.int64).tobytes())])
    yield from of_kind("touched", [(0, found.touched().tobytes())])
    yield from of_kind("counted", [(0, found.counted().tobytes())])
    spans = [[sample, *span] for sample, span in found.best]
    yield from of_kind("spans", [(0, json.dumps(spans, ensure_ascii=False).encode())] if spans else [])


def shard_entries(blobs: list[bytes]) -> dict[str, ShardEntry]:
    """The manifest's entries from blobs of the kind ``entries``."""
    return {name: ShardEntry(**entry) for blob in blobs for name, entry in json.loads(blob).items()}


class _Found:
    """What was found so far."""

    def __init__(self, index: AnyIndex):
        self._index = index
        self._longest = np.zeros(len(index.tokens), np.int32)
        self._documents = np.zeros(len(index.texts), np.int64)
        self.best = BestSpans(len(index.texts))
        self.read = Read(0, 0, 0, 0)

    def touched(self) -> npt.NDArray[Any]:
        """The tokens of samples that lie in a span, as TOUCHED."""
        tokens = np.flatnonzero(self._longest)
        return _records(TOUCHED, tokens, self._longest[tokens])

    def counted(self) -> npt.NDArray[Any]:
        """How many documents share a span with each sample, as COUNTED."""
        samples = np.flatnonzero(self._documents)
        return _records(COUNTED, samples, self._documents[samples])

    def search(self, batch: pa.RecordBatch, samples: pa.Table) -> pa.RecordBatch:
        """The contaminated documents of a batch, as rows of DOCUMENTS."""
        forms = self._index.form.texts(batch["text"])
        chosen, bounds, spans, covered = self._index.search(forms, self._longest)
        self._documents += np.bincount(spans[:, _SAMPLE], minlength=len(self._documents))
        firsts = np.flatnonzero(np.diff(spans[:, _DOCUMENT], prepend=-1))
        rows = []
        for first, stop in pairwise([*firsts.tolist(), len(spans)]):
            number = int(spans[first, _DOCUMENT])
            row = int(chosen[number])
            rows.append(
                self._document(
                    (batch["doc_id"][row].as_py(), batch["source"][row].as_py(), batch["text"][row].as_py()),
                    forms[row].as_py(),
                    spans[first:stop],
                    covered[bounds[number] : bounds[number + 1]],
                    samples,
                )
            )
        done = len(batch), pc.sum(pc.binary_length(batch["text"])).as_py() or 0, len(chosen), len(rows)
        self.read = Read(*(held + new for held, new in zip(self.read, done, strict=True)))
        columns = {name: [row[name] for row in rows] for name in DOCUMENTS.columns.names}
        return DOCUMENTS.batch(columns, len(rows))

    def _document(
        self,
        document: tuple[str, str, str],
        form: str,
        spans: Integers,
        covered: npt.NDArray[np.bool_],
        samples: pa.Table,
    ) -> dict[str, Any]:
        """The row of a document that shares ``spans`` with samples; keeps the best spans of the samples."""
        doc_id, source, text = document
        places = self._index.places(form)
        draw = xxhash.xxh3_64_intdigest(f"{doc_id}\0{source}".encode()) & _DRAW
        rank = ranks(spans[:, _TOKENS], spans[:, _MISMATCHES])
        order = np.lexsort([spans[:, _SAMPLE], rank])[:SHOWN_SPANS]
        enters = self.best.may_enter(spans[:, _SAMPLE], rank, np.full(len(spans), draw))
        located = np.union1d(order, np.flatnonzero(enters))
        at = self._locate(text, places, spans[located, _AT], spans[located, _TOKENS])
        bytes_of = dict(zip(located.tolist(), at.tolist(), strict=True))
        data = text.encode()
        for number in np.flatnonzero(enters).tolist():
            start, end = bytes_of[number]
            passage = data[start:end].decode()
            span = Span(int(rank[number]), draw, doc_id, source, start, end, int(spans[number, _PLACE]), passage)
            self.best.add(int(spans[number, _SAMPLE]), span)
        return {
            "doc_id": doc_id,
            "source": source,
            "samples": len(spans),
            "longest": int(spans[:, _TOKENS].max()),
            "passages": self._passages(text, places, covered),
            "spans": [
                {
                    "tokens": int(spans[number, _TOKENS]),
                    "mismatches": int(spans[number, _MISMATCHES]),
                    "benchmark": samples["benchmark"][int(spans[number, _SAMPLE])].as_py(),
                    "sample_id": samples["sample_id"][int(spans[number, _SAMPLE])].as_py(),
                    "start": bytes_of[number][0],
                    "end": bytes_of[number][1],
                }
                for number in order.tolist()
            ],
        }

    def _passages(self, text: str, places: Integers, covered: npt.NDArray[np.bool_]) -> list[dict[str, int]]:
        """The runs of covered tokens, as bytes of the text."""
        edges = np.flatnonzero(np.diff(covered.astype(np.int8), prepend=0, append=0))
        starts, stops = edges[::2], edges[1::2]
        found = self._locate(text, places, starts, stops - starts)
        return [{"start": start, "end": end} for start, end in found.tolist()]

    def _locate(self, text: str, places: Integers, first: Integers, tokens: Integers) -> Integers:
        """The bytes of a text that runs of tokens come from: shape (runs, 2)."""
        return self._index.form.places(text, np.column_stack([places[first, 1], places[first + tokens - 1, 2]]))


def _records(kind: np.dtype[Any], *columns: Any) -> npt.NDArray[Any]:
    found = np.empty(len(columns[0]), kind)
    for name, column in zip(kind.names or (), columns, strict=True):
        found[name] = column
    return found
