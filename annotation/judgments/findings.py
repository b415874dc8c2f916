"""Lists what differs in Label Studio from what was pushed, as far as the journal knows, beside refused votes."""

from collections.abc import Iterator
from dataclasses import dataclass

from annotation.journal.bodies import Seen
from annotation.journal.fold import Record
from annotation.journal.journal import Journal
from annotation.journal.made import Made, lost_annotations, made
from annotation.journal.places import Place, task_places
from annotation.protocols import digest

CHANGED = {
    "labels": "the labels were changed; votes given under them do not count",
    "instructions": "the instructions were changed; votes given under them do not count",
    "settings": "the settings were changed",
    "description": "the description was changed",
}
WAITING = "a push of new guidelines is under way or failed, and no vote is read before it is complete"
LOST = {
    "deleted_by_other": "a vote was deleted by {by}, not by its author; it counts",
    "moved": "a vote was moved to another task, or its task got another uid; it counts",
    "task_gone": "the task of a vote was deleted; the vote counts",
    "forgotten": "a vote is missing on the server, which looks like an older backup; it counts",
}


@dataclass(frozen=True)
class Finding:
    """Something that differs from what was pushed. ``place`` is the text of a Place and ``annotator`` its annotator,
    both empty for a vote on an unknown task; ``link`` leads to the project or task."""

    kind: str
    place: str
    annotator: str
    message: str
    link: str


def find(journal: Journal, record: Record) -> tuple[Finding, ...]:
    """The findings at the record's revision, by place."""
    state = made(journal, record.revision)
    places = dict(zip(record.tasks["uid"].to_pylist(), task_places(record.tasks), strict=True))
    server = state.server.url if state.server else ""
    asked = set(places.values())  # not those of a batch that was undone
    found = [
        finding
        for place, seen in state.seen.items()
        if place in asked
        for finding in _describe(place, seen, state, server)
    ]
    for held in journal.cache.projects():
        noted, batch = state.projects.get(held), record.batches.get(held.batch)
        if noted and batch and noted.page != digest(batch.page):
            found.append(_finding("waiting", held, WAITING, link(server, noted.project)))
    for key, lost in lost_annotations(journal, record.revision).items():
        place = places.get(key.rpartition("/")[0])
        message = LOST[lost.why].format(by=lost.by or "an unknown account")
        found.append(_finding(lost.why, place, message, link(server, lost.project, lost.task)))
    return tuple(sorted(found, key=lambda each: (each.place, each.kind, each.link)))


def batches_before_provenance(journal: Journal, record: Record) -> list[str]:
    """The batches that an earlier version of Gristmill pushed without noting the accounts and projects that it made."""
    state = made(journal, record.revision)
    noted = {place: not each.adopted for place, each in state.projects.items()}
    return sorted({place.batch for place in {*journal.cache.projects(), *noted} if not noted.get(place)})


def link(server: str, project: int, task: int | None = None) -> str:
    """The address of a project or task in Label Studio, whose own address is ``server``."""
    return f"{server}/projects/{project}/data" + (f"?task={task}" if task else "")


def _describe(place: Place, seen: Seen, state: Made, server: str) -> Iterator[Finding]:
    noted = state.projects.get(place)
    project = noted.project if noted else 0
    here = link(server, project)
    for part in seen.changed:
        yield _finding(f"changed_{part}", place, CHANGED[part], here)
    for task in seen.added:
        yield _finding("added_task", place, "a task that Gristmill did not make", link(server, project, task))
    for task in seen.suggested:
        yield _finding("suggested", place, "a task with a suggested answer", link(server, project, task))
    if seen.removed:
        yield _finding("removed_tasks", place, f"tasks without a vote were deleted: {len(seen.removed):,}", here)
    for other in seen.others:
        yield _finding("second_project", place, "a second project that Gristmill did not make", link(server, other))
    if seen.gone:
        yield _finding("project_gone", place, "the project was deleted; the votes pulled from it count", here)
    if seen.account:
        yield _finding("account", place, "the account of the annotator is missing or has another address", here)


def _finding(kind: str, place: Place | None, message: str, link: str) -> Finding:
    return Finding(kind, str(place or ""), place.annotator if place else "", message, link)
