"""Writes a campaign whose journal has format 2: python -m tests.stored.write_journal FOLDER BIN VERSION.

The arguments and the Label Studio are those of `tests.stored.write`. The archive ``journal_2.tar.xz`` holds a campaign
with rows of every kind, an audit of it, and the datasets that were built meanwhile. It is never written again:
tests/jobs/test_stored_journal.py says that every later version reads it.
"""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from annotation.journal.layout import FORMAT, KINDS
from tests.stored.inputs import MILL, write_campaign
from tests.stored.office import Office, Writer, pack_up
from tests.stored.people import Person, choice, comment, wording


def compare(mill: Office) -> None:
    """Everything that a journal of format 2 records, in the order in which it may happen."""
    people = mill.push()
    ann, bob, cy, dee = (people[f"{name}@mill.example"] for name in ("ann", "bob", "cy", "dee"))
    [project] = mill.projects(ann.name)
    first, second, *_ = ann.tasks(project)
    ann.skip(first, choice("report", "harmful"))
    ann.answer(second, choice("report", "both_bad"), comment("Neither says why."))
    mill.label(ann, share=0.5)
    mill.label(bob, share=0.5)
    mill.pull("--quick")
    mill.build()
    undo_a_batch(mill)
    reword(mill, ann, bob)
    tamper(mill, ann, bob, cy)
    mill.build()
    leave(mill, ann, bob, cy)
    mill.writer.run("campaign", "adjudicate", mill.name)
    mill.label(dee)
    mill.edit('"b1"', '"b2"')
    mill.edit('"b1.jsonl"', '"b2.jsonl"')
    mill.push()
    mill.label(ann, wording(1))
    ann.change_settings(project, show_skip_button=False)
    mill.pull()
    mill.build()


def undo_a_batch(mill: Office) -> None:
    mill.edit('"b1"', '"b2"')
    mill.edit('"b1.jsonl"', '"b2.jsonl"')
    mill.push()
    mill.writer.run("campaign", "undo", mill.name, "b2")
    mill.edit('"b2"', '"b1"')
    mill.edit('"b2.jsonl"', '"b1.jsonl"')


def reword(mill: Office, ann: Person, bob: Person) -> None:
    """New guidelines; ann still has a page with the earlier ones open."""
    guidelines = mill.writer.folder / mill.name / "guidelines.md"
    guidelines.write_text(guidelines.read_text() + "\nA wrong answer helps nobody.\n")
    mill.push("--new-guidelines")
    mill.label(ann)
    mill.label(bob, wording(2))


def tamper(mill: Office, ann: Person, bob: Person, cy: Person) -> None:
    """Bob changes a vote of ann, cy deletes a vote of bob, and ann changes and deletes votes of her own."""
    [of_ann], [of_bob] = mill.projects(ann.name), mill.projects(bob.name)
    changed, deleted, taken = ann.tasks(of_ann)[2:5]
    ann.change(changed)
    ann.delete(deleted)
    bob.change(taken)
    cy.delete(bob.tasks(of_bob)[0])
    mill.pull()


def leave(mill: Office, ann: Person, bob: Person, cy: Person) -> None:
    """Bob leaves before cy begins; his address is erased, and his open tasks go to others."""
    mill.writer.run("campaign", "withdraw", mill.name, bob.name)
    mill.writer.run("campaign", "reassign", mill.name, "--from", bob.name)
    for person in (ann, cy):
        mill.label(person, wording(2))
    mill.pull()
    mill.edit(f'"{bob.name}", ', "")
    mill.writer.run("campaign", "erase", mill.name, bob.name)


def check_kinds(path: Path) -> None:
    """Ends the script unless the journal has rows of all kinds."""
    with closing(sqlite3.connect(path)) as journal:
        found = {kind for (kind,) in journal.execute("SELECT DISTINCT kind FROM journal")}
    if missing := set(KINDS) - found:
        sys.exit(f"{path} has no row of the kinds {', '.join(sorted(missing))}")


def main() -> None:
    folder, programs, version = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3]
    folder.mkdir()
    writer = Writer(folder, programs)
    writer.check(version)
    write_campaign(folder / "mill", MILL)
    compare(Office(writer, "mill"))
    check_kinds(folder / "mill" / "campaign.db")
    writer.run("campaign", "audit", "mill", "--output", "audit.jsonl")
    (folder / "status.json").write_text(writer.run("campaign", "status", "mill", "--json"))
    pack_up(folder, f"journal_{FORMAT}.tar.xz")


if __name__ == "__main__":
    main()
