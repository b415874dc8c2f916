"""Says what a push would change in Label Studio, without changing anything there."""

from annotation.journal.fold import fold
from annotation.journal.journal import Journal
from annotation.journal.made import made
from annotation.journal.places import Place
from annotation.protocols import digest
from annotation.studio.client import Studio
from annotation.studio.provenance import changed_parts, check_server, is_noted
from annotation.studio.push import find_projects, marker, places


def compare(journal: Journal, studio: Studio) -> list[tuple[Place, str]]:
    """(place, what a push would do) of each project that is missing or differs from what the journal asks for.

    ``journal`` is a rehearsal: the server is noted in it. Raises UserError if the server is not the campaign's.
    """
    record, state = fold(journal), made(journal)
    check_server(journal, studio, state)
    emails = record.emails
    listed, found = studio.projects(), []
    for place, _ in places(record):
        noted, known = state.projects.get(place), find_projects(listed, journal.campaign_id, place, state)
        own = next((each for each in known if noted and is_noted(each, noted)), None)
        page, wanted = record.batches[place.batch].page, marker(journal.campaign_id, place)
        if own is None or noted is None:
            found.append((place, "would be adopted" if known else "would be made again" if noted else "would be made"))
        elif noted.page != digest(page):
            found.append((place, "would get the new guidelines"))
        elif parts := changed_parts(own, noted, wanted, emails.get(place.annotator)):
            found.append((place, f"would be repaired, as it was changed in Label Studio ({', '.join(parts)})"))
    return found
