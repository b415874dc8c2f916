"""Compares recipes: which documents each of them keeps, and by which rules their verdicts part. Nothing is
deduplicated."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.judge import Verdicts, judge
from curation.recipe import Recipe
from curation.reports.verdicts import plain
from curation.routing import EMPTY

RuleName = tuple[str, str]
"""(stage, reason)"""


@dataclass
class Counted:
    """How many documents fail a rule in each recipe that has the rule, and how many fail it in some of these recipes
    and pass it in others."""

    failed: dict[str, int] = field(default_factory=dict)
    parted: int = 0


@dataclass
class Comparison:
    """Counts of documents: in all, those that each recipe keeps, those that some recipes keep and others reject, and
    those that fail each rule."""

    recipes: tuple[str, ...]
    documents: int = 0
    kept: dict[str, int] = field(default_factory=dict)
    parted: int = 0
    rules: dict[RuleName, Counted] = field(default_factory=dict)

    def add(self, records: pa.RecordBatch, recipes: Mapping[str, Recipe]) -> None:
        """Judges RECORDS by all recipes, and counts them."""
        judged = {name: judge(records, recipe) for name, recipe in recipes.items()}
        keeps = np.array([verdicts.is_kept for verdicts in judged.values()])
        self.documents += len(records)
        for name, kept in zip(judged, keeps, strict=True):
            self.kept[name] = self.kept.get(name, 0) + int(kept.sum())
        self.parted += int(_parts(keeps).sum())
        for rule, failed in _by_rule(judged).items():
            counted = self.rules.setdefault(rule, Counted())
            for name, fails in failed.items():
                counted.failed[name] = counted.failed.get(name, 0) + int(fails.sum())
            counted.parted += int(_parts(np.array(list(failed.values()))).sum())


def compare(batches: Iterable[pa.RecordBatch], recipes: Mapping[str, Recipe]) -> Comparison:
    """The comparison of recipes (by name) on batches of RECORDS."""
    comparison = Comparison(tuple(recipes))
    for batch in batches:
        comparison.add(batch, recipes)
    return comparison


def partings(records: pa.RecordBatch, recipes: Mapping[str, Recipe]) -> Iterator[dict[str, Any]]:
    """A dict for each document of RECORDS: doc_id, ``kept`` by recipe, and ``parts``, the rules that the document fails
    in some recipes only.

    Each part has a stage, a reason, and for each recipe an object with ``failed``, ``value`` and ``threshold``, or None
    for a recipe without the rule.
    """
    judged = {name: judge(records, recipe) for name, recipe in recipes.items()}
    by_rule = _by_rule(judged)
    without = np.zeros(len(records), np.bool_)
    differ = {
        rule: _parts(np.array([failed.get(name, without) for name in recipes])) for rule, failed in by_rule.items()
    }
    for row, doc_id in enumerate(records["doc_id"].to_pylist()):
        yield {
            "doc_id": doc_id,
            "kept": {name: not verdicts.failed[row].any() for name, verdicts in judged.items()},
            "parts": [
                {
                    "stage": stage,
                    "reason": reason,
                    **{name: _seen(verdicts, (stage, reason), row) for name, verdicts in judged.items()},
                }
                for (stage, reason), parts in differ.items()
                if parts[row]
            ],
        }


def _by_rule(judged: Mapping[str, Verdicts]) -> dict[RuleName, dict[str, npt.NDArray[np.bool_]]]:
    """Whether each document fails, by rule and by recipe, in the order of the recipes' rules."""
    found: dict[RuleName, dict[str, npt.NDArray[np.bool_]]] = {}
    for name, verdicts in judged.items():
        for column, (stage, rule) in enumerate(zip(verdicts.stages, verdicts.rules, strict=True)):
            found.setdefault((stage, rule.reason), {})[name] = verdicts.failed[:, column]
    return found


def _parts(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether the flags of each document, shape (recipes, documents), are neither all true nor all false."""
    return np.asarray(flags.any(axis=0) & ~flags.all(axis=0))


def _seen(verdicts: Verdicts, name: RuleName, row: int) -> dict[str, Any] | None:
    """What a recipe's rule sees in a document."""
    for column, (stage, rule) in enumerate(zip(verdicts.stages, verdicts.rules, strict=True)):
        if (stage, rule.reason) == name:
            limit = float(verdicts.thresholds[verdicts.settings[row], column])
            threshold = list(rule.one_of) if rule.one_of is not None else limit
            if rule.one_of is None and np.isnan(limit):
                return None  # a rule for other languages
            return {
                "failed": bool(verdicts.failed[row, column]),
                "value": None if rule is EMPTY else plain(verdicts.signals[rule.signal][row].as_py()),
                "threshold": threshold,
            }
    return None
