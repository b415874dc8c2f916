"""An environment that holds the project's wheel, as the workers of a cluster have it."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.architecture.tree import ROOT


def make_environment(folder: Path) -> Path:
    """Makes ``folder`` a virtual environment that holds the project's wheel, with compiled kernels, and returns it.

    The dependencies are those that are installed here.
    """
    python = str(folder / "bin" / "python")
    commands = [
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder / "dist")],
        [sys.executable, "-m", "venv", "--without-pip", str(folder)],
    ]
    for command in commands:
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = (folder / "dist").glob("*.whl")
    uv = [sys.executable, "-m", "uv", "pip", "install", "--offline", "--no-deps", "--python", python, str(wheel)]
    subprocess.run(uv, check=True, capture_output=True)
    [own] = folder.glob("lib/python*/site-packages")
    (own / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")  # not the .pth files in it: no sources
    subprocess.run([python, "-m", "curation.warm"], cwd=folder, env=variables(folder), check=True, capture_output=True)
    return folder


def imported_from(environment: Path, module: str) -> Path:
    """Where a worker of that environment finds a module."""
    show = f"import {module}; print({module}.__file__)"
    command = [str(environment / "bin" / "python"), "-c", show]
    run = subprocess.run(
        command, cwd=environment, env=variables(environment), check=True, capture_output=True, text=True
    )
    return Path(run.stdout.strip())


def variables(environment: Path) -> dict[str, str]:
    """A pool starts plain ``python``; nothing but the environment says what that imports."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"PYTHONFAULTHANDLER": "1", "PATH": os.pathsep.join([str(environment / "bin"), os.environ["PATH"]])}
