"""Counts the tasks of each annotator and of each batch by state."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from annotation.judgments.snapshot import Snapshot

STATES = ("done", "open", "skipped", "refused", "withdrawn")


@dataclass(frozen=True)
class Progress:
    """The numbers of tasks by state, for each annotator and each batch. ``refused`` counts the annotations in
    quarantine by reason."""

    by_annotator: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    by_batch: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)


def progress(snapshot: Snapshot) -> Progress:
    """The numbers of tasks by state, and of annotations in quarantine by reason."""
    return Progress(_states(snapshot, "annotator"), _states(snapshot, "batch"), _reasons(snapshot))


def _states(snapshot: Snapshot, key: str) -> dict[str, dict[str, int]]:
    counted = snapshot.assignments.select([key, "state"]).group_by([key, "state"]).aggregate([([], "count_all")])
    out: dict[str, dict[str, int]] = {}
    for row in counted.sort_by(key).to_pylist():
        out.setdefault(row[key], dict.fromkeys(STATES, 0))[row["state"]] = row["count_all"]
    return out


def _reasons(snapshot: Snapshot) -> dict[str, int]:
    return dict(sorted(Counter(snapshot.refused["reason"].to_pylist()).items()))
