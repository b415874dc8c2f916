"""The console script: documented in full, and quick to ask for help."""

import json
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from jobs.cli import gristmill
from tests.architecture.tree import ROOT

HEAVY = {
    "apache_beam",
    "fasttext",
    "fsspec",
    "httpx",
    "label_studio_sdk",
    "numba",
    "numpy",
    "pyarrow",
    "pydantic",
    "rich",
    "trafilatura",
}


@pytest.fixture(scope="module")
def handbook() -> str:
    return (ROOT / "jobs" / "README.md").read_text(encoding="utf-8")


def commands(group: click.Group, *above: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """The words of each command below a group, groups themselves included, and the command."""
    for name, command in group.commands.items():
        words = (*above, name)
        yield words, command
        if isinstance(command, click.Group):
            yield from commands(command, *words)


COMMANDS = {" ".join(words): command for words, command in commands(gristmill)}


def section(handbook: str, words: str) -> str:
    """What the handbook says under the heading of the command's first word."""
    _, _, rest = handbook.partition(f"\n## gristmill {words.partition(' ')[0]}\n")
    return rest.partition("\n## ")[0]


@pytest.mark.parametrize(("words", "command"), COMMANDS.items(), ids=COMMANDS)
def test_every_command_and_option_is_documented(words: str, command: click.Command, handbook: str) -> None:
    assert command.help, "a command says what it does"
    assert f"gristmill {words}" in handbook
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert not [option.opts[0] for option in options if not option.help]
    assert not [option.opts[0] for option in options if f"`{option.opts[0]}" not in section(handbook, words)]


@pytest.mark.parametrize("name", gristmill.commands)
def test_the_front_page_names_every_command(name: str) -> None:
    assert f"gristmill {name}" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [["--help"], ["--version"], *([*name.split(), "--help"] for name in COMMANDS)])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    script = (
        "import json, sys\nfrom jobs.cli import main\nsys.argv[0] = 'gristmill'\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], check=True, capture_output=True, text=True)
    assert "gristmill" in done.stdout
    assert not HEAVY & set(json.loads(done.stderr.splitlines()[-1]))
