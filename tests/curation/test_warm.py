"""Warming compiles all kernels, so that no run waits for a compiler."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import imports, modules, parsed

COMPILED = """
import importlib, json, pkgutil
import curation.kernels
from curation.warm import warm
from numba.core.dispatcher import Dispatcher

warm()
found = {}
for module in pkgutil.iter_modules(curation.kernels.__path__, "curation.kernels."):
    for name, value in vars(importlib.import_module(module.name)).items():
        if isinstance(value, Dispatcher):
            found[f"{module.name}.{name}"] = bool(value.signatures)
print(json.dumps(found))
"""
"""Prints of every kernel whether it was called, in a process where no test called it before."""


def used(path: Path) -> Iterator[str]:
    """The full names of what a module imports, and of the attributes of the modules among that."""
    names = {name.rpartition(".")[2]: name for name in imports(path)}
    yield from names.values()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            yield f"{names[node.value.id]}.{node.attr}"


def test_every_kernel_that_is_called_from_outside_is_compiled() -> None:
    run = subprocess.run([sys.executable, "-P", "-c", COMPILED], capture_output=True, text=True, check=True)
    compiled = json.loads(run.stdout)
    outside = [path for path in modules("curation") if path.parent.name != "kernels"]
    called = {name for path in outside for name in used(path)} & set(compiled)
    assert called
    assert not [name for name in sorted(called) if not compiled[name]]


@pytest.mark.soak
def test_no_run_compiles_after_warming(tmp_path: Path) -> None:
    """Arrays that may be written and arrays that may not are different types, each with a kernel of its own."""
    command = [sys.executable, "-P", "-m", "tests.curation.compiling", str(tmp_path)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    assert json.loads(run.stdout) == []
