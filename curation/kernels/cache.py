"""The folder of compiled kernels: beside their sources, or a folder of the user if that is not writable.

Numba loads the files in that folder as code, so nobody else may be able to write to it. This module is imported before
numba, which reads its settings once. Numba also reads a settings file in the current folder, which must not decide
where code is loaded from: so the settings below are set even if they equal numba's defaults.
"""

import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from schemas.errors import UserError

SETTING = "NUMBA_CACHE_DIR"
SOURCES = Path(__file__).parent
OTHERS = stat.S_IWGRP | stat.S_IWOTH


def place() -> str:
    """The folder for compiled kernels; "" means ``__pycache__`` beside each source.

    Raises UserError if no folder is writable.
    """
    beside = SOURCES / "__pycache__"
    if os.access(beside if beside.exists() else SOURCES, os.W_OK):
        return ""
    places = list(_places())
    for folder in places:
        try:
            return _made(folder)
        except OSError:
            continue
    raise UserError(
        f"compiled kernels cannot be kept in {beside}, {' or '.join(map(str, places))}: set {SETTING} to a folder that "
        "you alone can write to"
    )


def compiled() -> bool:
    """Whether compiled kernels for these sources exist; otherwise a run begins with a minute of compiling."""
    return next(Path(os.environ[SETTING] or SOURCES / "__pycache__").rglob("*.nbi"), None) is not None


def _places() -> Iterator[Path]:
    shared = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if os.path.isabs(shared):
        yield Path(shared) / "gristmill"
    yield Path(tempfile.gettempdir()) / f"gristmill-{os.geteuid()}"


def _made(folder: Path) -> str:
    """Makes a folder inside ``folder`` for exactly these sources, with a copy of the code compiled beside them. (Numba
    does not notice if a kernel calls another kernel that changed.)

    Raises OSError if the folder cannot be made, or if somebody else could write to it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_private(folder)
    made = folder / f"kernels-{_digest()}"
    if not made.exists():
        making = Path(tempfile.mkdtemp(dir=folder))
        copies = making / _numbas_name(SOURCES)
        copies.mkdir()
        for file in (SOURCES / "__pycache__").glob("*.nb[ic]"):
            shutil.copyfile(file, copies / file.name)
        try:
            making.rename(made)
        except OSError:  # another process was first
            shutil.rmtree(making)
    _check_private(made)
    tempfile.TemporaryFile(dir=made).close()
    return str(made)


def _check_private(folder: Path) -> None:
    about, above = folder.lstat(), folder.parent.stat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid() or about.st_mode & OTHERS:
        raise PermissionError(f"{folder} is not the user's own")
    if above.st_mode & OTHERS and not above.st_mode & stat.S_ISVTX:
        raise PermissionError(f"others can replace {folder}")


def _digest() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(SOURCES.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _numbas_name(folder: Path) -> str:
    """Numba's name of the folder for the kernels of a folder of sources."""
    return f"{folder.name}_{hashlib.sha1(str(folder).encode()).hexdigest()}"


if not os.environ.get(SETTING):
    os.environ[SETTING] = place()
    os.environ.setdefault("NUMBA_CACHE_LOCATOR_CLASSES", "")
    if "numba" in sys.modules:  # imported by a program that uses this one
        sys.modules["numba"].config.CACHE_DIR = os.environ[SETTING]
