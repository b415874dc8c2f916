"""Judges documents: measures their signals, then decides which rules they fail."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.filters.c4 import C4Pages
from curation.filters.rules import Rule, failures
from curation.recipe import FAMILIES, Recipe, Rewrite
from curation.rewrites.c4_lines import C4Lines
from schemas import DOCUMENTS, FAILED, RECORDS, REJECTS

EMPTY = Rule(reason="empty", signal="characters", at_least=1)
"""A document without text fails this rule in every recipe, at the stage ``text``."""


@dataclass(frozen=True)
class Verdicts:
    """The verdicts on a batch of records. All columns have one row per record."""

    original: pa.LargeStringArray
    """Texts after normalising, before the recipe's rewrites."""
    texts: pa.LargeStringArray
    """Texts after all rewrites, as written to the corpus."""
    signals: pa.RecordBatch
    stages: tuple[str, ...]
    rules: tuple[Rule, ...]
    failed: npt.NDArray[np.bool_]
    """Whether each record fails each rule, shape (records, rules)."""

    def filter(self, chosen: npt.NDArray[np.bool_]) -> "Verdicts":
        """The verdicts on the chosen records."""
        mask = pa.array(chosen)
        signals = self.signals.filter(mask) if self.signals.num_columns else self.signals
        texts, original = self.texts.filter(mask), self.original.filter(mask)
        return replace(self, original=original, texts=texts, signals=signals, failed=self.failed[chosen])

    @property
    def is_kept(self) -> npt.NDArray[np.bool_]:
        """Whether each record passes all rules."""
        return np.asarray(~self.failed.any(axis=1))


def judge(records: pa.RecordBatch, recipe: Recipe) -> Verdicts:
    """Measures and judges a batch of RECORDS by a recipe. Every rule is checked, even after another failed."""
    texts = recipe.normalise.rewrite(records["text"]) if recipe.normalise else records["text"]
    original = texts
    columns: dict[str, pa.Array] = {}
    stages, rules = ["text"], [EMPTY]
    failed = [failures(_characters(original), [EMPTY])]
    families = tuple(family() for family in FAMILIES if recipe.signals and family not in map(type, recipe.steps))
    for step in (*families, *recipe.steps):
        if isinstance(step, Rewrite):
            texts = _rewrite(texts, step, recipe)
            continue
        measured = step.measure(_with_texts(records, texts))
        columns.update(zip(measured.schema.names, measured.columns, strict=True))
        if step in recipe.steps:
            found = step.rules()
            stages += [step.use] * len(found)
            rules += found
            failed.append(failures(measured, found))
    signals = pa.RecordBatch.from_arrays(list(columns.values()), schema=recipe.signals_schema()) if columns else None
    return Verdicts(
        original=original,
        texts=texts,
        signals=signals if signals is not None else _characters(original).select([]),
        stages=tuple(stages),
        rules=tuple(rules),
        failed=np.concatenate(failed, axis=1),
    )


def _rewrite(texts: pa.LargeStringArray, step: Rewrite, recipe: Recipe) -> pa.LargeStringArray:
    """The texts after a rewrite. Lines for which C4's code rejects a page stay if a filter follows that rejects it."""
    following = recipe.steps[recipe.steps.index(step) + 1 :] if isinstance(step, C4Lines) else ()
    pages = next((each for each in following if isinstance(each, C4Pages)), None)
    if isinstance(step, C4Lines) and pages is not None:
        return step.rewrite(texts, lorem_ipsum=pages.lorem_ipsum, curly_brackets=pages.curly_brackets)
    return step.rewrite(texts)


def _characters(texts: pa.LargeStringArray) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pc.binary_length(texts)], ["characters"])


def _with_texts(records: pa.RecordBatch, texts: pa.LargeStringArray) -> pa.RecordBatch:
    return records.set_column(RECORDS.columns.get_field_index("text"), RECORDS.columns.field("text"), texts)


def documents(records: pa.RecordBatch, texts: pa.LargeStringArray, signals: pa.RecordBatch) -> pa.RecordBatch:
    """The DOCUMENTS rows of a batch of RECORDS, with these texts."""
    columns: dict[str, object] = {
        name: records[name] for name in records.schema.names if name in DOCUMENTS.columns.names
    }
    columns["text"] = texts
    for name in ("language", "language_score"):
        if name in signals.schema.names:
            columns[name] = signals[name]
    return DOCUMENTS.batch(columns, len(records))


def rejects(verdicts: Verdicts, rows: pa.RecordBatch, with_text: bool) -> pa.RecordBatch:
    """The REJECTS rows of documents that failed; ``rows`` are the batch's DOCUMENTS with their original texts, and the
    columns read_bytes and words."""
    chosen = np.flatnonzero(verdicts.failed.any(axis=1))
    row, rule = np.nonzero(verdicts.failed[chosen])
    listed = failed_column(verdicts, chosen[row], rule, np.bincount(row, minlength=len(chosen)))
    first = pa.array(verdicts.failed[chosen].argmax(axis=1))
    removed = rows.take(pa.array(chosen))
    columns: dict[str, object] = dict(zip(removed.schema.names, removed.columns, strict=True))
    if not with_text:
        columns["text"] = None
    columns["stage"] = pa.array(verdicts.stages, pa.string()).take(first)
    columns["reason"] = pa.array([rule.reason for rule in verdicts.rules], pa.string()).take(first)
    columns["failed"] = listed
    return REJECTS.batch(columns, len(removed))


def failed_column(
    verdicts: Verdicts, row: npt.NDArray[np.int64], rule: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
) -> pa.Array:
    """The column of FAILED lists: entry i is rule[i] failed by record row[i]; list n has ``counts[n]`` entries."""
    thresholds = np.array([_threshold(rule) for rule in verdicts.rules])
    entries = pa.StructArray.from_arrays(
        [
            pa.array(verdicts.stages, pa.string()).take(pa.array(rule)),
            pa.array([rule.reason for rule in verdicts.rules], pa.string()).take(pa.array(rule)),
            pa.array(_values(verdicts, row, rule), pa.float64(), from_pandas=True),
            pa.array(thresholds[rule], pa.float64(), from_pandas=True),
        ],
        fields=list(FAILED.value_type),
    )
    offsets = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), entries, type=FAILED)


def _values(verdicts: Verdicts, row: npt.NDArray[np.int64], rule: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The measured value of each failure; NaN if it is not a number."""
    values = np.zeros(len(row), np.float64)
    for index in np.unique(rule):
        chosen, checked = rule == index, verdicts.rules[index]
        if checked.one_of is not None:
            values[chosen] = np.nan
        elif checked is not EMPTY:
            column = verdicts.signals[checked.signal].cast(pa.float64()).to_numpy(zero_copy_only=False)
            values[chosen] = column[row[chosen]]
    return values


def _threshold(rule: Rule) -> float:
    """The threshold of a rule; NaN if it is not a number."""
    threshold = rule.at_least if rule.at_least is not None else rule.at_most
    return np.nan if threshold is None else threshold


def reasons(verdicts: Verdicts) -> Sequence[list[dict[str, object]]]:
    """The rules that each record failed, as plain values."""
    row, rule = np.nonzero(verdicts.failed)
    counts = np.bincount(row, minlength=len(verdicts.failed))
    return failed_column(verdicts, row, rule, counts).to_pylist()  # type: ignore[no-any-return]
