"""What the commands that make a dataset print of its ledger."""

from collections import Counter
from pathlib import Path

from annotation.dataset.counts import SplitCounts
from jobs.terminal import say


def print_counts(folder: Path, total: SplitCounts, others: Counter[str], what: str) -> None:
    """The comparisons of each split, and the pairs that are none by reason, the most frequent reason first. ``what``
    says what these pairs are."""
    train, held_out = f"{total.train:,} to train on", f"{total.held_out:,} held out"
    say(f"{folder}: {total.comparisons:,} comparisons, {train} and {held_out}")
    say(f"{others.total():,} of {total.pairs:,} pairs {what}")
    for reason, count in sorted(others.items(), key=lambda entry: (-entry[1], entry[0])):
        say(f"  {reason}: {count:,}")
