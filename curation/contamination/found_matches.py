"""What a part of the corpus says of the samples by the definition of decon, and the rows of the samples."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.benchmarks.contaminations import ABSENT, DOCUMENT, SAMPLE, are_contaminated, located, ranks
from curation.benchmarks.decon import PARTS, Integers
from curation.benchmarks.decon_index import DeconIndex
from curation.benchmarks.index import rows_by_text
from curation.benchmarks.settings import SHOWN_SPANS
from curation.contamination.best import Best
from curation.contamination.counts import Read, draw_of
from curation.contamination.tables import DECON_DOCUMENTS

SHOWN = 1000
"""The most characters that are shown of what repeats a part."""

Part = tuple[str, float, int, int, str]
"""The name of a part of a sample, its score, the bytes [start, end) of the document that repeat it, -1 if none do, and
the first characters there."""


class Match(NamedTuple):
    """A document that repeats a sample, in the order of goodness: ``rank`` is lower for a higher score, ``draw`` a hash
    of the document."""

    rank: int
    draw: int
    doc_id: str
    source: str
    score: float
    parts: Sequence[Part]


class FoundMatches:
    """What was found so far. ``documents``: how many documents contaminate each sample."""

    def __init__(self, index: DeconIndex, samples: pa.Table):
        self._index, self._samples = index, samples
        self.documents = np.zeros(len(samples), np.int64)
        self.best: Best[Match] = Best(len(samples))
        self.read = Read(0, 0, 0, 0)

    def search(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The contaminated documents of a batch, as rows of DECON_DOCUMENTS."""
        overlaps = self._index.search(self._index.form.texts(batch["text"]))
        contaminates = are_contaminated(self._index, overlaps)
        places, scores, _ = overlaps
        self.documents += np.bincount(places[contaminates, SAMPLE], minlength=len(self.documents))
        rows = []
        for own in rows_by_text(places[:, DOCUMENT]):
            row = int(places[own.start, DOCUMENT])
            document = batch["doc_id"][row].as_py(), batch["source"][row].as_py(), batch["text"][row].as_py()
            found = self._document(document, places[own], scores[own], contaminates[own])
            if found is not None:
                rows.append(found)
        self.read = self.read.after(batch, len(batch), len(rows))
        return DECON_DOCUMENTS.batch(
            {name: [row[name] for row in rows] for name in DECON_DOCUMENTS.columns.names}, len(rows)
        )

    def _document(
        self,
        document: tuple[str, str, str],
        places: Integers,
        scores: npt.NDArray[np.float64],
        contaminates: npt.NDArray[np.bool_],
    ) -> dict[str, Any] | None:
        """The row of a document with these matches, None if no match contaminates a sample; keeps the best matches of
        the samples."""
        doc_id, source, text = document
        samples = places[:, SAMPLE]
        draw = draw_of(doc_id, source)
        rank = ranks(scores[:, 0])
        shown = np.lexsort([samples, rank, ~contaminates])[: min(SHOWN_SPANS, int(contaminates.sum()))]
        enters = np.flatnonzero(self.best.may_enter(samples, rank, np.full(len(samples), draw)))
        placed = np.union1d(shown, enters)
        at = dict(zip(placed.tolist(), located(self._index, text, places[placed]).tolist(), strict=True))
        data = text.encode()
        for number in enters.tolist():
            sample = int(samples[number])
            score, *own = scores[number].tolist()
            parts = self._parts(sample, own, at[number], data)
            self.best.add(sample, Match(int(rank[number]), draw, doc_id, source, score, parts))
        if not len(shown):
            return None
        matches = [
            {
                "score": float(scores[number, 0]),
                "benchmark": self._samples["benchmark"][int(samples[number])].as_py(),
                "sample_id": self._samples["sample_id"][int(samples[number])].as_py(),
                "start": at[number][0][0],
                "end": at[number][0][1],
            }
            for number in shown.tolist()
        ]
        found = {"doc_id": doc_id, "source": source, "samples": int(contaminates.sum())}
        return {**found, "score": float(scores[contaminates, 0].max()), "matches": matches}

    def _parts(self, sample: int, scores: list[float], places: list[tuple[int, int]], data: bytes) -> list[Part]:
        """The parts that a sample has, from the score and the place of each part in the text ``data``."""
        return [
            (name, score, start, end, data[start:end].decode()[:SHOWN] if start != ABSENT else "")
            for name, score, (start, end), held in zip(
                PARTS, scores, places, self._index.has_parts[sample].tolist(), strict=True
            )
            if held
        ]


def sample_rows(index: DeconIndex, numbers: range, documents: Integers, best: Best[Match]) -> dict[str, Any]:
    """The columns of DECON_SAMPLES for some samples."""
    own = slice(numbers.start, numbers.stop)
    samples = index.samples.slice(numbers.start, len(numbers))
    matches = [best.of(number) for number in numbers]
    scores = np.array([found[0].score if found else 0.0 for found in matches])
    columns = {name: samples[name].combine_chunks() for name in samples.column_names}
    return {
        **columns,
        "words": index.lengths[own].sum(axis=1),
        "left_out": pa.array(index.left_out[own]),
        "threshold": index.thresholds[own],
        "score": scores,
        **{f"{part}_score": [_score(found, part) for found in matches] for part in PARTS},
        "contaminated": pa.array(documents[own] > 0),
        "documents": documents[own],
        "matches": [[_match(match) for match in found] for found in matches],
    }


def _score(matches: list[Match], part: str) -> float | None:
    """The score of a part in the best match; None without a match or without the part."""
    return next((each[1] for match in matches[:1] for each in match.parts if each[0] == part), None)


def _match(match: Match) -> dict[str, Any]:
    return {
        "score": match.score,
        "doc_id": match.doc_id,
        "source": match.source,
        "parts": [
            {
                "part": name,
                "score": score,
                "start": None if start == ABSENT else start,
                "end": None if start == ABSENT else end,
                "extract": None if start == ABSENT else extract,
            }
            for name, score, start, end, extract in match.parts
        ],
    }
