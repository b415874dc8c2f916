"""Commands that are killed, at whatever moment and with the PIDs of before: the same bytes, and nothing left behind.

Each command runs as the first process of a container does, where its PID is the same each time.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.annotation.exports.datasets import comparison, dataset
from tests.curation.packing.corpora import Row, byte_level, everything, saved, write_corpus

SMALL_STEPS = """
import sys
import curation.packing.packing, curation.packing.shards
curation.packing.packing.SAVED_SECONDS, curation.packing.shards.SHARD_BYTES = 0, 1
from jobs.cli import main
main()
"""
"""The command, in which packing saves after each batch and writes many shards."""


@dataclass(frozen=True)
class Command:
    """``words`` but for the output, which lies in a folder of its own; ``entries``: how many files and folders come and
    go there while it works, about."""

    words: tuple[str, ...]
    entries: int


def pack(folder: Path) -> Command:
    corpus = write_corpus(folder / "corpus", [Row(f"d{n}", f"mill {n} " * (n % 9)) for n in range(9_000)], 2)
    tokenizer = saved(folder / "tokenizer.json", byte_level())
    return Command(("pack", str(corpus), "--tokenizer", str(tokenizer), "--length", "32"), 60)


def takedown(folder: Path) -> Command:
    (folder / "in").mkdir()
    for number in range(3):
        lines = (
            json.dumps({"text": f"{number} {n} mill " * 20, "url": f"http://{n % 3}.example/{number}/{n}"})
            for n in range(300)
        )
        (folder / "in" / f"{number}.jsonl").write_text("\n".join(lines))
    (folder / "hosts").write_text("1.example\n")
    words = ["curate", "--input", str(folder / "in" / "*.jsonl"), "--output", str(folder / "release")]
    more = ["--workers", "0", "--recipe", "none", "--set", "unit_bytes=100000"]
    subprocess.run([sys.executable, "-c", SMALL_STEPS, *words, *more], check=True, capture_output=True)
    return Command(("takedown", str(folder / "release"), "--host", str(folder / "hosts"), "--workers", "0"), 50)


def export(folder: Path) -> Command:
    dataset(folder / "mill", [comparison(f"c{n}", prompt=[{"role": "user", "content": str(n)}]) for n in range(500)])
    return Command(("dataset", "export", str(folder / "mill"), "--format", "llama-factory"), 8)


def names(place: Path) -> list[str]:
    """All that lies in a folder, however deep."""
    found = []
    for parent, folders, files in os.walk(place):
        found += [os.path.join(parent, name) for name in (*folders, *files)]
    return found


def killed(words: list[str], place: Path, entries: int) -> tuple[bool, str]:
    """Kills a command when so many files and folders lie in its place, unless it ends before; whether it was killed,
    and what it said."""
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
        while run.poll() is None and len(names(place)) < entries:
            with suppress(subprocess.TimeoutExpired):
                run.wait(0.002)
        was_killed = run.poll() is None
        run.kill()
        _, said = run.communicate()
    return was_killed, said


def ends_with_the_same_bytes(
    prepare: Callable[[Path], Command], folder: Path, own_pids: list[str], chance: random.Random, kills: int
) -> None:
    """So many kills, up to three in a row before the command is left to run to its end."""
    command = prepare(folder)
    words = [sys.executable, "-c", SMALL_STEPS, *command.words, "--output"]
    subprocess.run([*words, str(folder / "whole")], check=True, capture_output=True)
    whole = everything(folder / "whole")
    done = number = 0
    while done < kills:
        place, number = folder / f"place{number}", number + 1
        place.mkdir()
        own = [*own_pids, *words, str(place / "out")]
        for _ in range(min(3, kills - done)):
            was_killed, said = killed(own, place, chance.randint(1, command.entries))
            done += was_killed
            assert "Traceback" not in said
            if (place / "out" / "manifest.json").exists():
                found = everything(place / "out")
                assert {name: found[name] for name in whole} == whole, "a finished folder is whole"
        last = subprocess.run(own, check=False, capture_output=True, text=True)
        assert last.returncode == 0 or "holds a finished" in last.stderr, last.stderr
        assert everything(place / "out") == whole
        assert [path.name for path in place.iterdir()] == ["out"]
        assert number <= 3 * kills, "it is never killed in time"


@pytest.mark.parametrize(
    "prepare", [pack, pytest.param(takedown, marks=pytest.mark.soak), pytest.param(export, marks=pytest.mark.soak)]
)
def test_a_killed_command_leaves_nothing(
    prepare: Callable[[Path], Command], tmp_path: Path, own_pids: list[str]
) -> None:
    ends_with_the_same_bytes(prepare, tmp_path, own_pids, random.Random(prepare.__name__), 1)


@pytest.mark.soak
@pytest.mark.parametrize(("prepare", "kills"), [(pack, 16), (takedown, 8), (export, 16)])
def test_forty_kills(prepare: Callable[[Path], Command], kills: int, tmp_path: Path, own_pids: list[str]) -> None:
    ends_with_the_same_bytes(prepare, tmp_path, own_pids, random.Random(kills), kills)
