"""Accounts for a campaign's annotators, and the links by which they begin."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from annotation.journal.fold import Record, fold
from annotation.journal.journal import Journal
from annotation.server.accounts import AccountExistsError, PasswordError, session, sign_up
from annotation.studio.client import Studio


@dataclass(frozen=True)
class Invitation:
    """What to send to one annotator. ``password`` is None where the account has another one, chosen by its owner;
    ``link`` is None where they have no task so far."""

    email: str
    password: str | None = field(repr=False)
    link: str | None


def invite(journal: Journal, studio: Studio, people: Sequence[str]) -> Iterator[Invitation]:
    """An account for each of them that has none, with a password that the server's token decides (``Studio.password``).

    One after the other, so that a failure hides none that were made. The link leads through the sign-in to the
    annotator's newest project. Repeatable: who has an account keeps it, and is told the same password again while it
    opens the account. Raises UserError or RunError as Label Studio does.
    """
    there = {email.lower() for email in studio.people().values()}
    invitation, record = studio.invite_url(), fold(journal)
    for person in (each.lower() for each in people):
        password = studio.password(person)
        ours = person not in there and _make_account(studio, invitation, person, password)
        opens = ours or _opens(studio, person, password)
        yield Invitation(person, password if opens else None, link(journal, studio, record, person))


def _make_account(studio: Studio, invitation: str, person: str, password: str) -> bool:
    try:
        sign_up(studio.url, invitation, person, password)
    except AccountExistsError:  # made meanwhile
        return False
    return True


def _opens(studio: Studio, person: str, password: str) -> bool:
    try:
        with session(studio.url, person, password):
            return True
    except PasswordError:
        return False


def link(journal: Journal, studio: Studio, record: Record, person: str) -> str | None:
    """Where an annotator begins: the sign-in page, which goes on to their newest project."""
    name = record.annotators.get(person)
    mine = [project for place, project in journal.projects().items() if place.split("/", 2)[2] == name]
    if not mine:
        return None
    goal = quote(f"/projects/{max(mine)}/data?labeling=1", safe="")
    return f"{studio.public_url}/user/login/?next={goal}"
