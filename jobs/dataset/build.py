"""The command ``gristmill dataset build``."""

from collections.abc import Sequence
from pathlib import Path

from annotation.dataset import Built, build
from annotation.judgments.snapshot import load
from curation.dedup.near import families
from jobs.campaign.campaign_file import read_and_record
from jobs.dataset.counts import print_counts
from schemas.errors import UserError


def run(campaigns: Sequence[Path], output: Path, as_of: int | None) -> None:
    if as_of is not None and len(campaigns) > 1:
        raise UserError("--as-of is a revision of one campaign's journal: give one campaign")
    if as_of is None:
        for folder in campaigns:
            read_and_record(folder)
    print_built(build([load(folder, as_of) for folder in campaigns], output, families))


def print_built(built: Built) -> None:
    total = built.ledger.total()
    print_counts(built.folder, total, total.unresolved, "unresolved")
