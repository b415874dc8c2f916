"""Creates Label Studio's empty database, which appears only when it is complete."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from annotation.server.home import Home
from annotation.server.process import PRIVATE
from annotation.server.variables import variables
from schemas.errors import RunError

SCRIPT = """
import gc, sys
from django.db.backends.signals import connection_created

def skip_syncs(sender, connection, **_):
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA synchronous = OFF")
        connection.cursor().execute("PRAGMA journal_mode = MEMORY")

connection_created.connect(skip_syncs)
gc.set_threshold(100_000)
from label_studio.server import main
sys.argv = ["label-studio", "init", "--quiet"]
main()
"""
"""Runs the migrations, a third faster without syncs: a crash can only damage a database that nobody uses yet."""


def migrate(home: Home, environment: Path, database: str | None, tell: Callable[[str], None]) -> None:
    """Creates the data folder and an empty database, unless the folder exists.

    ``database`` is the URL of a PostgreSQL database; None for SQLite in the data folder.

    Raises RunError if Label Studio fails.
    """
    if home.data.exists():
        return
    tell("creating the database")
    unfinished = _Unfinished(home.root)
    shutil.rmtree(unfinished.data, ignore_errors=True)
    unfinished.data.mkdir(mode=0o700)
    done = subprocess.run(
        [*PRIVATE, str(environment / "bin" / "python"), "-c", SCRIPT],
        env=variables(unfinished, database),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line and not line[0].isspace()]
        last = (lines or ["it printed no message"])[-1]
        raise RunError(f"Label Studio could not create its database in {home.root}: {last}")
    os.sync()
    os.rename(unfinished.data, home.data)


class _Unfinished(Home):
    """A home whose data folder is still being created."""

    @property
    def data(self) -> Path:
        return self.root / "data.new"
