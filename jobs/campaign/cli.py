"""The commands ``gristmill campaign ...``: their names and options."""

from pathlib import Path

import click

FOLDER = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
HOME = click.option(
    "--home",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder of the embedded Label Studio (default: as for gristmill studio).",
)


@click.group(short_help="Ask people which response is better.")
def campaign() -> None:
    """Put pairs of responses before annotators, and collect what they say."""


@campaign.command(short_help="Write a commented example that runs.")
@FOLDER
@click.option(
    "--protocol",
    type=click.Choice(["preference", "safety"]),
    default="preference",
    show_default=True,
    help="What is asked: the more helpful response, or the safer one.",
)
def new(folder: Path, protocol: str) -> None:
    """Write a campaign into the new folder DIR: settings with comments, guidelines, responses and gold pairs."""
    from jobs.campaign.commands import new

    new(folder, protocol)


@campaign.command(short_help="Put the batch of campaign.toml before its annotators.")
@FOLDER
@HOME
def push(folder: Path, home: Path | None) -> None:
    """Make pairs and tasks of the batch that DIR/campaign.toml names, and put them into Label Studio.

    Run it again at any time: what is there stays, what is missing is added.
    """
    from jobs.campaign.commands import push

    push(folder, home)


@campaign.command(short_help="Make annotators' accounts and print their links.")
@FOLDER
@click.argument("emails", metavar="[EMAIL]...", nargs=-1)
@HOME
def invite(folder: Path, emails: tuple[str, ...], home: Path | None) -> None:
    """Make an account for each annotator of DIR (or for each EMAIL), and print link, email address and password.

    The passwords follow from the token of the server, so nothing keeps them.
    """
    from jobs.campaign.commands import invite

    invite(folder, emails, home)


@campaign.command(short_help="Bring what annotators did into the journal.")
@FOLDER
@click.option("--quick", is_flag=True, help="Look at recent changes only; deletions are found without it.")
@click.option(
    "--watch",
    is_flag=True,
    help="Go on until Ctrl+C: quick pulls, and a full one now and then. Webhooks make it look sooner, where Label "
    "Studio runs on this machine.",
)
@click.option(
    "--every",
    type=click.FloatRange(min=0.2),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="With --watch: seconds between two looks, at most.",
)
@HOME
def pull(folder: Path, quick: bool, watch: bool, every: float, home: Path | None) -> None:
    """Bring new, changed and deleted annotations of DIR into its journal. Run it as often as you like."""
    from jobs.campaign.commands import PullOptions, pull

    pull(PullOptions(folder=folder, quick=quick, watch=watch, every=every, home=home))


@campaign.command(short_help="Show progress, agreement, and what needs attention.")
@FOLDER
def status(folder: Path) -> None:
    """Show how far each annotator of DIR is, how well they agree, and what needs attention; as of the last pull."""
    from jobs.campaign.commands import status

    status(folder)


@campaign.command(short_help="Show which pairs have a verdict, and why others have none.")
@FOLDER
def resolve(folder: Path) -> None:
    """Show what the votes of DIR come to under its resolve policy; as of the last pull."""
    from jobs.campaign.commands import resolve

    resolve(folder)


@campaign.command(short_help="Give pairs without a verdict to an adjudicator.")
@FOLDER
@HOME
def adjudicate(folder: Path, home: Path | None) -> None:
    """Put pairs that are tied, lack a majority, or whose chosen response is unsafe before an adjudicator of DIR."""
    from jobs.campaign.commands import adjudicate

    adjudicate(folder, home)


@campaign.command(short_help="Pass unfinished tasks on.")
@FOLDER
@click.option(
    "--from", "giver", metavar="EMAIL", help="All unfinished tasks of this annotator; else those of the busiest."
)
@click.option("--to", "taker", metavar="EMAIL", help="To this annotator; else to whoever has the least to do.")
@HOME
def reassign(folder: Path, giver: str | None, taker: str | None, home: Path | None) -> None:
    """Pass on tasks of DIR without a vote: to somebody who joined, or from somebody who left."""
    from jobs.campaign.commands import reassign

    reassign(folder, home, giver, taker)


@campaign.command(short_help="Let no vote of an annotator count.")
@FOLDER
@click.argument("email")
@click.option("--undo", is_flag=True, help="Let the votes count again.")
def withdraw(folder: Path, email: str, undo: bool) -> None:
    """Withdraw all votes of annotator EMAIL from DIR. Nothing is deleted; their tasks can be reassigned."""
    from jobs.campaign.commands import withdraw

    withdraw(folder, email, undo)
