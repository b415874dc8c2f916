"""Writes the stored folders with an installed Gristmill: python tests/stored/write.py FOLDER BIN.

FOLDER is new; BIN holds the ``gristmill`` that writes. What a version wrote is packed with tar and xz and never written
again: tests/jobs/test_stored.py says that every later version reads it.
"""

import json
import subprocess
import sys
from pathlib import Path

PROSE = [
    "The miller grinds wheat and rye between two stones, and the wheel of the mill turns slowly in the stream.",
    "A sluice lets the water onto the wheel, and in a dry summer the mill of the village has to stand still.",
    "The stones of the mill are dressed when they are dull, for a dull stone warms the flour that it grinds.",
    "Every sack that is brought to the mill is weighed and counted, and so is every sack that leaves it again.",
    "In winter the river freezes, and the people of the valley have to wait for the flour until the sun is back.",
]
COMMANDS = """
curate --input in/first.jsonl --output corpus
curate --input in/second.jsonl --output later --against corpus
takedown corpus --doc-id ids.txt --output takedown
train-tokenizer corpus --vocabulary 300 --output tokenizer.json
pack corpus --tokenizer tokenizer.json --length 16 --output packed
dataset import in/pairs.jsonl --schema hh --output comparisons
dataset mix mix.toml --output mixture
dataset export comparisons --format open-instruct --output export
"""
MIX = 'name = "mixture"\nseed = 1\n[[source]]\nname = "all"\ndatasets = ["comparisons"]\nshare = 1\n'


def page(number: int) -> str:
    """A text that every recipe keeps; no two are near-duplicates."""
    lines = [PROSE[(number + step) % len(PROSE)] for step in range(3)]
    return "\n".join(
        f"{line} {' '.join(f'word{number}{step}{each}' for each in range(9))}." for step, line in enumerate(lines)
    )


def write_input(folder: Path) -> None:
    (folder / "in").mkdir(parents=True)
    first = [{"id": f"page-{n}", "text": page(n), "url": f"https://mill.example/{n}"} for n in range(4)]
    first += [
        {"id": "copy", "text": page(1)},
        {"id": "near", "text": page(2) + " Truly so."},
        {"id": "short", "text": "Rye."},
    ]
    second = [{"id": "again", "text": page(0)}, {"id": "new", "text": page(7)}]
    asked = "\n\nHuman: {}?\n\nAssistant: "
    questions = ["What is rye", "Who mills", "Why does a wheel turn"]
    pairs = [
        {side: asked.format(q) + f"An answer that is {side}." for side in ("chosen", "rejected")} for q in questions
    ]
    for name, rows in {"first": first, "second": second, "pairs": pairs}.items():
        (folder / "in" / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + "{broken\n")
    (folder / "ids.txt").write_text("page-1\npage-3\nnobody\n")
    (folder / "mix.toml").write_text(MIX)


def main() -> None:
    folder, programs = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
    write_input(folder)
    for command in COMMANDS.strip().splitlines():
        subprocess.run([programs / "gristmill", *command.split()], cwd=folder, check=True)


if __name__ == "__main__":
    main()
