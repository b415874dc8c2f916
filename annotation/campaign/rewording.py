"""Gives the running batches new guidelines, as a wording that the journal keeps apart."""

import hashlib

from annotation.campaign.plan import check_shown_texts
from annotation.campaign.settings import CampaignFolder
from annotation.journal.bodies import Guidelines, write
from annotation.journal.fold import fold
from annotation.journal.journal import Journal
from annotation.protocols import PROTOCOLS, Category
from annotation.protocols.wording import reword


def reword_batches(folder: CampaignFolder, journal: Journal) -> dict[str, int]:
    """Notes the guidelines of the folder as a new wording of each batch that has the ``version`` of campaign.toml and
    other guidelines. Returns the number of the wording, by batch; a push shows it.

    Pull first: votes that are in the journal by then were given under the earlier wording. Raises UserError if the
    guidelines name a model.
    """
    guidelines, campaign = folder.guidelines(), folder.campaign
    digest = hashlib.sha256(guidelines.encode()).hexdigest()
    given: dict[str, int] = {}
    with journal.writing():
        record = fold(journal)
        models = {*record.pairs["first_model"].to_pylist(), *record.pairs["second_model"].to_pylist()} - {None}
        check_shown_texts(folder, models)
        for name, batch in record.batches.items():
            if batch.asked.version != campaign.version or batch.asked.guidelines == digest:
                continue
            categories = tuple(Category(name=key, title=title) for key, title in batch.categories.items())
            instruction = PROTOCOLS[batch.asked.protocol].page(guidelines, categories).instruction
            number = len(record.wordings.get(name, ("",))) + 1
            page = reword(batch.page, instruction, number)
            journal.append("guidelines", name, write(Guidelines(number, digest, page)))
            given[name] = number
    return given
