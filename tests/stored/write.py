"""Writes the stored folders with an installed Gristmill: python -m tests.stored.write FOLDER BIN VERSION.

FOLDER is new; BIN holds the ``gristmill`` of that VERSION; GRISTMILL_STUDIO_HOME names the folder of a Label Studio
that runs (``gristmill studio start``), new and used for nothing else. What a version wrote goes into an archive beside
this script, and is never written again: tests/jobs/test_stored.py says that every later version reads it.
"""

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

from tests.stored.inputs import write_input
from tests.stored.people import Person

EXPORTS = (
    *("trl-reward", "trl-dpo", "trl-kto", "openrlhf", "open-instruct", "nemo-rl", "llama-factory", "axolotl", "hf"),
    "hh",
)
CORPORA = """
curate --input in/first.jsonl --output corpus --workers 0
curate --input in/second.jsonl --output later --against corpus --workers 0
curate job.toml --workers 0
takedown corpus --doc-id ids.txt --output takedown --workers 0
takedown corpus --doc-id ids.txt --near --output takedown_near --workers 0
takedown later --against takedown --output renewed --workers 0
train-tokenizer corpus --vocabulary 300 --output tokenizer.json
pack corpus --tokenizer tokenizer.json --length 16 --output packed
pack --mixture packs.toml --tokenizer tokenizer.json --length 16 --output packed_mixture
pack-export packed_mixture --format megatron --output tokens
"""
DATASETS = """
dataset build mill guard --output built
dataset import in/pairs.jsonl --held-out in/held_out.jsonl --schema hh --output comparisons
dataset mix mix.toml --output mixture
dataset upgrade mixture --output upgraded
"""


@dataclass(frozen=True)
class Writer:
    """A folder, and the commands of the version that writes it."""

    folder: Path
    programs: Path

    def run(self, *words: str) -> str:
        """What the command printed. Raises CalledProcessError where it fails."""
        command = [str(self.programs / "gristmill"), *words]
        done = subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout

    def run_all(self, commands: str) -> None:
        for command in commands.strip().splitlines():
            self.run(*command.split())


@dataclass(frozen=True)
class Office:
    """A campaign, the people who were invited to it, and what it came to at several revisions of its journal."""

    writer: Writer
    name: str

    def push(self) -> dict[str, Person]:
        """Pushes what is to be asked; the people by email address."""
        self.writer.run("campaign", "push", self.name)
        invited = self.writer.run("campaign", "invite", self.name)
        found = re.findall(r"^(\S+@\S+)\n  link +(\S+).*\n  password +(\S+)$", invited, re.MULTILINE)
        url = next(link for _, link, _ in found if "://" in link).split("/", 3)
        return {email: Person("/".join(url[:3]), email, password) for email, _, password in found}

    def pull(self, *words: str) -> None:
        self.writer.run("campaign", "pull", self.name, *words)

    def label(self, person: Person, share: float = 1.0, *, safety: bool = False) -> None:
        """Answers the first tasks of each of a person's projects that have no answer yet."""
        for project in self.projects(person.name):
            waiting = [task for task in person.tasks(project) if not task["annotations"]]
            for task in waiting[: round(share * len(waiting))]:
                person.answer(task, safety=safety)

    def projects(self, email: str) -> list[int]:
        with self._journal() as journal:
            [[body]] = journal.execute("SELECT body FROM journal WHERE kind = 'annotator' AND key = ?", [email])
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


def compare(mill: Office) -> None:
    """A campaign in which people skip, change their minds, leave, come back and disagree."""
    people = mill.push()
    ann, bob, cy, dee = (people[f"{name}@mill.example"] for name in ("ann", "bob", "cy", "dee"))
    [project] = mill.projects(ann.name)
    ann.skip(ann.tasks(project)[0])
    mill.label(ann)
    mill.label(bob, share=0.5)
    mill.pull("--quick")
    mill.build()
    answered = ann.tasks(project)[1:]
    ann.change(answered[0])
    ann.delete(answered[1])
    mill.pull()
    mill.writer.run("campaign", "withdraw", mill.name, bob.name)
    mill.writer.run("campaign", "reassign", mill.name, "--from", bob.name)
    mill.build()
    people = mill.push()
    for person in (ann, cy):
        mill.label(person)
    mill.pull()
    mill.writer.run("campaign", "withdraw", mill.name, cy.name)
    mill.build()
    mill.writer.run("campaign", "withdraw", mill.name, cy.name, "--undo")
    mill.writer.run("campaign", "adjudicate", mill.name)
    mill.push()
    mill.label(dee)
    mill.pull()
    mill.build()
    mill.edit(f'"{bob.name}", ', "")
    mill.edit('batch = "b1"', 'batch = "b2"')
    mill.edit('responses = "b1.jsonl"', 'responses = "b2.jsonl"')
    mill.edit("version = 1", "version = 2")
    mill.push()
    for person in (ann, cy):
        mill.label(person)
    mill.pull()
    mill.build()


def guard(office: Office) -> None:
    """A campaign of the safety protocol: who has a task answers it."""
    for person in office.push().values():
        if person.name != "dee@mill.example":
            office.label(person, safety=True)
    office.pull()


def pack_up(folder: Path, archive: Path) -> None:
    """The folder as a tar file in which nothing tells when and by whom it was made."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.mtime = entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mode = 0o755 if entry.isdir() else 0o644
        return entry

    with tarfile.open(archive, "w:xz", format=tarfile.PAX_FORMAT, preset=9) as file:
        file.add(folder, ".", filter=plain)


def main() -> None:
    folder, programs, version = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3]
    writer = Writer(folder, programs)
    write_input(folder)
    found = writer.run("--version").split()[-1]
    if found != version:
        sys.exit(f"{programs}/gristmill is version {found}, not {version}")
    if not os.environ.get("GRISTMILL_STUDIO_HOME"):
        sys.exit("GRISTMILL_STUDIO_HOME names no Label Studio: start one with gristmill studio start --home DIR")
    (folder / "version.txt").write_text(f"{version}\n")
    writer.run_all(CORPORA)
    compare(Office(writer, "mill"))
    guard(Office(writer, "guard"))
    writer.run_all(DATASETS)
    for form in EXPORTS:
        writer.run("dataset", "export", "mixture", "--format", form, "--output", f"exports/{form}")
    for lock in folder.glob("*/campaign.db?*"):
        lock.unlink()
    pack_up(folder, folder.parent / f"version_{version}.tar.xz")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
