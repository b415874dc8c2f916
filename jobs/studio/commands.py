"""The commands ``gristmill studio ...``."""

import sys
from pathlib import Path

from annotation.server import backup as backups
from annotation.server import lifecycle
from annotation.server import logs as log
from annotation.server.database import hide_password
from annotation.server.home import Home, default_home
from jobs.terminal import say
from schemas.sizes import readable


def start(home: Path | None, port: int | None, public_url: str | None, database: str | None = None) -> None:
    """Starts Label Studio and its gate and prints their addresses."""
    chosen = home or default_home()
    lifecycle.start(chosen, port, public_url, _say_progress, database)
    _print_addresses(chosen, lifecycle.status(chosen))


def install(home: Path | None) -> None:
    """Installs Label Studio and makes its database, which needs the network and about half a minute."""
    lifecycle.prepare(home or default_home(), _say_progress)


def stop(home: Path | None) -> None:
    """Stops Label Studio."""
    say("stopped" if lifecycle.stop(home or default_home()) else "Label Studio was not running")


def status(home: Path | None) -> None:
    """Prints the addresses of a running studio; ends with exit code 1 if the gate or Label Studio does not run."""
    chosen = home or default_home()
    found = lifecycle.status(chosen)
    if found.pid is None and found.gate_pid is None:
        say(f"no Label Studio runs in {chosen}")
        sys.exit(1)
    if not found.running:
        ended, other = ("Label Studio", "its gate") if found.pid is None else ("the gate", "Label Studio")
        say(f"{ended} of {chosen} does not run, and {other} does: run `gristmill studio start`; nobody can label now")
        sys.exit(1)
    _print_addresses(chosen, found)


def logs(home: Path | None, lines: int, gate: bool) -> None:
    """Prints the end of Label Studio's log or the gate's."""
    for line in log.logs(home or default_home(), lines, gate):
        say(line)


def backup(home: Path | None, file: Path) -> None:
    """Writes a backup and says how large it is."""
    backups.backup(home or default_home(), file)
    say(f"{file}: {readable(file.stat().st_size)}; this file contains secrets: keep it private")


def restore(home: Path | None, file: Path, replace: bool) -> None:
    """Restores a backup."""
    chosen = home or default_home()
    backups.restore(chosen, file, replace, _say_progress)
    say(f"restored into {chosen}; run `gristmill studio start`")


def _print_addresses(home: Path, found: lifecycle.Status) -> None:
    say(f"annotators: {found.public_url}")
    if found.public_url != found.url:
        say(f"the proxy's target: {found.url}")
    say(f"Label Studio: {found.inner_url}, for administrators on this machine")
    studio = Home(home)
    if studio.server.database:
        say(f"database: {hide_password(studio.server.database)}")
    if studio.admin:
        say(f"administrator: {studio.admin.email}, password in {studio.admin_file}")


def _say_progress(sentence: str) -> None:
    say(f"{sentence} ...", err=True)
