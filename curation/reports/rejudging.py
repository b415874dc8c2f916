"""Judges the documents of a finished folder by another recipe, from their stored signals alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.filters.rules import Rule, failures
from curation.recipe import Filter, Recipe, stage_of
from curation.reports.stored_verdicts import Flags, StoredVerdicts
from curation.routing import EMPTY, Key, rules_of, rules_of_all, spare_uncertain

SETTINGS = "language_settings"
"""The signal that names the settings by which a document was judged."""


@dataclass(frozen=True)
class Rejudged:
    """Whether each document of a unit fails each rule, shape (documents, rules); the rules in the order in which they
    are checked."""

    keys: tuple[Key, ...]
    failed: npt.NDArray[np.bool_]

    @property
    def is_kept(self) -> Flags:
        return np.asarray(~self.failed.any(axis=1))

    def is_as_stored(self, stored: StoredVerdicts) -> bool:
        """Whether each document fails first the rule for which the run removed it, and no rule if the run kept it."""
        if stored.first.keys() - set(self.keys):
            return False
        before, left = np.zeros(len(stored), np.bool_), True
        for column, key in enumerate(self.keys):
            first = self.failed[:, column] & ~before
            left &= np.array_equal(first, stored.first.get(key, np.zeros(len(stored), np.bool_)))
            before |= first
        return left


def rules_in_order(recipe: Recipe) -> list[tuple[str, Rule]]:
    """The rules of a recipe with their stages; the thresholds may be those of another language."""
    if recipe.languages:
        return rules_of_all(recipe)[0]
    own = [(stage_of(step), rule) for step in recipe.steps if isinstance(step, Filter) for rule in step.rules()]
    return [("text", EMPTY), *own]


def wanted_signals(recipe: Recipe) -> set[str]:
    """The signals that `rejudge` reads for a recipe."""
    signals = {rule.signal for _, rule in rules_in_order(recipe) if rule is not EMPTY}
    return signals | ({SETTINGS} if recipe.languages else set())


def as_in_the_run(stored: StoredVerdicts, recipe: Recipe) -> Rejudged:
    """The verdicts of the run, by the lists of all rules that documents failed; ``recipe`` is the run's."""
    keys = [(stage, rule.reason) for stage, rule in rules_in_order(recipe)]
    keys += sorted(stored.failed.keys() - set(keys))
    return Rejudged(tuple(keys), np.array([_as_run(stored, key) for key in keys], np.bool_).T)


def rejudge(stored: StoredVerdicts, recipe: Recipe) -> Rejudged:
    """The verdicts by a recipe. Where the corpus lacks the signal of a rule, its verdicts are those of the run."""
    rules = rules_in_order(recipe)
    keys = tuple((stage, rule.reason) for stage, rule in rules)
    if recipe.languages:
        return Rejudged(keys, _by_language(stored, recipe, keys))
    columns = [_column(stored, key, rule) for key, (_, rule) in zip(keys, rules, strict=True)]
    return Rejudged(keys, np.array(columns, np.bool_).T)


def _by_language(stored: StoredVerdicts, recipe: Recipe, keys: Sequence[Key]) -> npt.NDArray[np.bool_]:
    """The failures by the settings of each document's language."""
    _, routed = rules_of_all(recipe)
    if SETTINGS not in stored.signals.column_names:
        return np.array([_as_run(stored, key) for key in keys], np.bool_).T
    settings = _settings(stored, recipe)
    failed = np.array([_as_run(stored, key) for key in keys], np.bool_).T.copy()
    column_of = {key: column for column, key in enumerate(keys)}
    for index in np.unique(settings).tolist():
        rows = np.flatnonzero(settings == index)
        steps = recipe.languages[index].steps if index >= 0 else recipe.steps
        own = {(stage, rule.reason): rule for stage, rule in rules_of(steps)}
        known = {key: rule for key, rule in own.items() if rule.signal in stored.signals.column_names}
        names = sorted({rule.signal for rule in known.values()})
        signals = stored.signals.select(names).take(pa.array(rows)).combine_chunks()
        batch = pa.RecordBatch.from_arrays([each.combine_chunks() for each in signals.columns], names)
        for column, fails in zip(known, failures(batch, list(known.values())).T, strict=True):
            failed[rows, column_of[column]] = fails
        for key in set(keys) - own.keys() - {("text", EMPTY.reason)}:
            failed[rows, column_of[key]] = False
    return spare_uncertain(failed, [stage for stage, _ in keys], routed, settings)


def _settings(stored: StoredVerdicts, recipe: Recipe) -> npt.NDArray[np.int64]:
    """The index of each document's settings in ``recipe.languages``, -1 for no settings."""
    index = {each.name: number for number, each in enumerate(recipe.languages)}
    encoded = stored.signals[SETTINGS].combine_chunks().dictionary_encode()
    of_code = np.array([index.get(name, -1) for name in encoded.dictionary.to_pylist()] + [-1], np.int64)
    return np.asarray(of_code[encoded.indices.fill_null(len(of_code) - 1).to_numpy()])


def _column(stored: StoredVerdicts, key: Key, rule: Rule) -> Flags:
    found = None if rule is EMPTY else stored.fails(rule)
    return _as_run(stored, key) if found is None else found


def _as_run(stored: StoredVerdicts, key: Key) -> Flags:
    return stored.failed.get(key, np.zeros(len(stored), np.bool_))
