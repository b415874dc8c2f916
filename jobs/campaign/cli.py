"""The commands ``gristmill campaign ...``: their names and options."""

from pathlib import Path
from typing import Any

import click

from jobs.options import JSON, PATH, Amount

FOLDER = click.argument("folder", metavar="DIR", type=PATH)
HOME = click.option(
    "--home",
    type=PATH,
    metavar="DIR",
    help="The folder of the embedded Label Studio (default: as for gristmill studio).",
)


@click.group(short_help="Ask people about responses of models.")
def campaign() -> None:
    """Show pairs of responses to annotators, and collect their votes."""


@campaign.command(short_help="Write a commented example that runs.")
@FOLDER
@click.option(
    "--protocol",
    type=click.Choice(["preference", "safety", "evaluation", "safety-rating"]),
    default="preference",
    show_default=True,
    help="The question. For a dataset: which response is more helpful, or which is safer. To measure models: which "
    "response is better, with ties (evaluation), or how safe each response is (safety-rating).",
)
@click.option(
    "--responses",
    multiple=True,
    type=PATH,
    metavar="FILE",
    help="Responses to ask about, in place of the example's: rows with prompt_id, prompt (or messages), model and "
    "response, or outputs of alpaca_eval, Arena-Hard or lm-eval. Repeat for several files.",
)
def new(folder: Path, protocol: str, responses: tuple[Path, ...]) -> None:
    """Write a campaign into the new folder DIR: settings with comments, guidelines, responses and gold pairs."""
    from jobs.campaign.commands import new

    new(folder, protocol, responses)


@campaign.command(short_help="Give the batch of campaign.toml to its annotators.")
@FOLDER
@click.option(
    "--new-server", is_flag=True, help="Continue the campaign on another Label Studio; votes in the journal stay."
)
@click.option(
    "--new-guidelines",
    is_flag=True,
    help="Give the changed guidelines to the batches that run, as a wording that the record keeps apart.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Make nothing: print what would be made and left out, and write a preview of the page. Needs no Label Studio.",
)
@click.option(
    "--preview", type=PATH, metavar="FILE", help="With --dry-run: the preview's file (default: DIR/preview.html)."
)
@HOME
def push(folder: Path, home: Path | None, dry_run: bool, preview: Path | None, **given: bool) -> None:
    """Make the pairs and tasks of the batch in DIR/campaign.toml, and add them to Label Studio.

    Repeat the command at any time: existing tasks are kept, missing tasks are added.
    """
    from jobs.campaign import commands
    from jobs.campaign import dry_run as rehearsed

    if dry_run:
        rehearsed.dry_run(folder, home, preview, new_guidelines=given["new_guidelines"])
    elif preview:
        raise click.UsageError("--preview needs --dry-run")
    else:
        commands.push(folder, home, **given)


@campaign.command(short_help="Undo a batch that nobody has begun.")
@FOLDER
@click.argument("batch")
@HOME
def undo(folder: Path, batch: str, home: Path | None) -> None:
    """Delete the projects of BATCH of DIR from Label Studio, as if the batch had not been made.

    A batch with an annotation or a draft cannot be undone. After an edit, push can make the batch again.
    """
    from jobs.campaign.commands import undo

    undo(folder, batch, home)


@campaign.command(short_help="Make annotators' accounts and print their links.")
@FOLDER
@click.argument("emails", metavar="[EMAIL]...", nargs=-1)
@click.option("--reset", is_flag=True, help="Give each EMAIL a new password, which is printed now and stored nowhere.")
@JSON
@click.option("--csv", is_flag=True, help="Print CSV with email, link and password instead, to merge into letters.")
@HOME
def invite(**given: Any) -> None:
    """Make an account for each annotator of DIR (or for each EMAIL), and print link, email address and password.

    Passwords are computed from the server's token and stored nowhere.
    """
    from jobs.campaign.commands import invite

    invite(**given)


@campaign.command(short_help="Copy annotations into the journal.")
@FOLDER
@click.option("--quick", is_flag=True, help="Read recent changes only; deleted annotations are not noticed.")
@click.option(
    "--missing",
    type=click.Choice(["ask", "keep", "accept"]),
    default="ask",
    show_default=True,
    help="Votes that Label Studio no longer has, though their author did not delete them: keep them, accept their "
    "deletion, or ask if many are missing or Label Studio looks like an older backup.",
)
@click.option(
    "--watch",
    is_flag=True,
    help="Keep pulling until Ctrl+C: quick pulls, and sometimes a full one. If Label Studio runs on this machine, its "
    "webhooks trigger a pull at once.",
)
@click.option(
    "--every",
    type=click.FloatRange(min=0.2),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="With --watch: the most seconds between two pulls.",
)
@HOME
def pull(**given: Any) -> None:
    """Copy new, changed and deleted annotations of DIR into its journal. Run it as often as you like."""
    from jobs.campaign.commands import pull

    pull(**given)


@campaign.command(short_help="Show progress, agreement, and what needs attention.")
@FOLDER
@JSON
@click.option(
    "--csv",
    type=click.Choice(["annotators", "batches", "attention", "comments", "reports", "quarantine"]),
    help="Print one table as CSV instead.",
)
def status(folder: Path, as_json: bool, csv: str | None) -> None:
    """Show each annotator's progress, the agreement, and what needs attention in DIR; as of the last pull."""
    from jobs.campaign.status import status

    status(folder, as_json, csv)


@campaign.command(short_help="Write a page with plots of a campaign.")
@FOLDER
@click.option("--output", type=PATH, metavar="FILE", help="The page (default: report.html in DIR).")
@click.option("--names", is_flag=True, help="Show email addresses; without, the page shows pseudonyms only.")
def report(**given: Any) -> None:
    """Write progress, agreement, pace, bias, verdicts, comments and what needs attention in DIR as one HTML file.

    The page needs no network, and is the same for the same state of DIR. An earlier report is replaced.
    """
    from jobs.campaign.report import report

    report(**given)


@campaign.command(short_help="Show which pairs have a verdict, and why others lack one.")
@FOLDER
def resolve(folder: Path) -> None:
    """Show the verdicts that the resolve policy of DIR derives from its votes; as of the last pull."""
    from jobs.campaign.commands import resolve

    resolve(folder)


@campaign.command(short_help="Give pairs without a verdict to an adjudicator.")
@FOLDER
@HOME
def adjudicate(folder: Path, home: Path | None) -> None:
    """Give an adjudicator of DIR the pairs that are tied, have no majority, or whose chosen response is unsafe."""
    from jobs.campaign.commands import adjudicate

    adjudicate(folder, home)


@campaign.command(short_help="Move unfinished tasks to another annotator.")
@FOLDER
@click.option(
    "--from",
    "giver",
    metavar="EMAIL",
    help="Move all unfinished tasks of this annotator (default: some tasks of the busiest annotators).",
)
@click.option(
    "--to",
    "taker",
    metavar="EMAIL",
    help="Move the tasks to this annotator (default: to the annotators with the fewest tasks).",
)
@click.option("--skipped", is_flag=True, help="Move only tasks that their annotators skipped.")
@HOME
def reassign(folder: Path, giver: str | None, taker: str | None, skipped: bool, home: Path | None) -> None:
    """Move tasks of DIR that have no vote yet: to somebody who joined, or from somebody who left."""
    from jobs.campaign.commands import reassign

    reassign(folder, home, giver, taker, skipped=skipped)


@campaign.command(short_help="Withdraw the votes of an annotator.")
@FOLDER
@click.argument("email")
@click.option("--undo", is_flag=True, help="Count the votes again.")
def withdraw(folder: Path, email: str, undo: bool) -> None:
    """Stop counting the votes of annotator EMAIL in DIR. Nothing is deleted, and the tasks can be reassigned."""
    from jobs.campaign.commands import withdraw

    withdraw(folder, email, undo)


@campaign.command(short_help="Verify the record of a campaign, and write it out for others.")
@click.argument("folder", metavar="[DIR]", type=PATH, required=False)
@click.option(
    "--public-key", type=PATH, metavar="FILE", help="The public key of the signer (default: campaign.pub in DIR)."
)
@click.option("--output", type=PATH, metavar="FILE", help="Write an audit that others can check, as JSON lines.")
@click.option("--names", is_flag=True, help="With email addresses; without, an audit holds pseudonyms only.")
@click.option("--check", type=PATH, metavar="FILE", help="Check an audit, with --public-key and without DIR.")
def audit(folder: Path | None, **given: Any) -> None:
    """Verify from the first row to the last that nobody changed the journal of DIR, and show what is in quarantine.

    The audit says who was asked what, which page they saw, what they answered when, and what is in quarantine and why.
    Exit code 1: a row or a signature is not as it was written.
    """
    from jobs.campaign.audit import audit

    audit(folder, **given)


@campaign.command(short_help="Plan how many prompts and votes an evaluation needs.")
@click.argument("folder", metavar="[DIR]", type=PATH, required=False)
@click.option(
    "--width",
    type=Amount(0, 1, min_open=True, max_open=True),
    help="The wanted width of the 95% interval, such as 0.1 for ten points.",
)
@click.option("--prompts", type=click.IntRange(2, 1_000_000), metavar="N", help="In place of --width: the prompts.")
@click.option(
    "--rate",
    type=Amount(0, 1, min_open=True, max_open=True),
    default=0.5,
    show_default=True,
    help="The expected win rate; 0.5 gives the widest interval.",
)
@click.option(
    "--raters", type=click.IntRange(1, 100_000), metavar="N", default=30, show_default=True, help="The people who vote."
)
@click.option("--votes", type=click.IntRange(min=1), metavar="N", help="Votes on each prompt (default: 1, 2, 3 and 5).")
@click.option("--cost", type=Amount(min=0), help="The cost of a vote.")
@JSON
def power(folder: Path | None, as_json: bool, **given: Any) -> None:
    """Show how many prompts and votes a win rate of two models needs, or how wide its interval will be.

    With an earlier evaluation campaign DIR, votes are as much alike and as often ties as there; without, by assumption.
    """
    from jobs.campaign.power import power

    power(folder, as_json, **given)


@campaign.command(short_help="Erase an annotator's email address.")
@FOLDER
@click.argument("email")
def erase(folder: Path, email: str) -> None:
    """Erase the email address EMAIL from the journal of DIR. The votes stay, under the pseudonym."""
    from jobs.campaign.audit import erase

    erase(folder, email)
