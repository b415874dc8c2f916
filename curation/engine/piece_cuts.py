"""Cuts pieces out of the passed documents of a unit, and writes what was cut and where its first copy is."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.dedup.edges import Records, rows_of
from curation.dedup.pieces import UNITS
from curation.engine.piece_stages import unit_cuts
from curation.engine.run import Run
from curation.kernels.cuts import Parts, cut_parts, parts_of_pieces, texts_of_parts
from curation.kernels.piece_bounds import LINES, find_pieces
from curation.kernels.substrings import parts_of_substrings
from curation.release.ledger import Ledger
from schemas import CUTS, FAILED

STAGE, REASON = "pieces", "nothing_left"
"""The stage and the reason of a document with nothing left."""


@dataclass(frozen=True)
class CutBatch:
    """A batch of passed documents after cutting; ``trace`` is what was cut (CUTS), ``rows`` the row of each part."""

    texts: pa.LargeStringArray
    emptied: npt.NDArray[np.bool_]
    """The documents with nothing left but white space."""
    rows: npt.NDArray[np.int64]
    trace: pa.RecordBatch


class Cutter:
    """Cuts the pieces out of a unit's documents that `write_cuts` found. ``names`` are the names of the documents with
    the first copies, sorted by row id."""

    def __init__(self, run: Run, unit: int, names: pa.Table):
        self._cuts = unit_cuts(run, unit)
        self._rows = rows_of(self._cuts[:, 0])
        settings = run.job.recipe.dedup.pieces
        assert settings is not None
        self._settings = settings
        self._names = names
        self._ids = names["id"].to_numpy()

    def cut(self, batch: pa.RecordBatch, start: int) -> CutBatch:
        """Cuts a batch of passed documents, of which ``start`` is the row of the first."""
        low, high = np.searchsorted(self._rows, [start, start + len(batch)])
        cuts = self._cuts[low:high]
        chosen, text = np.unique(self._rows[low:high] - start, return_inverse=True)
        texts = batch["text"].take(pa.array(chosen))
        parts = self._parts(texts, text.astype(np.int64), cuts)
        left = cut_parts(texts, parts)
        has_line = np.zeros(len(left), bool)
        has_line[find_pieces(left, LINES).text] = True
        emptied = np.zeros(len(batch), bool)
        emptied[chosen[~has_line]] = True
        order = np.arange(len(batch))
        order[chosen] = len(batch) + np.arange(len(chosen))
        every = pa.concat_arrays([batch["text"], left]).take(pa.array(order)) if len(chosen) else batch["text"]
        trace = self._trace(batch.take(pa.array(chosen)), parts, cuts)
        return CutBatch(every, emptied, chosen[parts.text], trace)

    def _parts(self, texts: pa.LargeStringArray, text: npt.NDArray[np.int64], cuts: Records) -> Parts:
        _, start, end, first_row, first_start = np.ascontiguousarray(cuts.T).astype(np.int64)
        asked = Parts(text, start, end, np.arange(len(cuts)))
        if self._settings.unit == "substring":
            return parts_of_substrings(texts, asked, first_row, first_start)
        return parts_of_pieces(texts, find_pieces(texts, UNITS[self._settings.unit]), asked)

    def _trace(self, documents: pa.RecordBatch, parts: Parts, cuts: Records) -> pa.RecordBatch:
        """CUTS of the parts of documents."""
        first = cuts[parts.copy, 3]
        named = self._names.take(pa.array(np.searchsorted(self._ids, first)))
        own = documents.select(["doc_id", "file", "offset"]).take(pa.array(parts.text))
        columns: dict[str, object] = dict(zip(own.schema.names, own.columns, strict=True))
        columns |= {"start": parts.start, "end": parts.end, "text": texts_of_parts(documents["text"], parts)}
        columns |= {f"first_{name}": named[name].combine_chunks() for name in ("doc_id", "file", "offset")}
        inside = parts.start - cuts[parts.copy, 1].astype(np.int64) if self._settings.unit == "substring" else 0
        columns["first_start"] = cuts[parts.copy, 4].astype(np.int64) + inside
        return CUTS.batch(columns, len(parts.text))


def with_emptied(
    explained: pa.RecordBatch, gone: npt.NDArray[np.bool_], emptied: npt.NDArray[np.bool_]
) -> pa.RecordBatch:
    """What explains the removal of the documents that are ``gone`` as duplicates, and of those that were ``emptied``,
    in the order of the documents."""
    count = int(emptied.sum())
    if not count:
        return explained
    stage, reason = pa.repeat(STAGE, count), pa.repeat(REASON, count)
    failed = [[{"stage": STAGE, "reason": REASON, "value": None, "threshold": None}]] * count
    columns = [
        {"stage": stage, "reason": reason, "failed": pa.array(failed, FAILED)}.get(
            field.name, pa.nulls(count, field.type)
        )
        for field in explained.schema
    ]
    both = pa.Table.from_batches([explained, pa.RecordBatch.from_arrays(columns, schema=explained.schema)])
    place = np.concatenate([np.flatnonzero(gone), np.flatnonzero(emptied)])
    return both.take(pa.array(np.argsort(place))).combine_chunks().to_batches()[0]


def count_cuts(ledger: Ledger, sources: pa.StringArray, cut: CutBatch) -> None:
    """Counts what was cut from the documents, by source."""
    sizes = pc.subtract(cut.trace["end"], cut.trace["start"]).to_numpy()
    named = sources.take(pa.array(cut.rows)).dictionary_encode()
    of = named.indices.to_numpy()
    for number, source in enumerate(named.dictionary.to_pylist()):
        chosen = of == number
        ledger.cut_out(source, len(np.unique(cut.rows[chosen])), int(sizes[chosen].sum()), int(chosen.sum()))
