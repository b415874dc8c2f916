"""The folder of the embedded Label Studio: its paths, its two JSON files and its lock."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from annotation.server.process import Process
from schemas.errors import RunError, UserError
from schemas.folders import lock

ADMIN_EMAIL = "admin@gristmill.local"
DEFAULT_PORT = 8080

COPY, RESTORED = "copy-", "restored-"
"""Prefixes of the temporary folders in which a backup is written and unpacked."""

CHECKED = "checked"
"""The name of the data folder of a backup that is completely unpacked and checked."""

LEFTOVERS = (f"{COPY}*", f"{RESTORED}*", ".admin.json.*", ".server.json.*")
"""What a killed command leaves behind in the folder. These files are created only under the lock."""

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Admin:
    """The account that pushes and pulls. ``token`` is None until the first start of the server."""

    email: str
    password: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Server:
    """The settings of the last start. The two processes are None after a regular stop."""

    port: int = DEFAULT_PORT
    """The gate's port."""
    public_url: str | None = None
    process: Process | None = None
    """Label Studio."""
    inner_port: int | None = None
    """Label Studio's port; None if an earlier version of Gristmill, without a gate, started it on ``port``."""
    gate: Process | None = None
    database: str | None = field(default=None, repr=False)
    """The URL of a PostgreSQL database, with its password; None for SQLite in the home."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def inner_url(self) -> str:
        return f"http://127.0.0.1:{self.inner_port or self.port}"


@dataclass(frozen=True)
class Home:
    """The paths of an embedded server, and its two JSON files. Nothing is created before it is needed."""

    root: Path

    @property
    def data(self) -> Path:
        """Label Studio's data: the database, its secret key, uploaded files."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        return self.root / "label-studio.log"

    @property
    def gate_log(self) -> Path:
        return self.root / "gate.log"

    @property
    def admin_file(self) -> Path:
        return self.root / "admin.json"

    @property
    def admin(self) -> Admin | None:
        return _read(self.admin_file, Admin)

    @property
    def server(self) -> Server:
        return _read(self.root / "server.json", Server) or Server()

    def write_admin(self, admin: Admin) -> None:
        write_private(self.admin_file, asdict(admin))

    def write_server(self, server: Server) -> None:
        write_private(self.root / "server.json", asdict(server))

    def _open_lock(self) -> int:
        """Creates the folder and its lock file, accessible only to their owner; returns the open lock file.

        Raises UserError if the folder cannot be created, or holds files but no studio.
        """
        try:
            if self.root.is_dir() and any(self.root.iterdir()) and not (self.root / "lock").exists():
                raise UserError(f"{self.root} is not empty and holds no studio: give a new or empty folder with --home")
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.root.chmod(0o700)
            return os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise UserError(f"{self.root} cannot be the studio's folder: {error.strerror}") from error

    @contextmanager
    def lock(self, tell: Callable[[str], None]) -> Iterator[None]:
        """Creates the folder if needed and holds its lock: one command at a time changes a studio, others wait."""
        handle = self._open_lock()
        try:
            if not lock(handle):
                tell("waiting for another command that uses this studio")
                lock(handle, wait=True)
            self._remove_leftovers()
            yield
        finally:
            os.close(handle)

    def _remove_leftovers(self) -> None:
        """Removes what killed commands left behind, which may contain the database and keys. Before that, completes a
        restore that was killed while it put a backup in place."""
        try:
            for restored in self.root.glob(f"{RESTORED}*"):
                if (restored / CHECKED).exists() and not self.data.exists():
                    self.put_in_place(restored)
            for path in [path for pattern in LEFTOVERS for path in self.root.glob(pattern)]:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        except OSError as error:
            raise RunError(f"{self.root}: files of a killed command cannot be removed: {error.strerror}") from error

    def put_in_place(self, restored: Path) -> None:
        """Moves an unpacked backup into the folder. The data comes last: its presence marks the restore as complete."""
        if (restored / self.admin_file.name).exists():
            os.replace(restored / self.admin_file.name, self.admin_file)
        (restored / CHECKED).rename(self.data)


def default_home() -> Path:
    """``$GRISTMILL_STUDIO_HOME``, else ``gristmill/studio`` in the user's data folder."""
    if named := os.environ.get("GRISTMILL_STUDIO_HOME"):
        return Path(named).expanduser().absolute()
    shared = os.environ.get("XDG_DATA_HOME")
    return (Path(shared) if shared else Path.home() / ".local" / "share") / "gristmill" / "studio"


def write_private(path: Path, values: Mapping[str, Any]) -> None:
    """Writes a JSON file that appears complete or not at all, and that only its owner can read."""
    write_private_text(path, json.dumps(values, indent=2) + "\n")


def write_private_text(path: Path, text: str) -> None:
    """Writes a file that appears complete or not at all, and that only its owner can read."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _read(path: Path, kind: type[Kind]) -> Kind | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if kind is Server:
            for name in ("process", "gate"):
                values[name] = Process(**values[name]) if values.get(name) else None
        return kind(**values)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise RunError(f"{path} is damaged: restore the studio from a backup, or give another --home") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
