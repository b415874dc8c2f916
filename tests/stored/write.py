"""Writes the stored folders with an installed Gristmill: python -m tests.stored.write FOLDER BIN VERSION.

FOLDER is new; BIN holds the ``gristmill`` of that VERSION; GRISTMILL_STUDIO_HOME names the folder of a Label Studio
that runs (``gristmill studio start``), new and used for nothing else. What a version wrote goes into an archive beside
this script, and is never written again: tests/jobs/test_stored.py says that every later version reads it.
"""

import sys
from pathlib import Path

from tests.stored.inputs import write_input
from tests.stored.office import Office, Writer, pack_up

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


def main() -> None:
    folder, programs, version = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3]
    writer = Writer(folder, programs)
    write_input(folder)
    writer.check(version)
    (folder / "version.txt").write_text(f"{version}\n")
    writer.run_all(CORPORA)
    compare(Office(writer, "mill"))
    guard(Office(writer, "guard"))
    writer.run_all(DATASETS)
    for form in EXPORTS:
        writer.run("dataset", "export", "mixture", "--format", form, "--output", f"exports/{form}")
    pack_up(folder, f"version_{version}.tar.xz")


if __name__ == "__main__":
    main()
