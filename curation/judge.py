"""Judges documents: measures their signals, then decides which rules they fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.filters.c4 import C4Pages
from curation.filters.columns import measuring
from curation.filters.contaminated import Contaminated
from curation.filters.gopher_quality import GopherQuality
from curation.filters.labels import full_name
from curation.filters.personal import PersonalInformation
from curation.filters.removed_words import ORIGINAL
from curation.filters.rules import Rule, failures
from curation.recipe import FAMILIES, ROUTE, Counting, Recipe, Rewrite, Step, stage_of
from curation.rewrites.c4_lines import C4Lines
from curation.routing import (
    EMPTY,
    OTHER_STOP_WORDS,
    first_splitter,
    language_step,
    rules_of_all,
    settings_of,
    spare_uncertain,
)
from curation.words.stop_words import most_other_stop_words
from schemas import FAILED, JUDGED, RECORDS, REJECTS


@dataclass(frozen=True)
class Verdicts:
    """The verdicts on a batch of records. All columns have one row per record."""

    original: pa.LargeStringArray
    """Texts after normalising, before the recipe's rewrites."""
    texts: pa.LargeStringArray
    """Texts after all rewrites, as written to the corpus."""
    signals: pa.RecordBatch
    """The measured signals, in the order of the recipe's schema."""
    stages: tuple[str, ...]
    """The stage of each rule."""
    rules: tuple[Rule, ...]
    """The rules in the order in which they are checked; the thresholds may be those of another language."""
    failed: npt.NDArray[np.bool_]
    """Whether each record fails each rule, shape (records, rules)."""
    thresholds: npt.NDArray[np.float64]
    """The threshold of each rule, NaN if it is not a number, shape (settings, rules)."""
    settings: npt.NDArray[np.int64]
    """The row of ``thresholds`` by which each record was judged: 0 in a recipe without settings for languages, -1 (the
    last row) for a language without settings."""

    def filter(self, chosen: npt.NDArray[np.bool_]) -> "Verdicts":
        """The verdicts on the chosen records."""
        mask = pa.array(chosen)
        signals = self.signals.filter(mask) if self.signals.num_columns else self.signals
        texts, original = self.texts.filter(mask), self.original.filter(mask)
        failed, settings = self.failed[chosen], self.settings[chosen]
        return replace(self, original=original, texts=texts, signals=signals, failed=failed, settings=settings)

    @property
    def is_kept(self) -> npt.NDArray[np.bool_]:
        """Whether each record passes all rules."""
        return np.asarray(~self.failed.any(axis=1))


def judge(records: pa.RecordBatch, recipe: Recipe) -> Verdicts:
    """Measures and judges a batch of RECORDS by a recipe. Every rule is checked, even after another failed. A document
    whose language is uncertain, or has no settings in the recipe, fails no rule of a step that depends on the language,
    other than ``language`` itself.

    Signals that neither a rule nor the recipe's ``signals`` want are not measured.
    """
    with measuring(recipe.measured_signals.names):
        return _judge(records, recipe)


def _judge(records: pa.RecordBatch, recipe: Recipe) -> Verdicts:
    original = recipe.normalise.rewrite(records["text"]) if recipe.normalise else records["text"]
    if recipe.languages:
        return _judge_by_language(records, original, recipe)
    judged = _judge_alike(records, original, recipe, recipe.steps, {})
    return replace(judged, signals=_in_schema(judged.signals, recipe)) if judged.signals.num_columns else judged


def _judge_alike(
    records: pa.RecordBatch,
    original: pa.LargeStringArray,
    recipe: Recipe,
    steps: Sequence[Step],
    known: Mapping[str, pa.RecordBatch],
    name: str | None = None,
) -> Verdicts:
    """The verdicts on records by one list of steps; ``known`` are signals that are measured already, by step, and
    ``name`` is that of the settings for their language."""
    texts = original
    columns = _route_columns(name, steps, len(original)) if recipe.languages else dict[str, pa.Array]()
    stages, rules = ["text"], [EMPTY]
    failed = [failures(_characters(original), [EMPTY])]
    families = tuple(family() for family in FAMILIES if recipe.signals and family not in map(type, steps))
    wanted = set(recipe.measured_signals.names)
    for step in (*families, *recipe.with_site_counter(tuple(steps))):
        if isinstance(step, Counting):
            texts, counted = step.rewrite_and_count(texts)
            columns |= {name: counted[name] for name in counted.schema.names if name in wanted}
            continue
        if isinstance(step, Rewrite):
            texts = _rewrite(texts, step, steps)
            continue
        before = texts
        if isinstance(step, Contaminated) and step.cuts:
            texts = step.cut(texts)
        if wanted.isdisjoint(step.signals.names):
            continue
        measured = known.get(step.use)
        if measured is None:
            measured = step.measure(_with_texts(records, before, original))
        columns.update(zip(measured.schema.names, measured.columns, strict=True))
        if name is not None and isinstance(step, GopherQuality) and step in steps:
            columns |= _other_stop_words(before, measured, step, name)
        if not isinstance(step, PersonalInformation) and step in steps:
            found = step.rules()
            stages += [stage_of(step)] * len(found)
            rules += found
            failed.append(failures(measured, found))
    return Verdicts(
        original=original,
        texts=texts,
        signals=pa.RecordBatch.from_arrays(list(columns.values()), list(columns))
        if columns
        else _characters(original).select([]),
        stages=tuple(stages),
        rules=tuple(rules),
        failed=np.concatenate(failed, axis=1),
        thresholds=np.array([[_threshold(rule) for rule in rules]]),
        settings=np.zeros(len(original), np.int64),
    )


def _judge_by_language(records: pa.RecordBatch, original: pa.LargeStringArray, recipe: Recipe) -> Verdicts:
    """Judges the records of each language together, by the settings for it, and puts them back in their order."""
    rules, routed = rules_of_all(recipe)
    step = language_step(recipe)
    column_of = {(stage, rule.reason): column for column, (stage, rule) in enumerate(rules)}
    identified = step.measure(_with_texts(records, original, original))
    settings = settings_of(recipe, identified["language"], original)
    failed = np.zeros((len(records), len(rules)), np.bool_)
    thresholds = np.full((len(recipe.languages) + 1, len(rules)), np.nan)  # the last row is for no settings
    parts, order = list[Verdicts](), list[npt.NDArray[np.int64]]()
    for index in np.unique(settings).tolist():
        rows = np.flatnonzero(settings == index)
        steps = recipe.languages[index].steps if index >= 0 else recipe.steps
        known: dict[str, pa.RecordBatch] = {step.use: identified.take(pa.array(rows))}
        name = recipe.languages[index].name if index >= 0 else None
        part = _judge_alike(_take(records, rows), original.take(pa.array(rows)), recipe, steps, known, name)
        parts.append(part)
        order.append(rows)
        columns = [column_of[key] for key in zip(part.stages, (rule.reason for rule in part.rules), strict=True)]
        thresholds[index, columns] = part.thresholds[0]
        thresholds[index, column_of[step.use, OTHER_STOP_WORDS.reason]] = OTHER_STOP_WORDS.at_most
        found = np.zeros((len(rows), len(rules)), np.bool_)
        found[:, columns] = part.failed
        found[:, column_of[step.use, OTHER_STOP_WORDS.reason]] = part.signals[OTHER_STOP_WORDS.signal].to_numpy() > 0
        failed[rows] = found
    back = pa.array(np.argsort(np.concatenate(order)))
    [signals] = pa.Table.from_batches([each.signals for each in parts]).take(back).combine_chunks().to_batches()
    return Verdicts(
        original=original,
        texts=pa.concat_arrays([each.texts for each in parts]).take(back),
        signals=_in_schema(signals, recipe),
        stages=tuple(stage for stage, _ in rules),
        rules=tuple(rule for _, rule in rules),
        failed=spare_uncertain(failed, [stage for stage, _ in rules], routed, settings),
        thresholds=thresholds,
        settings=settings,
    )


def _route_columns(name: str | None, steps: Sequence[Step], length: int) -> dict[str, pa.Array]:
    """The signals of ROUTE for texts without more stop words of another language."""
    values = (name, first_splitter(steps), 0, None)
    return {
        field.name: pa.repeat(pa.scalar(value, field.type), length) for field, value in zip(ROUTE, values, strict=True)
    }


def _other_stop_words(
    texts: pa.LargeStringArray, measured: pa.RecordBatch, step: GopherQuality, name: str
) -> dict[str, pa.Array]:
    """The signals of ROUTE about stop words of other languages."""
    counted = measured["stop_words"].to_numpy().astype(np.int64)
    found = most_other_stop_words(texts, step.definition.words, full_name(name), counted, step.min_stop_words or 0)
    return {"other_stop_words": pa.array(found.counts, pa.int32()), "stop_words_of": found.languages}


def _take(records: pa.RecordBatch, rows: npt.NDArray[np.int64]) -> pa.RecordBatch:
    """Some rows, without their texts, which each step is given apart."""
    place = RECORDS.columns.get_field_index("text")
    texts = pa.repeat(pa.scalar("", pa.large_string()), len(records))
    return records.set_column(place, RECORDS.columns.field("text"), texts).take(pa.array(rows))


def _in_schema(signals: pa.RecordBatch, recipe: Recipe) -> pa.RecordBatch:
    """The signals in the order of the recipe's schema."""
    schema = recipe.measured_signals
    return pa.RecordBatch.from_arrays([signals[name] for name in schema.names], schema=schema)


def _rewrite(texts: pa.LargeStringArray, step: Rewrite, steps: Sequence[Step]) -> pa.LargeStringArray:
    """The texts after a rewrite. Lines for which C4's code rejects a page stay if a filter follows that rejects it."""
    following = steps[steps.index(step) + 1 :] if isinstance(step, C4Lines) else ()
    pages = next((each for each in following if isinstance(each, C4Pages)), None)
    if isinstance(step, C4Lines) and pages is not None:
        return step.rewrite(texts, lorem_ipsum=pages.lorem_ipsum, curly_brackets=pages.curly_brackets)
    return step.rewrite(texts)


def _characters(texts: pa.LargeStringArray) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pc.binary_length(texts)], ["characters"])


def _with_texts(records: pa.RecordBatch, texts: pa.LargeStringArray, original: pa.LargeStringArray) -> pa.RecordBatch:
    """The records with the texts as they are before a step, and with the texts before all rewrites."""
    place = RECORDS.columns.get_field_index("text")
    return records.set_column(place, RECORDS.columns.field("text"), texts).append_column(ORIGINAL, original)


def documents(records: pa.RecordBatch, texts: pa.LargeStringArray, signals: pa.RecordBatch) -> pa.RecordBatch:
    """The JUDGED rows of a batch of RECORDS, with these texts."""
    columns: dict[str, object] = {name: records[name] for name in records.schema.names if name in JUDGED.columns.names}
    columns["text"] = texts
    for name in ("language", "language_score"):
        if name in signals.schema.names:
            columns[name] = signals[name]
    return JUDGED.batch(columns, len(records))


def rejects(verdicts: Verdicts, rows: pa.RecordBatch, with_text: bool) -> pa.RecordBatch:
    """The REJECTS rows of documents that failed; ``rows`` are the batch's JUDGED with their original texts, and the
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
    entries = pa.StructArray.from_arrays(
        [
            pa.array(verdicts.stages, pa.string()).take(pa.array(rule)),
            pa.array([rule.reason for rule in verdicts.rules], pa.string()).take(pa.array(rule)),
            pa.array(_values(verdicts, row, rule), pa.float64(), from_pandas=True),
            pa.array(verdicts.thresholds[verdicts.settings[row], rule], pa.float64(), from_pandas=True),
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
