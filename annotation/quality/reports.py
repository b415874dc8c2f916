"""Lists what annotators said about tasks: problems and comments."""

from collections import Counter

import pyarrow as pa

from annotation.judgments.findings import link
from annotation.judgments.snapshot import Snapshot
from annotation.protocols.reporting import PROBLEMS

COLUMNS = ("pair_id", "batch", "round", "annotator", "skipped", "reason", "comment")


def reports(snapshot: Snapshot) -> pa.Table:
    """A row for each vote or skip with a reported problem or a comment, by batch and pair.

    Columns: pair_id, batch, round, annotator (the pseudonym), skipped (false for a vote), reason (a key of PROBLEMS,
    null for a comment alone), comment (or null), link (to the task in Label Studio, null if no push noted the server).
    """
    places = zip(snapshot.reports["project"].to_pylist(), snapshot.reports["task"].to_pylist(), strict=True)
    links = [link(snapshot.server, project, task) if snapshot.server else None for project, task in places]
    return snapshot.reports.select(COLUMNS).append_column("link", pa.array(links, pa.string()))


def count_problems(snapshot: Snapshot) -> dict[str, int]:
    """The number of reports of each problem, in the order of PROBLEMS; problems that nobody reported are left out."""
    counted = Counter(snapshot.reports["reason"].to_pylist())
    return {reason: counted[reason] for reason in PROBLEMS if counted[reason]}
