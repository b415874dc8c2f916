"""Creates accounts for a campaign's annotators, and the links to their tasks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from annotation.journal.fold import Record, fold
from annotation.journal.journal import Journal
from annotation.server.accounts import AccountExistsError, PasswordError, session, sign_up
from annotation.studio.client import Studio


@dataclass(frozen=True)
class Invitation:
    """What to send to one annotator. ``password`` is None if the account's owner chose another password; ``link`` is
    None if the annotator has no tasks yet."""

    email: str
    password: str | None = field(repr=False)
    link: str | None


def invite(journal: Journal, studio: Studio, people: Sequence[str]) -> Iterator[Invitation]:
    """Creates the missing accounts, and yields an invitation for each of ``people``.

    Each invitation is yielded as soon as its account exists, so that a later failure hides no new account. Repeatable:
    existing accounts are kept, and the invitation contains the same password (``Studio.password``) as long as the
    account has it. Raises UserError or RunError if Label Studio refuses or fails.
    """
    existing = {email.lower() for email in studio.people().values()}
    invitation, record = studio.invite_url(), fold(journal)
    for email in map(str.lower, people):
        password = studio.password(email)
        created = email not in existing and _create_account(studio, invitation, email, password)
        valid = created or _can_sign_in(studio, email, password)
        yield Invitation(email, password if valid else None, link(journal, studio, record, email))


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


def link(journal: Journal, studio: Studio, record: Record, email: str) -> str | None:
    """The address of the sign-in page, which leads to the annotator's newest project; None without a project."""
    name = record.annotators.get(email)
    projects = [project for place, project in journal.projects().items() if place.split("/", 2)[2] == name]
    if not projects:
        return None
    goal = quote(f"/projects/{max(projects)}/data?labeling=1", safe="")
    return f"{studio.public_url}/user/login/?next={goal}"
