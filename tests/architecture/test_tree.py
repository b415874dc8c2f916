"""Where things lie and what they are called."""

import re
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT, files, modules
from tests.docs.page import blocks

TOP = {
    *(".ci", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "pyproject.toml"),
    *("requirements.txt", "requirements-trainer.txt", *PACKAGES, "tests"),
}
VAGUE = {"utils", "util", "common", "helpers", "helper", "base", "core", "manager", "misc", "shared", "lib", "types"}
LINES = 420  # about 400
LINK = re.compile(r"\]\((?!https?:|#)([^)\s]+)\)")
"""The target of a link in Markdown that is not on the web."""
PAGES = [path for path in files() if path.suffix == ".md"]
ROOMS = sorted({path.parent for path in modules("schemas", "curation", "annotation")} | {Path("jobs")})


def test_the_top_holds_only_what_belongs_there() -> None:
    assert {path.parts[0] for path in files()} <= TOP


def test_names_say_what_is_inside() -> None:
    assert not [path for path in modules() if path.stem in VAGUE or VAGUE & set(path.parts)]


def test_modules_hold_one_idea() -> None:
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert not {path: length for path, length in lengths.items() if length > LINES}


@pytest.mark.parametrize("folder", ROOMS, ids=str)
def test_a_room_has_a_readme_that_follows_a_row(folder: Path) -> None:
    """A session or command with what it prints: tests/docs runs it."""
    shown = blocks(ROOT / folder / "README.md")
    assert shown, f"{folder}/README.md shows no row: add a python session or a command with its output"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_to_files(page: Path) -> None:
    targets = [target.partition("#")[0] for target in LINK.findall((ROOT / page).read_text(encoding="utf-8"))]
    missing = [target for target in targets if target and not (ROOT / page.parent / target).exists()]
    assert not missing


def test_links_are_seen() -> None:
    assert LINK.findall("see [the laws](CONTRIBUTING.md#laws), [x](https://mill.example)") == ["CONTRIBUTING.md#laws"]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_modules_is_a_package(package: str) -> None:
    folders = {path.parent for path in modules(package)}
    assert not [folder for folder in folders if folder / "__init__.py" not in files()]
