"""The console script: documented in full, and quick to ask for help."""

import json
import subprocess
import sys

import click
import pytest

from jobs.cli import gristmill
from tests.architecture.tree import ROOT

HEAVY = {"apache_beam", "fasttext", "fsspec", "numba", "numpy", "pyarrow", "pydantic", "rich", "trafilatura"}


@pytest.fixture(scope="module")
def handbook() -> str:
    return (ROOT / "jobs" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", gristmill.commands.values(), ids=gristmill.commands.keys())
def test_every_command_and_option_is_documented(command: click.Command, handbook: str) -> None:
    assert command.help, "a command says what it does"
    assert f"gristmill {command.name}" in handbook
    assert f"gristmill {command.name}" in (ROOT / "README.md").read_text(encoding="utf-8")
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert not [option.opts[0] for option in options if not option.help]
    assert not [option.opts[0] for option in options if f"`{option.opts[0]}" not in handbook]


@pytest.mark.parametrize("words", [["--help"], ["--version"], *([name, "--help"] for name in gristmill.commands)])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    script = (
        "import json, sys\nfrom jobs.cli import main\nsys.argv[0] = 'gristmill'\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], check=True, capture_output=True, text=True)
    assert "gristmill" in done.stdout
    assert not HEAVY & set(json.loads(done.stderr.splitlines()[-1]))
