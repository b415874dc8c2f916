"""Where things lie and what they are called."""

from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT, files, modules

TOP = {
    *(".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "pyproject.toml", "requirements.txt"),
    *("requirements-trainer.txt", *PACKAGES, "tests"),
}
VAGUE = {"utils", "util", "common", "helpers", "helper", "base", "core", "manager", "misc", "shared", "lib", "types"}
LINES = 420  # about 400

FOLDERS = sorted({path.parent for path in modules(*PACKAGES)} | {Path("tests")})


def test_the_top_holds_only_what_belongs_there() -> None:
    assert {path.parts[0] for path in files()} <= TOP


def test_names_say_what_is_inside() -> None:
    assert not [path for path in modules() if path.stem in VAGUE or VAGUE & set(path.parts)]


def test_modules_hold_one_idea() -> None:
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert not {path: length for path, length in lengths.items() if length > LINES}


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_a_folder_has_a_readme_that_names_its_modules(folder: Path) -> None:
    readme = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    inside = [path for path in files() if path.parent == folder and path.suffix in (".py", ".toml")]
    unnamed = [path.name for path in inside if path.stem not in ("__init__", "conftest") and path.stem not in readme]
    assert not unnamed
    below = {path.relative_to(folder).parts[0] for path in modules() if folder in path.parents[1:]}
    assert not [name for name in below if name not in readme]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_modules_is_a_package(package: str) -> None:
    folders = {path.parent for path in modules(package)}
    assert not [folder for folder in folders if folder / "__init__.py" not in files()]
