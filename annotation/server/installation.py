"""Installs the pinned version of Label Studio into its own environment, each file checked against its hash."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from annotation.server.home import Home
from schemas.errors import RunError

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
VERSION = "1.23.2"
MARK = "complete"


def environment(home: Home) -> Path:
    """The folder of the environment. A change of the pinned versions changes its name."""
    return home.root / f"environment-{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]}"


def install(home: Home, tell: Callable[[str], None]) -> Path:
    """Installs the pinned packages if needed; returns the folder of the environment.

    Raises RunError if a package cannot be fetched or written.
    """
    folder = environment(home)
    if (folder / MARK).exists():
        return folder
    tell(f"installing Label Studio {VERSION} into {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    _run_uv("venv", "--no-python-downloads", "--python", sys.executable, str(folder))
    python = str(folder / "bin" / "python")
    _run_uv("pip", "install", "--python", python, "--no-deps", "--require-hashes", "--requirement", str(REQUIREMENTS))
    (folder / MARK).touch()
    for other in home.root.glob("environment-*"):
        if other != folder and not other.is_symlink():
            shutil.rmtree(other, ignore_errors=True)
    return folder


def _run_uv(*words: str) -> None:
    from uv import find_uv_bin

    done = subprocess.run(
        [find_uv_bin(), "--quiet", *words],
        env=_variables(),
        cwd="/",  # in the current folder, uv would obey its pyproject.toml
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RunError(f"Label Studio could not be installed: {_summarise(done.stderr.splitlines())}")


def _variables() -> dict[str, str]:
    """The user's environment variables, with settings of pip translated for uv unless uv has its own."""
    variables = dict(os.environ)
    for pip_name, uv_name in (
        ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
        ("PIP_FIND_LINKS", "UV_FIND_LINKS"),
        ("PIP_CERT", "SSL_CERT_FILE"),
    ):
        if pip_name in variables:
            variables.setdefault(uv_name, variables[pip_name])
    return variables


def _summarise(lines: Sequence[str]) -> str:
    """uv's error, its first cause and its last cause, on one line.

    >>> _summarise(["error: No flour", "  cause: The mill stands", "  cause: No wind", "  cause: Ice", "", "hint: Oil"])
    'No flour: The mill stands: Ice'
    """
    errors = [line.strip().removeprefix("error: ") for line in lines if line.startswith("error: ")][:1]
    causes = [line.strip().removeprefix("cause: ") for line in lines if line.startswith("  cause: ")]
    return ": ".join([*errors, *causes[:1], *causes[1:][-1:]]) or " ".join(lines[:1]) or "uv printed no message"
