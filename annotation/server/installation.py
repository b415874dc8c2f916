"""Label Studio in an environment of its own: the pinned version, each file checked against its hash."""

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
    """Where the environment lies: a change of what is pinned makes another one."""
    return home.root / f"environment-{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]}"


def install(home: Home, tell: Callable[[str], None]) -> Path:
    """Installs what is pinned, unless it is installed already; returns the environment.

    Raises RunError where a package cannot be fetched or written.
    """
    folder = environment(home)
    if (folder / MARK).exists():
        return folder
    tell(f"installing Label Studio {VERSION} into {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    _uv("venv", "--no-python-downloads", "--python", sys.executable, str(folder))
    python = str(folder / "bin" / "python")
    _uv("pip", "install", "--python", python, "--no-deps", "--require-hashes", "--requirement", str(REQUIREMENTS))
    (folder / MARK).touch()
    for other in home.root.glob("environment-*"):
        if other != folder and not other.is_symlink():
            shutil.rmtree(other, ignore_errors=True)
    return folder


def _uv(*words: str) -> None:
    from uv import find_uv_bin

    done = subprocess.run(
        [find_uv_bin(), "--quiet", *words],
        env=_variables(),
        cwd="/",  # uv would obey the pyproject.toml of the folder that it runs in
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RunError(f"Label Studio could not be installed: {_sentence(done.stderr.splitlines())}")


def _variables() -> dict[str, str]:
    """The user's own variables; where uv has no word of its own it obeys pip's."""
    variables = dict(os.environ)
    for ours, theirs in (
        ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
        ("PIP_FIND_LINKS", "UV_FIND_LINKS"),
        ("PIP_CERT", "SSL_CERT_FILE"),
    ):
        if ours in variables:
            variables.setdefault(theirs, variables[ours])
    return variables


def _sentence(lines: Sequence[str]) -> str:
    """What went wrong, why, and why in the end.

    >>> _sentence(["error: No flour", "  cause: The mill stands", "  cause: No wind", "  cause: Ice", "", "hint: Wait"])
    'No flour: The mill stands: Ice'
    """
    said = [line.strip().removeprefix("error: ") for line in lines if line.startswith("error: ")][:1]
    causes = [line.strip().removeprefix("cause: ") for line in lines if line.startswith("  cause: ")]
    return ": ".join([*said, *causes[:1], *causes[1:][-1:]]) or " ".join(lines[:1]) or "uv says nothing"
