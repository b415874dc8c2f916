"""Prints the counts of a dataset that a command made."""

from collections import Counter
from pathlib import Path

from annotation.dataset.counts import SplitCounts
from jobs.terminal import say


def print_counts(folder: Path, total: SplitCounts, others: Counter[str], what: str) -> None:
    """Prints the comparisons of each split, and the pairs without a comparison by reason, most frequent first. ``what``
    describes these pairs, such as "left out"."""
    train, held_out = f"{total.train:,} to train on", f"{total.held_out:,} held out"
    say(f"{folder}: {total.comparisons:,} comparisons, {train} and {held_out}")
    say(f"{others.total():,} of {total.pairs:,} pairs {what}")
    for reason, count in sorted(others.items(), key=lambda entry: (-entry[1], entry[0])):
        say(f"  {reason}: {count:,}")
