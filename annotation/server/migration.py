"""The first database of Label Studio, made in one go and put in place when it is whole."""

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

def careless(sender, connection, **_):
    connection.cursor().execute("PRAGMA synchronous = OFF")
    connection.cursor().execute("PRAGMA journal_mode = MEMORY")

connection_created.connect(careless)
gc.set_threshold(100_000)
from label_studio.server import main
sys.argv = ["label-studio", "init", "--quiet"]
main()
"""
"""Runs the migrations. A crash may spoil this database, which nobody uses yet: a third of the time is saved."""


def migrate(home: Home, environment: Path, tell: Callable[[str], None]) -> None:
    """Makes the data folder with its empty database, unless there is one.

    Raises RunError where Label Studio fails at it.
    """
    if home.data.exists():
        return
    tell("making the database")
    making = _Making(home.root)
    shutil.rmtree(making.data, ignore_errors=True)
    making.data.mkdir(mode=0o700)
    done = subprocess.run(
        [*PRIVATE, str(environment / "bin" / "python"), "-c", SCRIPT],
        env=variables(making, None),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise RunError(f"Label Studio could not make its database in {home.root}: {last}")
    os.sync()
    os.rename(making.data, home.data)


class _Making(Home):
    """The same home while its data folder is being made."""

    @property
    def data(self) -> Path:
        return self.root / "data.new"
