"""What a part of the corpus says of the samples by a definition that compares spans, and the rows of the samples."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.benchmarks.index import AT, DOCUMENT, MISMATCHES, PLACE, SAMPLE, TOKENS, Integers, rows_by_text
from curation.benchmarks.indexes import SpanIndex
from curation.benchmarks.passages import covered_places, locate
from curation.benchmarks.settings import SHOWN_SPANS
from curation.contamination.best import Best, Span, ranks
from curation.contamination.counts import TOUCHED, Read, draw_of, records
from curation.contamination.tables import DOCUMENTS


class FoundSpans:
    """What was found so far by a definition that compares spans. ``documents``: how many documents share a span with
    each sample."""

    def __init__(self, index: SpanIndex, samples: pa.Table):
        self._index, self._samples = index, samples
        self._longest = np.zeros(len(index.tokens), np.int32)
        self.documents = np.zeros(len(index.texts), np.int64)
        self.best: Best[Span] = Best(len(index.texts))
        self.read = Read(0, 0, 0, 0)

    def touched(self) -> npt.NDArray[Any]:
        """The tokens of samples that lie in a span, as TOUCHED."""
        tokens = np.flatnonzero(self._longest)
        return records(TOUCHED, tokens, self._longest[tokens])

    def search(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The contaminated documents of a batch, as rows of DOCUMENTS."""
        forms = self._index.form.texts(batch["text"])
        chosen, bounds, spans, covered = self._index.search(forms, self._longest)
        self.documents += np.bincount(spans[:, SAMPLE], minlength=len(self.documents))
        rows = []
        for own in rows_by_text(spans[:, DOCUMENT]):
            number = int(spans[own.start, DOCUMENT])
            row = int(chosen[number])
            rows.append(
                self._document(
                    (batch["doc_id"][row].as_py(), batch["source"][row].as_py(), batch["text"][row].as_py()),
                    forms[row].as_py(),
                    spans[own],
                    covered[bounds[number] : bounds[number + 1]],
                )
            )
        self.read = self.read.after(batch, len(chosen), len(rows))
        columns = {name: [row[name] for row in rows] for name in DOCUMENTS.columns.names}
        return DOCUMENTS.batch(columns, len(rows))

    def _document(
        self,
        document: tuple[str, str, str],
        form: str,
        spans: Integers,
        covered: npt.NDArray[np.bool_],
    ) -> dict[str, Any]:
        """The row of a document that shares ``spans`` with samples; keeps the best spans of the samples."""
        doc_id, source, text = document
        samples = self._samples
        places = self._index.places(form)
        draw = draw_of(doc_id, source)
        rank = ranks(spans[:, TOKENS], spans[:, MISMATCHES])
        order = np.lexsort([spans[:, SAMPLE], rank])[:SHOWN_SPANS]
        enters = self.best.may_enter(spans[:, SAMPLE], rank, np.full(len(spans), draw))
        located = np.union1d(order, np.flatnonzero(enters))
        at = locate(self._index, text, places, spans[located, AT], spans[located, TOKENS])
        bytes_of = dict(zip(located.tolist(), at, strict=True))
        data = text.encode()
        for number in np.flatnonzero(enters).tolist():
            start, end = bytes_of[number]
            passage = data[start:end].decode()
            span = Span(int(rank[number]), draw, doc_id, source, start, end, int(spans[number, PLACE]), passage)
            self.best.add(int(spans[number, SAMPLE]), span)
        return {
            "doc_id": doc_id,
            "source": source,
            "samples": len(spans),
            "longest": int(spans[:, TOKENS].max()),
            "passages": [
                {"start": start, "end": end} for start, end in covered_places(self._index, text, places, covered)
            ],
            "spans": [
                {
                    "tokens": int(spans[number, TOKENS]),
                    "mismatches": int(spans[number, MISMATCHES]),
                    "benchmark": samples["benchmark"][int(spans[number, SAMPLE])].as_py(),
                    "sample_id": samples["sample_id"][int(spans[number, SAMPLE])].as_py(),
                    "start": bytes_of[number][0],
                    "end": bytes_of[number][1],
                }
                for number in order.tolist()
            ],
        }


def sample_rows(
    index: SpanIndex, samples: pa.Table, numbers: range, longest: Integers, documents: Integers, best: Best[Span]
) -> dict[str, Any]:
    """The columns of SAMPLES or NGRAM_SAMPLES for some of the samples. ``longest`` is that of all samples' tokens."""
    samples = samples.slice(numbers.start, len(numbers))
    bounds = index.bounds[numbers.start : numbers.stop + 1]
    longests = [int(longest[bounds[k] : bounds[k + 1]].max(initial=0)) for k in range(len(numbers))]
    texts = samples["text"].to_pylist()
    return {
        "benchmark": samples["benchmark"].combine_chunks(),
        "sample_id": samples["sample_id"].combine_chunks(),
        "text": samples["text"].combine_chunks(),
        "tokens": np.diff(bounds),
        "longest": longests,
        **index.measured(longest, numbers),
        "documents": documents[numbers.start : numbers.stop],
        "spans": [_spans(index, text, best.of(number)) for number, text in zip(numbers, texts, strict=True)],
    }


def _spans(index: SpanIndex, text: str, spans: list[Span]) -> list[dict[str, Any]]:
    if not spans:
        return []
    form = index.form.texts(pa.array([text], pa.large_string()))[0].as_py()
    places = index.places(form)
    first = np.array([span.place for span in spans])
    last = first + np.array([span.tokens for span in spans]) - 1
    at = index.form.places(text, np.column_stack([places[first, 1], places[last, 2]])).tolist()
    return [
        {
            "tokens": span.tokens,
            "mismatches": span.mismatches,
            "sample_start": start,
            "sample_end": end,
            "doc_id": span.doc_id,
            "source": span.source,
            "start": span.start,
            "end": span.end,
            "passage": span.passage,
        }
        for span, (start, end) in zip(spans, at, strict=True)
    ]
