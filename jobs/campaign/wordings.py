"""Prints under which wording of the guidelines votes were given."""

from annotation.dataset.wordings import count_wordings
from annotation.judgments.snapshot import Snapshot
from jobs.terminal import say


def print_wordings(snapshot: Snapshot) -> None:
    """A line for each batch whose guidelines were reworded while it ran."""
    for batch, digests in sorted(snapshot.guidelines.items()):
        counts = count_wordings(snapshot.wordings, batch)
        given = [f"{votes:,} under wording {_name(*which)}" for which, votes in sorted(counts.items())]
        say(f"Guidelines of {batch}: wording {len(digests)} is in force; votes: {', '.join(given) or 'none yet'}.")


def _name(first: int, last: int) -> str:
    return " or ".join(map(str, range(first, last + 1)))
