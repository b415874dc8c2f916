"""Creates accounts for a campaign's annotators, and the links to their tasks."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import pyarrow.compute as pc

from annotation.journal.fold import Record, fold
from annotation.journal.journal import Journal
from annotation.journal.made import made
from annotation.journal.places import task_places
from annotation.judgments.judge import judge
from annotation.server.accounts import AccountExistsError, PasswordError, change_password, session, sign_up
from annotation.server.home import Admin
from annotation.studio.client import Studio
from annotation.studio.provenance import check_server, note_accounts
from schemas.errors import UserError


@dataclass(frozen=True)
class Invitation:
    """What to send to one annotator. ``password`` is None if the account's owner chose another password. ``links`` lead
    to the annotator's tasks; an annotator without tasks has no link yet."""

    email: str
    password: str | None = field(repr=False)
    links: tuple[str, ...]


def invite(journal: Journal, studio: Studio, people: Sequence[str]) -> Iterator[Invitation]:
    """Creates the missing accounts, and yields an invitation for each of ``people``.

    Each invitation is yielded as soon as its account exists, so that a later failure hides no new account. Repeatable:
    existing accounts are kept, and the invitation contains the same password (``Studio.password``) as long as the
    account has it. The journal notes each account, so that a later account with the same address is not taken for the
    first account.
    Raises UserError or RunError if Label Studio refuses or fails, or is not the campaign's.
    """
    state = made(journal)
    check_server(journal, studio, state)
    existing = studio.accounts()
    invitation, record = studio.invite_url(), fold(journal)
    for email in map(str.lower, people):
        password = studio.password(email)
        created = email not in existing and _create_account(studio, invitation, email, password)
        valid = created or _can_sign_in(studio, email, password)
        yield Invitation(email, password if valid else None, _links(journal, studio, record, email))
    note_accounts(journal, studio, state, record.annotators)


def reset_password(studio: Studio, administrator: Admin, email: str) -> str:
    """Gives an annotator's account a new random password, which is stored nowhere; returns the password.

    Raises UserError if there is no such account, RunError if Label Studio fails.
    """
    numbers = studio.accounts()
    if email.lower() not in numbers:
        raise UserError(f"{email} has no account at {studio.url}: run the same command without --reset")
    password = secrets.token_hex(12)
    with session(studio.url, administrator.email, administrator.password) as client:
        change_password(client, numbers[email.lower()], password)
    return password


def _create_account(studio: Studio, invitation: str, email: str, password: str) -> bool:
    try:
        sign_up(studio.url, invitation, email, password)
    except AccountExistsError:  # created meanwhile
        return False
    return True


def _can_sign_in(studio: Studio, email: str, password: str) -> bool:
    try:
        with session(studio.url, email, password):
            return True
    except PasswordError:
        return False


def _links(journal: Journal, studio: Studio, record: Record, email: str) -> tuple[str, ...]:
    """The gate's address that leads on through all batches; without a gate, the sign-in page for each batch with open
    tasks, oldest first, or for the newest batch if no task is open."""
    name = record.annotators.get(email)
    projects = {place: project for place, project in journal.cache.projects().items() if place.annotator == name}
    if not projects:
        return ()
    if studio.public_url != studio.url:
        return (f"{studio.public_url}/next",)
    tasks = judge(journal, record).assignments
    tasks = tasks.filter(pc.and_(pc.equal(tasks["annotator"], name), pc.equal(tasks["state"], "open")))
    waiting = set(task_places(tasks))
    wanted = sorted(project for place, project in projects.items() if place in waiting) or [max(projects.values())]
    below = urlsplit(studio.url).path  # of a server under a path of its host
    goals = (quote(f"{below}/projects/{project}/data?labeling=1", safe="") for project in wanted)
    return tuple(f"{studio.url}/user/login/?next={goal}" for goal in goals)
