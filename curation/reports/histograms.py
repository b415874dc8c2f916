"""Histograms of the signals of a finished folder, cut at the thresholds of its rules."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.filters.rules import Rule
from curation.release.folder import Folder
from curation.release.manifest import Manifest
from curation.release.shards import row_groups, shard_name
from curation.reports.stored_verdicts import stored_signals

BINS = 32
MOST_VALUES = 100_000
"""A histogram shows at most about this many documents, evenly spread over the corpus."""
_OUTSIDE = 0.005
"""The share of the values at each end that the outermost bins take in."""
_WIDE = 100
"""Counts whose largest value is this many times the smallest are shown on a logarithmic scale."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Histogram:
    """Counts of a signal's values between ``edges`` (ascending, one more than counts). ``fails``: whether the rule
    removes the values of a bin; ``threshold`` is the edge where that changes. Of whole numbers, a bin holds its lower
    edge. ``logarithmic``: the edges are equally far apart by log(1 + value)."""

    edges: Sequence[float]
    counts: Sequence[int]
    fails: Sequence[bool]
    threshold: float
    logarithmic: bool


def sampled_signals(folder: Folder, manifest: Manifest, wanted: Collection[str]) -> Mapping[str, Values]:
    """Values of those of the wanted signals that the folder holds and that are numbers, of at most about MOST_VALUES
    documents; without nulls."""
    total = sum(entry.rows or 0 for name, entry in manifest.files.items() if name.startswith("signals/"))
    every = max(1, -(-total // MOST_VALUES))
    held = [name for name in stored_signals(folder, manifest) if name in wanted]
    found: dict[str, list[Values]] = {name: [] for name in held}
    for unit in range(manifest.units) if held else ():
        for start, batch in row_groups(folder, shard_name("signals", unit), held):
            for name in held:
                column = batch[name][-start % every :: every] if len(batch) > -start % every else batch[name][:0]
                if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
                    values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
                    found[name].append(values[~np.isnan(values)])
    return {name: np.concatenate(parts) for name, parts in found.items() if sum(map(len, parts))}


def histogram(values: Values, rule: Rule) -> Histogram:
    """The histogram of a signal's values (at least one), with an edge at the rule's threshold, so that every bin fails
    or passes as a whole.

    >>> found = histogram(np.array([1.0, 2.0, 2.0, 3.0]), Rule("few", "words", at_least=2))
    >>> list(zip(found.edges, found.counts, found.fails))
    [(1.0, 1, True), (2.0, 2, False), (3.0, 1, False)]
    >>> found = histogram(np.array([0.0, 0.0, 1.0]), Rule("curly_bracket", "curly_brackets", at_most=0))
    >>> list(zip(found.edges, found.counts, found.fails))
    [(0.0, 2, False), (1.0, 1, True)]
    """
    at_least, whole = rule.at_least is not None, bool((values == np.floor(values)).all())
    threshold = float(np.float32(rule.at_least if rule.at_least is not None else rule.at_most or 0.0))
    if whole:  # a bin holds its first value: what is above "at most 2" begins at 3
        threshold = float(np.ceil(threshold) if at_least else np.floor(threshold) + 1)
    low, high = np.quantile(values, [_OUTSIDE, 1 - _OUTSIDE], method="inverted_cdf")
    ends = [low, high + whole, threshold]
    logarithmic = whole and min(ends) >= 0 and bool(max(ends) > _WIDE * max(1.0, min(ends)))
    scaled: Values = np.log1p(np.array(ends)) if logarithmic else np.array(ends)
    step = float(np.ptp(scaled)) / BINS or 1.0
    if whole and not logarithmic:
        step = float(np.ceil(step))
    below, above = (int(np.ceil(room / step - 1e-9)) for room in (scaled[2] - scaled.min(), scaled.max() - scaled[2]))
    closed_left = at_least or whole
    under = values < threshold if closed_left else values <= threshold
    below, above = max(below, int(under.any())), max(above, int((~under).any()))
    places = scaled[2] + step * np.arange(-below, above + 1)
    edges = np.expm1(places) if logarithmic else places
    edges[below] = threshold
    inside = np.searchsorted(edges, values, "right" if closed_left else "left") - 1
    counts = np.bincount(np.clip(inside, 0, len(edges) - 2), minlength=len(edges) - 1)
    left = np.arange(len(edges) - 1) < below
    return Histogram(edges.tolist(), counts.tolist(), (left == at_least).tolist(), threshold, logarithmic)
