"""A campaign at one revision of its journal: the only input of quality, resolution and datasets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from annotation.journal.bodies import Unanswered
from annotation.journal.fold import fold
from annotation.journal.journal import STORE, Journal
from annotation.journal.made import made
from annotation.judgments.findings import Finding, batches_before_provenance, find
from annotation.judgments.judge import judge
from annotation.judgments.policy import Policy
from schemas import REPORTS, WORDINGS
from schemas.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A campaign at ``revision`` of its journal. The six tables are declared in `schemas.preference`.

    ``votes`` is the number of votes that each pair should get.
    """

    name: str
    protocol: str
    protocol_version: str
    votes: int
    policy: Policy
    pairs: pa.Table
    assignments: pa.Table
    judgments: pa.Table
    refused: pa.Table
    revision: int
    reports: pa.Table = field(default_factory=REPORTS.schema.empty_table)
    wordings: pa.Table = field(default_factory=WORDINGS.schema.empty_table)
    guidelines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The SHA-256 of each wording of a batch's guidelines, oldest first, of batches whose guidelines were reworded."""
    findings: tuple[Finding, ...] = ()
    server: str = ""
    """The address of Label Studio, empty if no push has noted it."""
    unanswered: tuple[Unanswered, ...] = ()
    """The prompts that models did not answer, batch after batch, in a campaign that measures models."""
    dropped: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """What each batch left out of its files, by reason."""
    before_provenance: tuple[str, ...] = ()
    """Batches pushed by an earlier version of Gristmill: the origin of their votes cannot be checked, and all count."""


def load(folder: Path, as_of: int | None = None) -> Snapshot:
    """Loads the campaign in ``folder`` at a revision of its journal, by default the newest.

    Raises UserError if the folder has no journal, or if the journal has no such revision, or no batch at this revision.
    """
    with Journal(folder / STORE) as journal:
        newest = journal.revision
        if as_of is not None and not 1 <= as_of <= newest:
            raise UserError(f"{folder} has no revision {as_of}: choose a revision from 1 to {newest}")
        record = fold(journal, as_of)
        settings = record.settings
        if not record.batches or settings is None:
            revision = record.revision
            raise UserError(
                f"{folder} has no batch at revision {revision}: run gristmill campaign push, or choose a later revision"
            )
        judged = judge(journal, record)
        findings, state = find(journal, record), made(journal, record.revision)
        before = batches_before_provenance(journal, record)
    return Snapshot(
        name=settings.name,
        protocol=settings.protocol,
        protocol_version=settings.protocol_version,
        votes=settings.votes,
        policy=Policy(use=settings.resolve.use, min_votes=settings.resolve.min_votes),
        pairs=record.pairs,
        **judged._asdict(),
        guidelines=record.wordings,
        revision=record.revision,
        findings=findings,
        server=state.server.url if state.server else "",
        unanswered=tuple(each for batch in record.batches.values() for each in batch.unanswered),
        dropped={name: batch.dropped for name, batch in record.batches.items()},
        before_provenance=tuple(before),
    )
