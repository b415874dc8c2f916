"""The command ``gristmill campaign status``."""

from collections.abc import Mapping
from pathlib import Path

from annotation.journal.fold import fold
from annotation.journal.journal import Journal
from annotation.judgments.snapshot import Snapshot, load
from jobs.campaign.attention import Item, Refused
from jobs.campaign.campaign_file import read_and_record
from jobs.campaign.overview import Annotator, Batch, Remark, as_json, overview
from jobs.campaign.tables import print_status
from jobs.options import check_one_form
from jobs.spreadsheet import print_exactly, write_csv

TABLES = {
    "annotators": Annotator,
    "batches": Batch,
    "attention": Item,
    "comments": Remark,
    "reports": Remark,
    "quarantine": Refused,
}
"""The tables of ``--csv``, and the class of their rows, whose fields are the columns."""


def status(folder: Path, json: bool, csv: str | None) -> None:
    """Prints a campaign's state as tables for people, as one JSON object, or one table (a key of TABLES) as CSV."""
    check_one_form(json, csv)
    snapshot, emails = open_campaign(folder)
    found = overview(snapshot, emails, str(folder))
    if csv:
        print_exactly(write_csv(TABLES[csv], getattr(found, csv)))
    elif json:
        print(as_json(found), end="")
    else:
        print_status(found)


def open_campaign(folder: Path) -> tuple[Snapshot, Mapping[str, str]]:
    """The campaign at its newest revision, and the email address of each pseudonym, unless it was erased."""
    at = read_and_record(folder)
    with Journal(at.store) as journal:
        emails = fold(journal).emails
    return load(at.path), emails
