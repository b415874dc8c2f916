"""What people do between two commands of a page: annotators label every pair, by Label Studio's API."""

from pathlib import Path

from annotation.journal.fold import fold
from annotation.journal.journal import Journal
from annotation.server.connection import Connection
from annotation.studio.client import Studio
from jobs.campaign.campaign_file import read_campaign
from tests.annotation.labelling import OPINIONS, signed_in
from tests.annotation.parts import Account


def label(campaign: Path, connection: Connection) -> None:
    """Everybody who was invited answers all tasks that have no answer."""
    folder = read_campaign(campaign)
    judge = OPINIONS[folder.campaign.protocol]
    with Journal(folder.store) as journal, Studio(connection) as studio:
        names, projects = fold(journal).annotators, journal.cache.projects()
        for email, name in names.items():
            account = Account(email, studio.password(email), 0, "")
            mine = [number for place, number in projects.items() if place.annotator == name]
            if not mine:
                continue
            with signed_in(connection.url, account) as annotator:
                for task in (task for project in mine for task in annotator.tasks(project)):
                    if not task["annotations"]:
                        annotator.submit(task["id"], judge(task["data"], email))
