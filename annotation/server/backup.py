"""Backs up the complete state of the embedded server into one private file, and restores it."""

import gzip
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from zlib import error as zlib_error

from annotation.server.database import SQLITE, hide_password
from annotation.server.home import CHECKED, COPY, RESTORED, Home, write_private
from annotation.server.installation import VERSION
from annotation.server.process import is_alive
from schemas.errors import UserError
from schemas.folders import new_files, sync

DATABASE = SQLITE
SUFFIXES = ("", "-journal", "-wal", "-shm")
NOTE = "backup.json"


def backup(home: Path, file: Path) -> None:
    """Writes a consistent copy of database, uploaded files, secret key and administrator to ``file`` (.tar.gz).

    The server may be running. The file has mode 0600 and appears only when it is complete. Raises UserError if the file
    exists or cannot be created, or if there is nothing to back up; RunError if the disk fails or is full.
    """
    studio = Home(home.absolute())
    if not studio.data.is_dir() or studio.admin is None:
        raise UserError(f"{home} holds no studio to back up: run `gristmill studio start`, or give its --home")
    if url := studio.server.database:
        raise UserError(
            f"the data of {home} is in PostgreSQL: back it up with `pg_dump {hide_password(url)}`, and keep "
            f"{studio.admin_file} and the folder {studio.data}"
        )
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
        with (
            closing(sqlite3.connect(studio.data / DATABASE, timeout=60)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")  # the file alone is the database, without write-ahead log
        write_private(Path(folder) / NOTE, {"label_studio": VERSION})
        with tarfile.open(file, mode="w:gz", compresslevel=6) as archive:
            archive.add(Path(folder) / NOTE, NOTE)
            archive.add(studio.admin_file, "admin.json")
            archive.add(copy, f"data/{DATABASE}")
            _add_files(archive, studio.data)


def _add_files(archive: tarfile.TarFile, data: Path) -> None:
    """Adds all files except the database, after the database was copied: each file that the copy names is included."""
    database = {data / f"{DATABASE}{suffix}" for suffix in SUFFIXES}
    for path in sorted(data.rglob("*")):
        if path.is_file() and not path.is_symlink() and path not in database:
            with suppress(FileNotFoundError):  # Label Studio may have removed the file meanwhile
                archive.add(path, str(Path("data") / path.relative_to(data)))


def restore(home: Path, file: Path, replace: bool, tell: Callable[[str], None]) -> None:
    """Restores a backup into ``home``; with ``replace``, also if ``home`` already holds a studio.

    The replaced data is kept in ``data.replaced``, until the next restore. Raises UserError if the server is running,
    if ``home`` holds a studio and ``replace`` is false, or if the file is not a complete backup of this version.
    """
    studio = Home(home.absolute())
    if not file.is_file():
        raise UserError(f"{file} is not a file: name a backup that `gristmill studio backup` made")
    with studio.lock(tell):
        server = studio.server
        if any(process is not None and is_alive(process) for process in (server.process, server.gate)):
            raise UserError(f"Label Studio runs in {home}: run `gristmill studio stop` before you restore a backup")
        if server.database is not None:
            raise UserError(f"{home} keeps its data in PostgreSQL: restore it there, or give a new folder with --home")
        if studio.data.exists() and not replace:
            raise UserError(f"{home} holds a studio already: give --replace to replace it with the backup")
        with tempfile.TemporaryDirectory(dir=studio.root, prefix=RESTORED) as folder:
            unpacked = Home(Path(folder))
            _unpack(file, unpacked.root)
            _check(file, unpacked)
            unpacked.data.rename(unpacked.root / CHECKED)
            sync(unpacked.root)
            if studio.data.exists():
                replaced = studio.root / "data.replaced"
                shutil.rmtree(replaced, ignore_errors=True)
                studio.data.rename(replaced)
            studio.put_in_place(unpacked.root)


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
                    raise UserError(f"{file} is not a backup of a studio: it holds {member.name!r}")
                (folder / place).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with open(os.open(folder / place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
                    shutil.copyfileobj(content, target)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib_error) as error:
        raise UserError(f"{file} is not a complete backup: {error}") from error
    except OSError as error:
        raise UserError(f"{file} cannot be restored: {error.strerror or error}") from error


def _check(file: Path, unpacked: Home) -> None:
    """Raises UserError unless the backup is complete, of this version and undamaged."""
    note, database = unpacked.root / NOTE, unpacked.data / DATABASE
    if not (note.exists() and database.exists() and unpacked.admin and (unpacked.data / ".env").exists()):
        raise UserError(f"{file} is not a complete backup: the database, its key or the administrator is missing")
    version = json.loads(note.read_text(encoding="utf-8"))["label_studio"]
    if version != VERSION:
        raise UserError(
            f"{file} is a backup of Label Studio {version}, and this gristmill runs {VERSION}: restore it with the "
            "version of gristmill that wrote it"
        )
    unpacked.data.chmod(0o700)
    damaged = True
    with closing(sqlite3.connect(database)) as connection, suppress(sqlite3.DatabaseError):
        damaged = connection.execute("PRAGMA quick_check").fetchone()[0] != "ok"
    if damaged:
        raise UserError(f"{file} is not a complete backup: its database is damaged")
