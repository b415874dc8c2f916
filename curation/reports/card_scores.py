"""Scores documents by a classifier of the user's: the mean over the scores of a document's lines."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.fasttext.files import ModelFile, find_model
from curation.filters.function import Function
from schemas import RECORDS
from schemas.errors import UserError
from schemas.settings import unknown

LineScores = Callable[[pa.RecordBatch], npt.NDArray[np.float64]]
SCORE = "score"
"""The name of the column that a user's function returns."""


@dataclass(frozen=True)
class Classifier:
    """What scores lines, from 0 to 1, with the models that it reads, and how a card names it. ``lines`` gets RECORDS
    with a row for each line."""

    named: Mapping[str, str]
    lines: LineScores
    models: tuple[ModelFile, ...] = ()

    def scores(self, batch: pa.RecordBatch) -> npt.NDArray[np.float64]:
        """The mean score of the lines of each document that are not blank; NaN for a document without such lines.

        Lines without a score (NaN), such as lines without words, do not count.
        """
        split = pc.split_pattern(batch["text"], "\n")
        rows, lines = pc.list_parent_indices(split).to_numpy(), pc.list_flatten(split)
        filled = pc.not_equal(pc.utf8_trim_whitespace(lines), "")
        rows, lines = rows[np.asarray(filled)], lines.filter(filled).cast(pa.large_string())
        if not len(lines):
            return np.full(len(batch), np.nan)
        score = self.lines(_records(batch, rows, lines))
        known = ~np.isnan(score)
        with np.errstate(invalid="ignore"):
            totals = np.bincount(rows[known], score[known], len(batch))
            return np.asarray(totals / np.bincount(rows[known], minlength=len(batch)))


def _records(batch: pa.RecordBatch, rows: npt.NDArray[np.int64], lines: pa.LargeStringArray) -> pa.RecordBatch:
    """RECORDS with the lines as texts, each with the id, url, source and date of its document."""
    columns: dict[str, object] = {
        name: batch[name].take(pa.array(rows))
        for name in RECORDS.columns.names
        if name in batch.schema.names and name != "text"
    }
    columns |= {"text": lines, "metadata": pa.repeat(pa.scalar("", pa.large_string()), len(lines))}
    return RECORDS.batch(columns, len(lines))


@dataclass(frozen=True)
class _ByModel:
    """The probability of a label for each line."""

    file: ModelFile
    label: str

    def __call__(self, lines: pa.RecordBatch) -> npt.NDArray[np.float64]:
        return self.file.model().probabilities(lines["text"], (self.label,))[:, 0]


@dataclass(frozen=True)
class _ByFunction:
    """The scores that a user's function gives; it need not be safe for threads. Raises UserError for a score below 0 or
    above 1."""

    step: Function

    def __call__(self, lines: pa.RecordBatch) -> npt.NDArray[np.float64]:
        with _ONE_AT_A_TIME:
            found = self.step.measure(lines)
        scores = np.asarray(found[SCORE].to_numpy(zero_copy_only=False), np.float64)
        for row in np.flatnonzero((scores < 0) | (scores > 1))[:1].tolist():
            own = f"the function {self.step.function} of {self.step.file}"
            document = lines["doc_id"][row].as_py()
            raise UserError(f"{own} returns the score {scores[row]:g} for a line of {document}: return 0 to 1, or null")
        return scores


_ONE_AT_A_TIME = threading.Lock()


def by_model(place: str, label: str) -> Classifier:
    """A classifier of fastText (.bin or .ftz); a line's score is the probability of the label. Raises UserError if the
    model cannot be read, or lacks the label."""
    file = find_model(place)
    if label not in file.labels:
        raise UserError(unknown(f"the model {place} has no label", label, file.labels))
    return Classifier(
        {"model": Path(place).name, "label": label, "sha256": file.sha256}, _ByModel(file, label), (file,)
    )


def by_function(given: str) -> Classifier:
    """A function of the user's, as FILE.py:NAME. It gets a pyarrow Table with the columns of RECORDS and a row for each
    line, and returns a Table with a column ``score``. Raises UserError if it cannot be loaded."""
    place, colon, name = given.rpartition(":")
    if not colon or not name.isidentifier():
        raise UserError(f"--function {given} is not FILE.py:NAME, such as toxicity.py:score")
    step = Function(file=Path(place).name, function=name, measures=(SCORE,)).with_file(Path(place).parent)
    return Classifier({"function": f"{name} in {step.file}", "sha256": step.sha256 or ""}, _ByFunction(step))
