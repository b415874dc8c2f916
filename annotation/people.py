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
    for person in (each.lower() for each in people):
        new = False
        if person not in there:
            former = journal.password(person)
            password = former or secrets.token_urlsafe(12)
            journal.remember_password(person, password)  # before the account: a kill between them loses nothing
            url = url or studio.invite_url()
            try:
                sign_up(studio.url, url, person, password)
                new = True
            except AccountExistsError:
                if former is None:  # somebody else made it: ours is not its password
                    journal.forget_password(person)
        out.append(Invitation(person, journal.password(person), link(journal, studio, record, person), new))
    return out


def link(journal: Journal, studio: Studio, record: Record, person: str) -> str:
    """Where an annotator begins: the sign-in page, which goes on to their project."""
    name = record.annotators.get(person, "")
    mine = [project for place, project in journal.projects().items() if place.split("/", 2)[2] == name]
    goal = f"/projects/{max(mine)}/data?labeling=1" if mine else "/projects/"
    return f"{studio.public_url}/user/login/?next={quote(goal, safe='')}"
