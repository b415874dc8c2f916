"""Chooses the values at which a threshold is tried."""

import numpy as np
import pyarrow as pa

from curation.filters.rules import Rule
from curation.recipe import Recipe, Step
from curation.release.folder import Folder
from curation.release.manifest import Manifest
from curation.release.shards import row_groups, shard_name
from curation.reports.stored_verdicts import stored_signals
from curation.routing import Key, rules_of

SHARES = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1)
"""The quantiles of a signal that a curve shows."""
MOST_VALUES = 1_000_000
"""Quantiles are taken of at most about this many documents, evenly spread over the corpus."""


def rule_of_setting(before: Recipe, after: Recipe) -> tuple[Key, Rule] | None:
    """The rule whose threshold differs between two recipes, with the threshold of the second; None unless exactly one
    differs."""
    changed = dict[Key, Rule]()
    pairs: list[tuple[tuple[Step, ...], tuple[Step, ...]]] = [(before.steps, after.steps)]
    pairs += [(was.steps, each.steps) for was, each in zip(before.languages, after.languages, strict=True)]
    for old, new in pairs:
        known = set(rules_of(old))
        changed |= {(stage, rule.reason): rule for stage, rule in rules_of(new) if (stage, rule) not in known}
    return next(iter(changed.items())) if len(changed) == 1 else None


def quantiles(folder: Folder, manifest: Manifest, signal: str) -> list[float]:
    """The values of a stored signal at SHARES, each once, ascending; empty if the corpus does not hold the signal."""
    if signal not in stored_signals(folder, manifest):
        return []
    rows = manifest.files
    total = sum(rows[shard_name("signals", unit)].rows or 0 for unit in range(manifest.units))
    every = max(1, total // MOST_VALUES)
    found = []
    for unit in range(manifest.units):
        for _, batch in row_groups(folder, shard_name("signals", unit), [signal]):
            values = batch[signal].cast(pa.float64()).to_numpy(zero_copy_only=False)[::every]
            found.append(values[~np.isnan(values)])
    values = np.concatenate([np.zeros(0), *found])
    if not len(values):
        return []
    return sorted({float(value) for value in np.quantile(values, SHARES, method="inverted_cdf")})
