"""The commands ``gristmill studio ...``: their names and options."""

from pathlib import Path

import click

from jobs.options import PATH

HOME = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The studio's folder (default: $GRISTMILL_STUDIO_HOME, else $XDG_DATA_HOME/gristmill/studio, else "
    "~/.local/share/gristmill/studio).",
)


@click.group(short_help="Run the embedded Label Studio.")
def studio() -> None:
    """Run the embedded Label Studio, in which annotators label campaigns."""


@studio.command(short_help="Install and start Label Studio.")
@HOME
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="N",
    help="The local port for annotators (default: the last port, initially 8080). Label Studio itself listens on "
    "another free port.",
)
@click.option(
    "--public-url",
    metavar="URL",
    help="The address of a TLS proxy for annotators on other machines, such as https://labels.example.org; '' means "
    "no proxy (default: the last address).",
)
@click.option(
    "--database",
    metavar="URL",
    help="At the first start: keep all data in this empty PostgreSQL database, such as "
    "postgresql://USER:PASSWORD@HOST:PORT/NAME (default: SQLite in the studio's folder).",
)
def start(home: Path | None, port: int | None, public_url: str | None, database: str | None) -> None:
    """Install Label Studio if needed, start it and its gate unless they are running, and wait until they answer.

    Annotators reach the gate, which lets them do their own work only.

    \b
        gristmill studio start
        gristmill studio start --port 8081 --public-url https://labels.example.org
    """
    from jobs.studio import commands

    commands.start(home, port, public_url, database)


@studio.command(short_help="Install Label Studio and make its database, without starting it.")
@HOME
def install(home: Path | None) -> None:
    """Install Label Studio and make its database. Later starts need no network and take seconds."""
    from jobs.studio import commands

    commands.install(home)


@studio.command(short_help="Stop Label Studio.")
@HOME
def stop(home: Path | None) -> None:
    """Stop Label Studio and its gate. All annotations are kept."""
    from jobs.studio import commands

    commands.stop(home)


@studio.command(short_help="Say whether Label Studio runs, and where.")
@HOME
def status(home: Path | None) -> None:
    """Say whether Label Studio and its gate run, and where. Exit code 1: one of them does not run."""
    from jobs.studio import commands

    commands.status(home)


@studio.command(short_help="Show the end of Label Studio's log.")
@HOME
@click.option(
    "--lines", type=click.IntRange(min=1), default=100, show_default=True, metavar="N", help="Number of lines to show."
)
@click.option("--gate", is_flag=True, help="The log of the gate, with the requests that it refused.")
def logs(home: Path | None, lines: int, gate: bool) -> None:
    """Show the end of Label Studio's log, with tokens and passwords masked."""
    from jobs.studio import commands

    commands.logs(home, lines, gate)


@studio.command(short_help="Back up Label Studio into one file.")
@HOME
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(home: Path | None, file: Path) -> None:
    """Copy database, uploaded files, keys and the administrator's account into FILE (.tar.gz), which only you can read.

    Label Studio may be running.
    """
    from jobs.studio import commands

    commands.backup(home, file)


@studio.command(short_help="Restore a backup of Label Studio.")
@HOME
@click.option("--replace", is_flag=True, help="Replace an existing studio, whose data is kept in data.replaced.")
@click.argument("file", type=PATH)
def restore(home: Path | None, file: Path, replace: bool) -> None:
    """Restore Label Studio from the backup FILE. Stop Label Studio first."""
    from jobs.studio import commands

    commands.restore(home, file, replace)
