"""The commands ``gristmill campaign ...``: what they do, and what they say about it."""

import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from annotation import changes, people
from annotation.campaign import CampaignFolder
from annotation.connection import connection
from annotation.errors import UserError
from annotation.journal import Journal
from annotation.plan import Planned, note_settings
from annotation.plan import plan as make_plan
from annotation.pull import Pulled
from annotation.pull import pull as pull_all
from annotation.push import Pushed
from annotation.push import push as push_all
from annotation.record import fold
from annotation.resolve import resolve as resolve_votes
from annotation.server.home import default_home
from annotation.snapshot import load
from annotation.studio import Studio
from annotation.watch import watch as watch_all
from curation.dedup.near import families
from jobs.campaignfile import noted, read_campaign, write_example
from jobs.counting import counting

SHOWN_PROBLEMS = 10


def new(folder: Path, protocol: str) -> None:
    written = write_example(folder, protocol)
    click.echo(f"{folder}: wrote {', '.join(written)}")
    click.echo(f"Next: edit campaign.toml, or go on with the example: gristmill campaign push {folder}")


def push(folder: Path, home: Path | None) -> None:
    at = read_campaign(folder)
    with _studio(home) as studio, Journal(at.store, create=True) as journal:
        planned = make_plan(at, journal, families)
        _tell_planned(at, planned)
        _push(journal, studio)
    click.echo(f"Next: gristmill campaign invite {folder}")


def invite(folder: Path, emails: Sequence[str], home: Path | None) -> None:
    at = read_campaign(folder)
    known = (*at.campaign.annotators, *at.campaign.adjudicators)
    strangers = [email for email in emails if email.lower() not in known]
    if strangers:
        raise UserError(f"{strangers[0]} is not in {folder}/campaign.toml: add the address to annotators first")
    with _studio(home) as studio, Journal(at.store) as journal:
        note_settings(at, journal)
        for invited in people.invite(journal, studio, emails or known):
            click.echo(f"{invited.email}")
            click.echo(f"  link      {invited.link or 'none yet: they have no tasks so far'}")
            click.echo(f"  password  {invited.password or '(the one that they chose: the account was not made here)'}")


def pull(folder: Path, home: Path | None, *, quick: bool, watch: bool, every: float) -> None:
    if not every <= threading.TIMEOUT_MAX:
        raise UserError(f"--every is {every}: give a number of seconds")
    at = read_campaign(folder)
    with _studio(home) as studio, Journal(at.store) as journal:
        note_settings(at, journal)
        if not watch:
            with counting("pulling") as tell:
                _tell_pulled(pull_all(journal, studio, sweep=not quick, tell=tell), folder)
            return
        click.echo("watching until Ctrl+C", err=True)
        try:
            for pulled in watch_all(journal, studio, every, lambda message: click.echo(message, err=True)):
                if pulled.kept or pulled.deleted:
                    _tell_pulled(pulled, folder)
        except KeyboardInterrupt:
            click.echo("stopped", err=True)


def status(folder: Path) -> None:
    from jobs.quality_table import print_status

    at = noted(folder)
    with Journal(at.store) as journal:
        emails = {name: email for email, name in fold(journal).annotators.items()}
    print_status(load(at.path), emails)


def resolve(folder: Path) -> None:
    from jobs.quality_table import print_resolution

    print_resolution(load(noted(folder).path))


def adjudicate(folder: Path, home: Path | None) -> None:
    at = noted(folder)
    wanted = changes.disputed(resolve_votes(load(folder)).unresolved)
    with _studio(home) as studio, Journal(at.store) as journal:
        added, stuck = changes.adjudicate(at, journal, wanted) if wanted else (0, [])
        _push(journal, studio)
    click.echo(f"{folder}: {_count(added, 'pair')} more for adjudication, of {len(wanted)} that wait for it")
    if stuck:
        raise UserError(
            f"each adjudicator was asked about {_count(len(stuck), 'pair')} before, {stuck[0]} for one: "
            f"name another one in {at.path}/campaign.toml and run the same command again"
        )


def reassign(folder: Path, home: Path | None, giver: str | None, taker: str | None) -> None:
    at = read_campaign(folder)
    with _studio(home) as studio, Journal(at.store) as journal:
        note_settings(at, journal)
        pull_all(journal, studio)
        moved = changes.reassign(at, journal, giver, taker)
        _push(journal, studio)
    click.echo(f"{folder}: {_count(moved, 'task')} passed on")


def withdraw(folder: Path, email: str, undo: bool) -> None:
    at = noted(folder)
    with Journal(at.store) as journal:
        changes.withdraw(journal, email, undo=undo)
    votes = "the votes of {} count again" if undo else "no vote of {} counts any more"
    click.echo(f"{folder}: {votes.format(email)}")
    if not undo:
        click.echo(f"Their tasks can pass to others: gristmill campaign reassign {folder} --from {email}")


def _studio(home: Path | None) -> Studio:
    return Studio(connection(home or default_home()))


def _push(journal: Journal, studio: Studio) -> Pushed:
    with counting("pushing") as tell:
        pushed = push_all(journal, studio, tell)
    for place in pushed.made_again:
        click.echo(f"the project of {place} had gone from Label Studio: made again, with the tasks that have no vote")
    removed = f", {pushed.removed:,} removed" if pushed.removed else ""
    click.echo(f"{studio.url}: {pushed.imported:,} tasks added, {pushed.there:,} were there{removed}")
    return pushed


def _tell_planned(at: CampaignFolder, planned: Planned) -> None:
    campaign = at.campaign
    made = "made" if planned.new else "is as it was made"
    with_gold = f" and {_count(planned.gold, 'gold pair')}" if planned.gold else ""
    click.echo(
        f"batch {campaign.batch} {made}: {_count(planned.pairs, 'pair')}{with_gold}, "
        f"{campaign.votes} votes each, {_count(planned.tasks, 'task')}"
    )
    left_out = {
        "identical": "pairs of responses are identical: not paired",
        "not_drawn": "pairs were not drawn (pairs.per_prompt)",
        "in_an_earlier_batch": "pairs are in an earlier batch: not asked again",
    }
    for reason, words in left_out.items():
        if planned.counts[reason]:
            click.echo(f"  {planned.counts[reason]:,} {words}")
    kinds = Counter(problem.reason for problem in planned.problems)
    for reason, count in sorted(kinds.items()):
        some = [problem for problem in planned.problems if problem.reason == reason][:SHOWN_PROBLEMS]
        for problem in some:
            click.echo(f"  {problem.where}: {problem.message}", err=True)
        if count > len(some):
            click.echo(f"  ... and {count - len(some):,} more like it ({reason})", err=True)
    for person in planned.without_tasks:
        click.echo(
            f"  {person} joined after the batch was made and has no tasks: "
            f"gristmill campaign reassign {at.path} --to {person}"
        )


def _tell_pulled(pulled: Pulled, folder: Path) -> None:
    deleted = f", {pulled.deleted:,} deleted" if pulled.deleted else ""
    click.echo(f"{folder}: {pulled.kept:,} annotations new or changed{deleted}; revision {pulled.revision}")
    for place in pulled.gone:
        click.echo(
            f"the project of {place} is gone from Label Studio; what was pulled from it counts. "
            f"To ask again for what is missing: gristmill campaign push {folder}",
            err=True,
        )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
