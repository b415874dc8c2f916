"""The console script: documented in full, and quick to ask for help."""

import inspect
import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import click
import pytest

from jobs.campaign.commands import pull
from jobs.cli import gristmill
from jobs.corpus.curate import CurateOptions
from jobs.corpus.explain import run as explain
from jobs.corpus.plan import PlanOptions
from jobs.corpus.takedown import TakedownOptions
from jobs.dataset.imports import run as import_set
from jobs.packing.pack import PackOptions, TrainTokenizerOptions
from jobs.reference import PAGE, page
from tests.architecture.tree import ROOT, files

HEAVY = {
    "apache_beam",
    "duckdb",
    "fasttext",
    "fsspec",
    "httpx",
    "jinja2",
    "label_studio_sdk",
    "lxml",
    "numba",
    "numpy",
    "pyarrow",
    "pydantic",
    "rich",
    "scipy",
    "trafilatura",
}


def commands(group: click.Group, *above: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """The words of each command below a group, groups themselves included, and the command."""
    for name, command in group.commands.items():
        words = (*above, name)
        yield words, command
        if isinstance(command, click.Group):
            yield from commands(command, *words)


COMMANDS = {" ".join(words): command for words, command in commands(gristmill)}


OPTIONS: dict[str, Callable[..., object]] = {
    "curate": CurateOptions,
    "takedown": TakedownOptions,
    "plan": PlanOptions,
    "explain": explain,
    "pack": PackOptions,
    "train-tokenizer": TrainTokenizerOptions,
    "campaign pull": pull,
    "dataset import": import_set,
}


@pytest.mark.parametrize(("words", "options"), OPTIONS.items(), ids=OPTIONS)
def test_a_command_has_the_parameters_that_its_work_takes(words: str, options: Callable[..., object]) -> None:
    assert {each.name for each in COMMANDS[words].params} == inspect.signature(options).parameters.keys()


@pytest.mark.parametrize(("words", "command"), COMMANDS.items(), ids=COMMANDS)
def test_help_says_what_a_command_and_its_options_do(words: str, command: click.Command) -> None:
    assert command.help
    assert command.short_help
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert not [option.opts[0] for option in options if not option.help]


def test_the_reference_is_what_the_commands_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal of any width."""
    monkeypatch.setenv("COLUMNS", "20")
    assert PAGE.read_text(encoding="utf-8") == page(), "`make reference` writes the page anew"


@pytest.mark.parametrize(
    "words", [words for words, command in COMMANDS.items() if not isinstance(command, click.Group)]
)
def test_the_reference_has_every_command(words: str) -> None:
    assert f"\n## gristmill {words}\n" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", gristmill.commands)
def test_the_handbook_names_every_command(name: str) -> None:
    """In the README of its room: what it reads and writes, and how it goes about it."""
    rooms = [path for path in files() if path.parts[0] == "jobs" and path.name == "README.md"]
    headings = [path for path in rooms if f"\n## gristmill {name}\n" in (ROOT / path).read_text(encoding="utf-8")]
    assert len(headings) == 1


@pytest.mark.parametrize("name", gristmill.commands)
def test_the_front_page_names_every_command(name: str) -> None:
    assert f"gristmill {name}" in (ROOT / "README.md").read_text(encoding="utf-8")


ASKED = [["--help"], ["--version"], *([*name.split(), "--help"] for name in COMMANDS)]
ASKING = """
import io, json, sys
from contextlib import redirect_stdout
from jobs.cli import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["gristmill", *words]
    with redirect_stdout(io.StringIO()) as printed:
        try:
            main()
        except SystemExit as stop:
            assert not stop.code, (words, stop.code)
    loaded = sorted({name.partition(".")[0] for name in sys.modules})
    print(json.dumps([printed.getvalue(), loaded]))
"""
"""One process asks for all help: what a module loads stays loaded, so the first of ASKED that loads it fails."""


@pytest.fixture(scope="module")
def asked() -> list[tuple[str, list[str]]]:
    """What each of ASKED prints, and the top names of the modules that are loaded then."""
    words = [sys.executable, "-P", "-c", ASKING, json.dumps(ASKED)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("number", range(len(ASKED)), ids=map(" ".join, ASKED))
def test_help_loads_nothing_heavy(number: int, asked: list[tuple[str, list[str]]]) -> None:
    printed, loaded = asked[number]
    assert "gristmill" in printed
    assert not HEAVY & set(loaded)
