"""The commands ``gristmill campaign ...``: their work and their messages."""

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from annotation.campaign import moves
from annotation.campaign.plan import plan as make_plan
from annotation.campaign.plan import record_changes
from annotation.campaign.rewording import reword_batches
from annotation.campaign.settings import CampaignFolder
from annotation.dataset import markdown
from annotation.journal.fold import fold
from annotation.journal.journal import Journal
from annotation.journal.made import made
from annotation.judgments.resolve import resolve as resolve_votes
from annotation.judgments.snapshot import load
from annotation.server.connection import URL, connection
from annotation.server.home import Home, default_home
from annotation.studio import people
from annotation.studio.client import Studio
from annotation.studio.missing import Answer
from annotation.studio.pull import Pulled
from annotation.studio.pull import pull as pull_all
from annotation.studio.push import Pushed
from annotation.studio.push import push as push_all
from annotation.studio.undo import undo as undo_batch
from annotation.studio.watch import watch as watch_all
from curation.dedup.near import families
from jobs.campaign.campaign_file import read_and_record, read_campaign, write_example
from jobs.campaign.opened import signed
from jobs.campaign.planned import print_dropped, print_planned
from jobs.campaign.server import open_studio
from jobs.counting import counting
from jobs.options import check_one_form
from jobs.spreadsheet import print_exactly, write_csv
from jobs.terminal import say
from schemas.errors import UserError
from schemas.visible import visible_json


def new(folder: Path, protocol: str, responses: Sequence[Path] = ()) -> None:
    written = write_example(folder, protocol, responses)
    say(f"{folder}: wrote {', '.join(written)}")
    example = "" if responses else ", or continue with the example"
    say(f"Next: edit campaign.toml{example}: gristmill campaign push {folder}")


def push(folder: Path, home: Path | None, *, new_server: bool = False, new_guidelines: bool = False) -> None:
    at = read_campaign(folder)
    with open_studio(home) as studio, signed(at.store, create=True) as journal:
        if new_guidelines and journal.cache.projects():
            _pull_first(at, journal, studio)
        with journal.writing():  # new guidelines are noted only with a batch that can be pushed
            reworded = reword_batches(at, journal) if new_guidelines else {}
            planned = make_plan(at, journal, families, lambda planned: print_dropped(at, planned))
        for batch, number in reworded.items():
            say(f"batch {batch}: {at.campaign.guidelines} is noted as wording {number} of its guidelines")
        print_planned(at, planned)
        is_first = made(journal).server is None
        _push(journal, studio, new_server=new_server)
        if journal.newest_kind(at.campaign.batch, "batch", "undone") == "undone":
            raise UserError(f"batch {at.campaign.batch} was undone by another command: push again to make it again")
    if URL in os.environ and (is_first or new_server):
        say(
            f"{studio.url} has no gate before it: its annotators can read and change each other's votes. Votes that "
            f"somebody else changed go to quarantine: gristmill campaign status {folder}"
        )
    say(f"Next: gristmill campaign invite {folder}")


def undo(folder: Path, batch: str, home: Path | None) -> None:
    at = read_campaign(folder)
    with open_studio(home) as studio, signed(at.store) as journal:
        is_first = batch in fold(journal).batches
        deleted = undo_batch(journal, studio, batch)
    if is_first or deleted:
        say(f"{folder}: batch {batch} undone, {markdown.count(deleted, 'project')} deleted from Label Studio")
    else:
        say(f"{folder}: batch {batch} was already undone")
    say(f"Next: edit the files, and make the batch again: gristmill campaign push {folder}")


@dataclass(frozen=True)
class Letter:
    """What a letter to an annotator needs. None: no tasks yet, or a password that this server did not make. ``link``
    holds several links, with spaces between, for several open batches on a server without a gate."""

    email: str
    link: str | None
    password: str | None = field(repr=False)


def invite(folder: Path, emails: Sequence[str], home: Path | None, reset: bool, as_json: bool, csv: bool) -> None:
    """Makes accounts, and prints each person's letter: as text at once, as JSON or CSV once all accounts are made."""
    at = read_campaign(folder)
    check_one_form(as_json, csv)
    if reset and not emails:
        raise UserError("--reset needs the EMAIL of each annotator who gets a new password")
    known = (*at.campaign.annotators, *at.campaign.adjudicators)
    strangers = [email for email in emails if email.lower() not in known]
    if strangers:
        raise UserError(f"{strangers[0]} is not in {folder}/campaign.toml: add the address to annotators first")
    letters = []
    with open_studio(home) as studio, signed(at.store) as journal:
        record_changes(at, journal)
        passwords = {email.lower(): _reset_password(studio, email, home) for email in emails if reset}
        for invited in people.invite(journal, studio, emails or known):
            password = passwords.get(invited.email, invited.password)
            letter = Letter(invited.email, " ".join(invited.links) or None, password)
            letters.append(letter)
            if not as_json and not csv:
                _print_letter(letter)
    if as_json:
        print(visible_json(orjson.dumps({"invitations": letters}, option=orjson.OPT_INDENT_2).decode()))
    elif csv:
        print_exactly(write_csv(Letter, letters))


def _print_letter(letter: Letter) -> None:
    say(letter.email)
    links = letter.link.split() if letter.link else ["(no tasks yet)"]
    for number, link in enumerate(links):
        say(f"  {'' if number else 'link':<9} {link}")
    say(f"  password  {letter.password or '(unknown: this server did not make it; --reset makes a new one)'}")


def _reset_password(studio: Studio, email: str, home: Path | None) -> str:
    """Gives an account of the embedded server a new password."""
    admin = Home(home or default_home()).admin
    if admin is None or connection(home or default_home()).token != admin.token:
        raise UserError(
            f"--reset changes passwords of the embedded Label Studio only: change this one at {studio.url}/admin/"
        )
    return people.reset_password(studio, admin, email)


def pull(folder: Path, quick: bool, watch: bool, every: float, missing: Answer, home: Path | None) -> None:
    """Copies annotations into the journal, once or every ``every`` seconds until Ctrl+C, and prints their number."""
    if not every <= threading.TIMEOUT_MAX:
        raise UserError(f"--every is {every}: give a number of seconds")
    at = read_campaign(folder)
    with open_studio(home) as studio, signed(at.store) as journal:
        record_changes(at, journal)
        if not watch:
            with counting("pulling") as tell:
                _print_pulled(pull_all(journal, studio, sweep=not quick, missing=missing, tell=tell), folder)
            return
        say("watching until Ctrl+C", err=True)
        try:
            for pulled in watch_all(journal, studio, every, lambda message: say(message, err=True)):
                if pulled.kept or pulled.deleted:
                    _print_pulled(pulled, folder)
        except KeyboardInterrupt:
            say("stopped", err=True)


def resolve(folder: Path) -> None:
    from jobs.campaign.tables import print_resolution

    print_resolution(load(read_and_record(folder).path), folder)


def adjudicate(folder: Path, home: Path | None) -> None:
    at = read_and_record(folder)
    wanted = moves.find_disputed(resolve_votes(load(folder)).unresolved)
    with open_studio(home) as studio, signed(at.store) as journal:
        added, stuck = moves.adjudicate(at, journal, wanted) if wanted else (0, [])
        _push(journal, studio)
    say(f"{folder}: {markdown.count(added, 'pair')} given to adjudicators, of {len(wanted)} to adjudicate")
    if stuck:
        raise UserError(
            f"every adjudicator has already judged {markdown.count(len(stuck), 'pair')} (such as {stuck[0]}): "
            f"add another adjudicator to {at.path}/campaign.toml and repeat the command"
        )


def reassign(folder: Path, home: Path | None, giver: str | None, taker: str | None, *, skipped: bool) -> None:
    at = read_campaign(folder)
    with open_studio(home) as studio, signed(at.store) as journal:
        record_changes(at, journal)
        pull_all(journal, studio)
        moved = moves.reassign(at, journal, giver, taker, skipped=skipped)
        _push(journal, studio)
    say(f"{folder}: {markdown.count(moved, 'task')} reassigned")


def withdraw(folder: Path, email: str, undo: bool) -> None:
    at = read_and_record(folder)
    with signed(at.store) as journal:
        moves.withdraw(journal, email, undo=undo)
    votes = "the votes of {} count again" if undo else "the votes of {} no longer count"
    say(f"{folder}: {votes.format(email)}")
    if not undo:
        say(f"To give their tasks to others: gristmill campaign reassign {folder} --from {email}")


def _pull_first(at: CampaignFolder, journal: Journal, studio: Studio) -> None:
    """Pulls before new guidelines are noted: the votes that the journal has by then are from before."""
    with counting("pulling") as tell:
        _print_pulled(pull_all(journal, studio, tell=tell), at.path)


def _push(journal: Journal, studio: Studio, *, new_server: bool = False) -> Pushed:
    with counting("pushing") as tell:
        pushed = push_all(journal, studio, tell, new_server=new_server)
    if pushed.reworded:
        count = markdown.count(len(pushed.reworded), "project")
        say(f"{count} got the new guidelines; a page that is open shows the earlier ones until it is loaded again")
    for place in pushed.repaired:
        say(f"the project of {place} had been changed in Label Studio: repaired")
    for place in pushed.recreated:
        say(f"the project of {place} was deleted from Label Studio: recreated with the tasks that have no vote")
    removed = f", {pushed.removed:,} removed" if pushed.removed else ""
    say(f"{studio.url}: {pushed.imported:,} tasks added, {pushed.existing:,} already there{removed}")
    return pushed


def _print_pulled(pulled: Pulled, folder: Path) -> None:
    deleted = f", {pulled.deleted:,} deleted" if pulled.deleted else ""
    say(f"{folder}: {pulled.kept:,} annotations new or changed{deleted}; revision {pulled.revision}")
    if pulled.waiting:
        count = markdown.count(len(pulled.waiting), "project")
        say(f"{count} not read, as a push of new guidelines is under way or failed: gristmill campaign push {folder}")
    for place in pulled.gone:
        say(
            f"the project of {place} was deleted from Label Studio; the votes pulled from it count. "
            f"To ask for the missing votes again: gristmill campaign push {folder}",
            err=True,
        )
