"""Backups: the whole state of the embedded server in one private file, taken while it runs."""

import gzip
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from zlib import error as zlib_error

from annotation.server.home import CHECKED, COPY, RESTORED, Home, write_private
from annotation.server.installation import VERSION
from annotation.server.process import alive
from schemas.errors import UserError
from schemas.folders import new_files, sync

DATABASE = "label_studio.sqlite3"
SUFFIXES = ("", "-journal", "-wal", "-shm")
NOTE = "backup.json"


def backup(home: Path, file: Path) -> None:
    """Writes a consistent copy of database, uploaded files, secret key and administrator to ``file`` (.tar.gz).

    The server may run. The file has mode 0600 and appears when it is whole. Raises UserError where it exists or cannot
    be made, and where there is nothing to copy; RunError where the disk fails, as when it is full.
    """
    studio = Home(home.absolute())
    if not studio.data.is_dir() or studio.admin is None:
        raise UserError(f"{home} holds no studio to back up: run `gristmill studio start`, or give its --home")
    if not file.parent.is_dir():
        raise UserError(f"{file} cannot be written: there is no folder {file.parent}")
    if file.exists():
        raise UserError(f"{file} exists: give the backup another name")
    with studio.lock(lambda _: None), new_files(file, private=True) as [unfinished]:
        _write(studio, unfinished)


def _write(studio: Home, file: Path) -> None:
    with tempfile.TemporaryDirectory(dir=studio.root, prefix=COPY) as folder:
        copy = Path(folder) / DATABASE
        copy.touch(0o600)
        _copy_database(studio.data / DATABASE, copy)
        write_private(Path(folder) / NOTE, {"label_studio": VERSION})
        with tarfile.open(file, mode="w:gz", compresslevel=6) as archive:
            archive.add(Path(folder) / NOTE, NOTE)
            archive.add(studio.admin_file, "admin.json")
            archive.add(copy, f"data/{DATABASE}")
            _add_files(archive, studio.data)


def _add_files(archive: tarfile.TarFile, data: Path) -> None:
    """All files but the database's own: copied after it, so that each file that it names is there."""
    for path in sorted(data.rglob("*")):
        if path.is_symlink() or not path.is_file() or path in {data / f"{DATABASE}{suffix}" for suffix in SUFFIXES}:
            continue
        try:
            archive.add(path, str(Path("data") / path.relative_to(data)))
        except FileNotFoundError:  # removed by Label Studio since it was listed
            continue


def _copy_database(source: Path, target: Path) -> None:
    reading, writing = sqlite3.connect(source, timeout=60), sqlite3.connect(target)
    try:
        reading.backup(writing)
    finally:
        writing.close()
        reading.close()


def restore(home: Path, file: Path, replace: bool, tell: Callable[[str], None]) -> None:
    """Puts a backup in place of what ``home`` holds; ``replace`` allows that there is something.

    What was there is kept beside it, as ``data.replaced`` (the last one only). Raises UserError where the server runs,
    where something is there and ``replace`` is false, and for a file that is no whole backup of this version.
    """
    studio = Home(home.absolute())
    if not file.is_file():
        raise UserError(f"{file} is not a file: name a backup that `gristmill studio backup` made")
    with studio.lock(tell):
        process = studio.server.process
        if process is not None and alive(process):
            raise UserError(f"Label Studio runs in {home}: run `gristmill studio stop` before a backup is restored")
        if studio.data.exists() and not replace:
            raise UserError(f"{home} holds a studio already: give --replace to put the backup in its place")
        with tempfile.TemporaryDirectory(dir=studio.root, prefix=RESTORED) as folder:
            fresh = Home(Path(folder))
            _unpack(file, fresh.root)
            _check(file, fresh)
            fresh.data.rename(fresh.root / CHECKED)
            sync(fresh.root)
            if studio.data.exists():
                kept = studio.root / "data.replaced"
                shutil.rmtree(kept, ignore_errors=True)
                studio.data.rename(kept)
            studio.put_in_place(fresh.root)


def _unpack(file: Path, folder: Path) -> None:
    try:
        with tarfile.open(file, "r:gz") as archive:
            for member in archive:
                place = Path(member.name)
                inside = member.name in (NOTE, "admin.json") or (
                    place.parts[:1] == ("data",) and ".." not in place.parts
                )
                content = archive.extractfile(member) if inside and member.isfile() else None
                if content is None:
                    raise UserError(f"{file} is no backup of a studio: it holds {member.name!r}")
                (folder / place).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with open(os.open(folder / place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
                    shutil.copyfileobj(content, target)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib_error) as error:
        raise UserError(f"{file} is not a whole backup: {error}") from error
    except OSError as error:
        raise UserError(f"{file} cannot be restored: {error.strerror or error}") from error


def _check(file: Path, fresh: Home) -> None:
    """Raises UserError unless everything is there and sound."""
    note, database = fresh.root / NOTE, fresh.data / DATABASE
    if not (note.exists() and database.exists() and fresh.admin and (fresh.data / ".env").exists()):
        raise UserError(f"{file} is not a whole backup: the database, its key or the administrator is missing")
    version = json.loads(note.read_text(encoding="utf-8"))["label_studio"]
    if version != VERSION:
        raise UserError(
            f"{file} is of Label Studio {version}, and this is {VERSION}: restore it with the version of gristmill "
            "that wrote it"
        )
    fresh.data.chmod(0o700)
    reading = sqlite3.connect(database)
    try:
        sound = reading.execute("PRAGMA quick_check").fetchone()[0] == "ok"
    except sqlite3.DatabaseError:
        sound = False
    finally:
        reading.close()
    if not sound:
        raise UserError(f"{file} is not a whole backup: its database is damaged")
