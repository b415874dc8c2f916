"""Notes in the journal what a push made, and compares Label Studio with it."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from annotation.journal.bodies import ProjectMade, Seen, ServerNoted, write
from annotation.journal.journal import Journal
from annotation.journal.made import Made
from annotation.journal.places import Place
from annotation.protocols import Page
from annotation.studio.client import SETTINGS, Project, Studio, TaskState
from schemas.errors import UserError


def note(journal: Journal, state: Made, kind: str, key: str, record: Any) -> None:
    """Appends a row to the journal, and updates ``state`` with it."""
    body = write(record)
    journal.append(kind, key, body)
    state.note(kind, key, body)


def check_server(journal: Journal, studio: Studio, state: Made, *, new: bool = False) -> None:
    """Notes the server at the first use. ``new``: the campaign continues on another server.

    Raises UserError, before any change, if the server is not the noted one, and not ``new``.
    """
    found, noted = ServerNoted(studio.identity(), studio.url), state.server
    if noted and noted.identity != found.identity and not new:
        folder = journal.path.parent
        raise UserError(
            f"Label Studio at {studio.url} is not the server that {folder} was pushed to ({noted.url}): use that "
            f"server, or continue on this one and keep all votes: gristmill campaign push {folder} --new-server"
        )
    if noted != found:
        with journal.writing():
            if noted and noted.identity != found.identity:
                journal.forget_server()
            note(journal, state, "server", "identity", found)


def note_accounts(journal: Journal, studio: Studio, state: Made, people: Iterable[str]) -> None:
    """Notes the account of each email address, unless the address has no account, or its account is noted already."""
    missing = set(people) - state.accounts.keys()
    if missing:
        found = studio.accounts()
        with journal.writing():
            for email in sorted(missing & found.keys()):
                note(journal, state, "account", email, found[email])


def page_digests(page: Page) -> tuple[str, str]:
    """SHA-256 of the labels and of the instructions of a page, in hexadecimal digits."""
    labels, instructions = (hashlib.sha256(text.encode()).hexdigest() for text in (page.config, page.instruction))
    return labels, instructions


def is_noted(project: Project, noted: ProjectMade) -> bool:
    """Whether a project is the noted one: a number may have been given again after a restore."""
    return (project.project, project.created) == (noted.project, noted.created)


def changed_parts(project: Project, noted: ProjectMade, marker: str, owner: str | None) -> tuple[str, ...]:
    """The parts of a project, of PARTS, that differ from what was pushed. ``owner`` is the email address of the
    annotator, None if it was erased; then the project keeps its owner."""
    labels, instructions = page_digests(project.page)
    changed = {
        "labels": labels != noted.labels,
        "instructions": instructions != noted.instructions,
        "settings": dict(project.settings) != SETTINGS,
        "description": project.marker != marker or owner not in (None, project.owner),
    }
    return tuple(part for part, differs in changed.items() if differs)


def note_seen(journal: Journal, state: Made, place: Place, seen: Seen) -> None:
    """Notes how the project of a place differs from what was pushed, if that has changed."""
    if state.seen.get(place, Seen()) != seen:
        note(journal, state, "seen", str(place), seen)


def note_tasks(
    journal: Journal, state: Made, place: Place, project: int, listed: Iterable[TaskState], asked: Sequence[str] | None
) -> None:
    """Notes tasks of a place's project that were added or removed, and tasks with a suggested answer.

    ``asked``: the uids of all tasks that the project should have, if ``listed`` are all of its tasks; None if
    ``listed`` are only the changed tasks.
    """
    noted, known = state.projects.get(place), state.seen.get(place, Seen())
    if noted is None or noted.project != project:
        return
    present = {each.task: each.suggested for each in listed}
    added = present.keys() - state.tasks.get(project, {}).keys()
    suggested = {task for task, is_suggested in present.items() if is_suggested}
    if asked is None:
        seen = replace(
            known,
            added=tuple(sorted(added | set(known.added))),
            suggested=tuple(sorted(suggested | (set(known.suggested) - present.keys()))),
        )
    else:
        there = {uid for task, uid in state.tasks.get(project, {}).items() if task in present}
        missing = {uid for uid in asked if uid in state.numbers} - there - journal.voted_uids()
        seen = replace(
            known, added=tuple(sorted(added)), suggested=tuple(sorted(suggested)), removed=tuple(sorted(missing))
        )
    note_seen(journal, state, place, seen)
