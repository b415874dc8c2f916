"""Every command and every session in a page of Markdown runs, and prints what the page says."""

import doctest
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.demo.pages import write_pages
from tests.annotation.parts import Studio
from tests.architecture.tree import ROOT, files
from tests.docs.page import Block, blocks, session, shows
from tests.docs.people import label

LONG = {
    *("README.md", "annotation/README.md", "curation/recipes/README.md", "jobs/api.md"),
    *(
        f"jobs/{room}/README.md"
        for room in ("campaign", "classifier", "contamination", "corpus", "evaluation", "packing")
    ),
}
"""Pages whose commands take long, apart from guides."""
PAGES = [
    pytest.param(path, id=str(path), marks=[pytest.mark.soak] if str(path) in LONG or "guides" in path.parts else [])
    for path in files()
    if path.suffix == ".md" and blocks(ROOT / path)
]
SECONDS = 120


@pytest.fixture
def crawl(tmp_path: Path, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as pages suppose it: ``crawl/mill.warc.gz`` in it, ``gristmill`` on the path, ``make`` a rehearsal.

    The Label Studio is the tests' own, which runs already.
    """
    monkeypatch.setenv("GRISTMILL_STUDIO_HOME", str(studio.home))
    write_pages(tmp_path / "crawl" / "mill.warc.gz")
    rehearsal = tmp_path / "bin" / "make"
    rehearsal.parent.mkdir()
    rehearsal.write_text(
        f'#!/bin/sh\nexec {shutil.which("make")} --dry-run --no-print-directory -C "{ROOT}" "$@" > /dev/null\n'
    )
    rehearsal.chmod(0o755)
    path = [str(rehearsal.parent), str(Path(sys.executable).parent), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(path))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_true(page: Path, crawl: Path, studio: Studio) -> None:
    names: dict[str, object] = {}
    for block in blocks(ROOT / page):
        place = f"{page}:{block.line}"
        if block.kind == "python":
            run_session(block, place, names)
        elif block.kind == "sh":
            run(block.body, place)
        else:
            for command, expected in session(block.body):
                printed = run(command, place)
                assert shows(expected, printed), f"{place}: $ {command}\nexpected:\n{expected}\nprinted:\n{printed}"
                if command.startswith("gristmill campaign invite "):
                    label(Path(command.split()[3]), studio.connection)


def run(script: str, place: str) -> str:
    """What the script prints on standard output; fails with both streams when the script fails.

    Standard error holds progress, which a slow machine prints more of.
    """
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert not done.returncode, f"{place}: {script}\n{done.stdout}{done.stderr}"
    return done.stdout


def run_session(block: Block, place: str, names: dict[str, object]) -> None:
    parsed = doctest.DocTestParser().get_doctest(block.body, names, place, place, block.line - 1)
    assert parsed.examples, f"{place}: a python block shows a session (>>>)"
    said: list[str] = []
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    outcome = doctest.DocTestRunner(optionflags=flags, verbose=False).run(parsed, out=said.append, clear_globs=False)
    names.update(parsed.globs)
    assert not outcome.failed, "".join(said)


def test_there_are_pages_with_commands() -> None:
    assert {"README.md", "jobs/api.md"} <= {str(page.id) for page in PAGES}
