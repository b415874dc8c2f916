"""Accounts for a campaign's annotators, and the links by which they begin."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from annotation.accounts import AccountExistsError, sign_up
from annotation.journal import Journal
from annotation.record import Record, fold
from annotation.studio import Studio


@dataclass(frozen=True)
class Invitation:
    """What to send to one annotator. ``password`` is None where the account was there before."""

    email: str
    password: str | None = field(repr=False)
    link: str
    new: bool


def invite(journal: Journal, studio: Studio, people: Sequence[str]) -> list[Invitation]:
    """An account for each of them that has none, with a random password that the campaign's store keeps.

    The link leads through the sign-in to the annotator's newest project. Repeatable: who has an account keeps it.
    Raises UserError or RunError as Label Studio does.
    """
    there = {email.lower() for email in studio.people().values()}
    url, record, out = None, fold(journal), []
    for person in people:
        new = False
        if person.lower() not in there:
            password = journal.password(person) or secrets.token_urlsafe(12)
            with journal.writing():
                journal.remember_password(person, password)  # before the account: a kill between them loses nothing
            url = url or studio.invite_url()
            try:
                sign_up(studio.url, url, person, password)
                new = True
            except AccountExistsError:
                pass
        out.append(Invitation(person, journal.password(person), link(journal, studio, record, person), new))
    return out


def link(journal: Journal, studio: Studio, record: Record, person: str) -> str:
    """Where an annotator begins: the sign-in page, which goes on to their project."""
    projects = journal.projects()
    order = {name: place for place, name in enumerate(record.batches)}
    name = record.annotators.get(person, "")
    mine = [place for place in projects if place.split("/", 2)[2] == name]
    newest = max(mine, key=lambda place: (order.get(place.split("/")[0], -1), place), default=None)
    goal = "/projects/" if newest is None else f"/projects/{projects[newest]}/data?labeling=1"
    return f"{studio.public_url}/user/login/?next={quote(goal, safe='')}"
