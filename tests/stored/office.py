"""The commands of an installed Gristmill, the campaigns that they run, and the archive of what they wrote."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stored.people import Person


@dataclass(frozen=True)
class Writer:
    """A folder, and the commands of the version that writes it."""

    folder: Path
    programs: Path

    def run(self, *words: str) -> str:
        """What the command printed. Raises CalledProcessError where it fails."""
        command = [str(self.programs / "gristmill"), *words]
        environment = {**os.environ, "GRISTMILL_SIGNING_KEY": f"{self.folder}.pem"}
        done = subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.PIPE, text=True, env=environment)
        return done.stdout

    def check(self, version: str) -> None:
        """Ends the script unless the commands are of this version, and a Label Studio is named."""
        found = self.run("--version").split()[-1]
        if found != version:
            sys.exit(f"{self.programs}/gristmill is version {found}, not {version}")
        if not os.environ.get("GRISTMILL_STUDIO_HOME"):
            sys.exit("GRISTMILL_STUDIO_HOME names no Label Studio: start one with gristmill studio start --home DIR")

    def run_all(self, commands: str) -> None:
        for command in commands.strip().splitlines():
            self.run(*command.split())


@dataclass(frozen=True)
class Office:
    """A campaign, the people who were invited to it, and what it came to at several revisions of its journal."""

    writer: Writer
    name: str

    def push(self, *words: str) -> dict[str, Person]:
        """Pushes what is to be asked; the people by email address, signed in to Label Studio itself, without a gate."""
        self.writer.run("campaign", "push", self.name, *words)
        invited = self.writer.run("campaign", "invite", self.name)
        found = re.findall(r"^(\S+@\S+)\n  link +\S+.*\n  password +(\S+)$", invited, re.MULTILINE)
        with self._journal() as journal:
            [[body]] = journal.execute("SELECT body FROM journal WHERE kind = 'server'")
        return {email: Person(json.loads(body)["url"], email, password) for email, password in found}

    def pull(self, *words: str) -> None:
        self.writer.run("campaign", "pull", self.name, *words)

    def label(self, person: Person, *also: dict[str, Any], share: float = 1.0, safety: bool = False) -> None:
        """Answers the first tasks of each of a person's projects that have no answer yet; see `Person.answer`."""
        for project in self.projects(person.name):
            waiting = [task for task in person.tasks(project) if not task["annotations"]]
            for task in waiting[: round(share * len(waiting))]:
                person.answer(task, *also, safety=safety)

    def projects(self, email: str) -> list[int]:
        people = "journal JOIN personal ON token = key"
        with self._journal() as journal:
            [[body]] = journal.execute(f"SELECT body FROM {people} WHERE kind = 'annotator' AND value = ?", [email])
            places = journal.execute("SELECT place, project FROM project ORDER BY place")
            return [number for place, number in places if place.endswith(f"/{json.loads(body)}")]

    def build(self) -> None:
        """What the campaign comes to as it is now, as ``as_of/REVISION``."""
        with self._journal() as journal:
            [[revision]] = journal.execute("SELECT max(revision) FROM journal")
        self.writer.run("dataset", "build", self.name, "--output", f"as_of/{revision}")

    def edit(self, old: str, new: str) -> None:
        path = self.writer.folder / self.name / "campaign.toml"
        path.write_text(path.read_text().replace(old, new))

    def _journal(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(self.writer.folder / self.name / "campaign.db"))


def pack_up(folder: Path, name: str) -> None:
    """Moves the folder into an archive beside it, in which nothing tells when and by whom it was made."""
    for lock in folder.glob("*/campaign.db?*"):
        lock.unlink()

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.mtime = entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mode = 0o755 if entry.isdir() else 0o644
        return entry

    with tarfile.open(folder.parent / name, "w:xz", format=tarfile.PAX_FORMAT, preset=9) as file:
        file.add(folder, ".", filter=plain)
    shutil.rmtree(folder)
