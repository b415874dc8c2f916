"""Counts what other recipes would keep of a finished folder's documents, from stored signals alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from curation.recipe import Recipe
from curation.release.folder import Folder
from curation.release.ledger import NOTHING, Amount, add
from curation.release.manifest import Manifest
from curation.reports.rejudging import Rejudged, as_in_the_run, rejudge, wanted_signals
from curation.reports.stored_verdicts import Flags, StoredVerdicts, stored_signals, stored_unit
from curation.routing import Key


@dataclass
class RuleCount:
    """What a rule removes: ``removed`` as the first rule that a document fails, as in a ledger; ``failed`` documents
    fail it, and ``alone`` of them fail no other rule: for these the rule is decisive."""

    removed: Amount = NOTHING
    failed: int = 0
    alone: int = 0


@dataclass
class Outcome:
    """What a recipe does. ``rules`` stand in the order in which they are checked; ``later`` is what later stages of the
    run, such as deduplication, removed of the documents that pass. ``newly_kept`` are documents that the run's rules
    removed, ``newly_removed`` documents that the run kept: ``kept`` is the run's, plus the former, less the latter."""

    rules: dict[Key, RuleCount] = field(default_factory=dict)
    later: dict[Key, Amount] = field(default_factory=dict)
    kept: Amount = NOTHING
    newly_kept: Amount = NOTHING
    newly_removed: Amount = NOTHING

    def add(self, stored: StoredVerdicts, judged: Rejudged, before: Flags) -> None:
        """Counts the documents of a unit; ``before`` says which of them passed the filters in the run."""
        kept, failed = judged.is_kept, judged.failed
        rows = np.flatnonzero(~kept)
        first = failed[rows].argmax(axis=1)
        removed = [
            np.bincount(first, each, len(judged.keys)) for each in (None, stored.sizes[rows], stored.words[rows])
        ]
        alone = failed[rows][failed[rows].sum(axis=1) == 1].sum(axis=0)
        for key, *amount, fails, decides in zip(judged.keys, *removed, failed.sum(axis=0), alone, strict=True):
            count = self.rules.setdefault(key, RuleCount())
            documents, size, words = map(int, amount)
            count.removed = add(count.removed, (documents, size, words))
            count.failed += int(fails)
            count.alone += int(decides)
        for key, dropped in stored.later.items():
            self.later[key] = add(self.later.get(key, NOTHING), amount_of(stored, kept & dropped))
        stays = ~_removed_later(stored)
        self.kept = add(self.kept, amount_of(stored, kept & stays))
        self.newly_kept = add(self.newly_kept, amount_of(stored, kept & ~before & stays))
        self.newly_removed = add(self.newly_removed, amount_of(stored, ~kept & before & stays))


@dataclass
class WhatIf:
    """What the run did, and what each recipe would do, by its name. ``read`` are all documents; ``taken_down`` those
    that takedowns removed, which no recipe judges. ``changes`` are places of documents whose verdict differs from the
    run's, by recipe."""

    read: Amount = NOTHING
    taken_down: dict[Key, Amount] = field(default_factory=dict)
    run: Outcome = field(default_factory=Outcome)
    cases: dict[str, Outcome] = field(default_factory=dict)
    changes: dict[str, list["Change"]] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """A document that a recipe keeps and the run did not, or the other way round; ``failed`` are the rules that it
    fails by the recipe that removes it."""

    file: str
    offset: int
    kept: bool
    failed: tuple[Key, ...]


def what_if(folder: Folder, manifest: Manifest, recipe: Recipe, cases: Mapping[str, Recipe], sample: int = 0) -> WhatIf:
    """What each of the ``cases`` would keep of the documents that the run with ``recipe`` read. Documents that pass are
    not deduplicated again: those that the run removed later stay removed.

    ``sample`` is the largest number of changes for each case, spread over the folder's units.
    """
    found = WhatIf(cases={name: Outcome() for name in cases}, changes={name: [] for name in cases})
    wanted = wanted_signals(recipe).union(*(wanted_signals(each) for each in cases.values()))
    held = [name for name in stored_signals(folder, manifest) if name in wanted]
    lists = not wanted_signals(recipe) <= set(held)
    for number in range(1, manifest.units + 1):
        stored = stored_unit(folder, manifest, number - 1, held, lists)
        before = as_in_the_run(stored, recipe) if lists else rejudge(stored, recipe)
        if not lists and not before.is_as_stored(stored):  # the version that wrote the folder had other rules
            stored = stored_unit(folder, manifest, number - 1, held, lists=True)
            before = as_in_the_run(stored, recipe)
        found.read = add(found.read, amount_of(stored, np.ones(len(stored), np.bool_)))
        for key, amount in stored.taken_down.items():
            found.read = add(found.read, amount)
            found.taken_down[key] = add(found.taken_down.get(key, NOTHING), amount)
        found.run.add(stored, before, before.is_kept)
        for name, case in cases.items():
            judged = rejudge(stored, case)
            found.cases[name].add(stored, judged, before.is_kept)
            most = -(-sample * number // max(manifest.units, 1)) - len(found.changes[name])
            found.changes[name] += _changes(stored, before, judged, most)
    return found


def _changes(stored: StoredVerdicts, before: Rejudged, after: Rejudged, most: int) -> Iterator[Change]:
    """Up to ``most`` documents of a unit that are newly kept or newly removed, spread evenly over the unit."""
    rows = np.flatnonzero((before.is_kept != after.is_kept) & ~_removed_later(stored))
    if most <= 0 or not len(rows):
        return
    for row in rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.int64))].tolist():
        kept = bool(after.is_kept[row])
        removes = before if kept else after
        failed = tuple(key for key, fails in zip(removes.keys, removes.failed[row], strict=True) if fails)
        place = stored.places.slice(row, 1).to_pylist()[0]
        yield Change(place["file"], place["offset"], kept, failed)


def _removed_later(stored: StoredVerdicts) -> Flags:
    """Whether a later stage than the rules removed a document in the run, of shape (documents,)."""
    removed = np.zeros(len(stored), np.bool_)
    for dropped in stored.later.values():
        removed |= dropped
    return removed


def amount_of(stored: StoredVerdicts, chosen: Flags) -> Amount:
    """The documents, bytes and words of the chosen documents of a unit."""
    return int(chosen.sum()), int(stored.sizes[chosen].sum()), int(stored.words[chosen].sum())
