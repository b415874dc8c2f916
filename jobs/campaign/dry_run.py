"""The command ``gristmill campaign push --dry-run``: what a push would do, and a preview of the page."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.plan import plan
from annotation.campaign.preview import MARK, preview
from annotation.campaign.rewording import reword_batches
from annotation.campaign.settings import CampaignFolder
from annotation.dataset import markdown
from annotation.journal.fold import Record, fold
from annotation.journal.rehearsal import rehearsal
from annotation.studio.comparing import compare
from curation.dedup.near import families
from jobs.campaign.campaign_file import read_campaign
from jobs.campaign.planned import print_dropped, print_planned
from jobs.campaign.server import open_studio
from jobs.pages.page_file import write_page
from jobs.terminal import say
from schemas.errors import DamagedError, RunError, UserError

PREVIEW = "preview.html"
"""The name of the preview in a campaign's folder."""


def dry_run(folder: Path, home: Path | None, file: Path | None, *, new_guidelines: bool) -> None:
    """Prints what a push would do, and writes the preview; makes no batch, and no project."""
    at = read_campaign(folder)
    with rehearsal(at.store) as journal:
        if new_guidelines:
            for batch, number in reword_batches(at, journal).items():
                say(f"batch {batch}: {at.campaign.guidelines} would be wording {number} of its guidelines")
        planned = plan(at, journal, families, lambda planned: print_dropped(at, planned))
        print_planned(at, planned, dry=True)
        record = fold(journal)
        _print_tasks(record, at)
        path = _write(at, record, file)
        try:
            with open_studio(home) as studio:
                found = compare(journal, studio)
        except DamagedError:
            raise
        except (UserError, RunError) as error:
            say(f"Label Studio was not compared: {error}")
        else:
            for what, count in sorted(Counter(what for _, what in found).items()):
                named = ", ".join(str(place) for place, each in found if each == what)
                say(f"{markdown.count(count, 'project')} {what}: {named}")
    say(f"{path}: the page as annotators will see it; open the file in a browser")
    say(f"Nothing was made. Next: gristmill campaign push {folder}{' --new-guidelines' if new_guidelines else ''}")


def _print_tasks(record: Record, at: CampaignFolder) -> None:
    own = record.tasks.filter(pc.equal(record.tasks["batch"], at.campaign.batch))
    kept = own.filter(pc.invert(pc.is_in(own["uid"], pa.array(sorted(record.dropped), pa.string()))))
    counts = Counter(kept["annotator"].to_pylist())
    for name in record.annotators.values():
        if counts[name]:
            say(f"  {record.emails.get(name, name)}: {markdown.count(counts[name], 'task')}")


def _write(at: CampaignFolder, record: Record, file: Path | None) -> Path:
    """Writes the preview in place of an earlier one. Raises UserError if another file has its name."""
    path, campaign = file or at.path / PREVIEW, at.campaign
    pairs = record.pairs.filter(pc.equal(record.pairs["batch"], campaign.batch))
    text = preview(f"Preview of batch {campaign.batch} of {campaign.name}", record.batches[campaign.batch].page, pairs)
    write_page(path, text, mark=MARK, kind="preview", option="--preview")
    return path
