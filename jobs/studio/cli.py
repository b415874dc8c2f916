"""The commands ``gristmill studio ...``: their names and options."""

from pathlib import Path

import click

HOME = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The studio's folder (default: $GRISTMILL_STUDIO_HOME, else $XDG_DATA_HOME/gristmill/studio, else "
    "~/.local/share/gristmill/studio).",
)


@click.group(short_help="Run the embedded Label Studio.")
def studio() -> None:
    """Run the embedded Label Studio, on which campaigns are labelled."""


@studio.command(short_help="Install and start Label Studio, or find that it runs.")
@HOME
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="N",
    help="Where it listens, on this machine only (default: as last time, at first 8080).",
)
@click.option(
    "--public-url",
    metavar="URL",
    help="The address of a TLS proxy by which annotators reach it, such as https://labels.example.org; '' is none "
    "(default: as last time).",
)
def start(home: Path | None, port: int | None, public_url: str | None) -> None:
    """Install Label Studio where needed, start it, and return once it answers.

    \b
        gristmill studio start
        gristmill studio start --port 8081 --public-url https://labels.example.org
    """
    from jobs.studio import commands

    commands.start(home, port, public_url)


@studio.command(short_help="Install Label Studio and make its database, without starting it.")
@HOME
def install(home: Path | None) -> None:
    """Install Label Studio and make its database, so that a start needs no network and takes seconds."""
    from jobs.studio import commands

    commands.install(home)


@studio.command(short_help="Stop Label Studio.")
@HOME
def stop(home: Path | None) -> None:
    """Stop Label Studio. What was labelled stays."""
    from jobs.studio import commands

    commands.stop(home)


@studio.command(short_help="Say whether Label Studio runs, and where.")
@HOME
def status(home: Path | None) -> None:
    """Say whether Label Studio runs, and where; exit code 1 where it does not."""
    from jobs.studio import commands

    commands.status(home)


@studio.command(short_help="Show the end of Label Studio's log.")
@HOME
@click.option(
    "--lines", type=click.IntRange(min=1), default=100, show_default=True, metavar="N", help="How many lines."
)
def logs(home: Path | None, lines: int) -> None:
    """Show the end of Label Studio's log, with tokens and passwords blotted out."""
    from jobs.studio import commands

    commands.logs(home, lines)


@studio.command(short_help="Copy the whole state of Label Studio into one file.")
@HOME
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(home: Path | None, file: Path) -> None:
    """Copy database, uploaded files, keys and the administrator's account into FILE (.tar.gz), which only you can read.

    Label Studio may run meanwhile.
    """
    from jobs.studio import commands

    commands.backup(home, file)


@studio.command(short_help="Put a backup of Label Studio in place.")
@HOME
@click.option(
    "--replace",
    is_flag=True,
    help="Put it in place of a studio that is there, which is kept beside it as data.replaced.",
)
@click.argument("file", type=click.Path(path_type=Path))
def restore(home: Path | None, file: Path, replace: bool) -> None:
    """Put the backup FILE in place. Label Studio must not run."""
    from jobs.studio import commands

    commands.restore(home, file, replace)
