"""The project's own files, as its architecture tests see them: what git tracks, and what it would track."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "curation", "annotation", "jobs")


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project, relative to its root, sorted."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return tuple(sorted({Path(name) for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}))


def modules(*tops: str) -> list[Path]:
    """The Python files below those top folders, or all of them."""
    return [path for path in files() if path.suffix == ".py" and (not tops or path.parts[0] in tops)]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


@cache
def imports(path: Path) -> tuple[str, ...]:
    """The full dotted names that a module imports, wherever in it."""
    names: list[str] = []
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            names += (f"{node.module}.{alias.name}" for alias in node.names)
    return tuple(names)


def third_party(path: Path, standard: frozenset[str]) -> set[str]:
    """The top names that a module imports from neither the standard library nor this project."""
    tops = {name.partition(".")[0] for name in imports(path)}
    return tops - standard - {*PACKAGES, "tests"}
