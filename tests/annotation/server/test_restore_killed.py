"""A restore that is killed leaves the studio of before or that of the backup, whole, and nothing else."""

import os
import sqlite3
from pathlib import Path
from typing import NoReturn

import pytest

from annotation.server.backup import DATABASE, backup, restore
from annotation.server.home import Admin, Home


def home_of(root: Path, name: str) -> Home:
    """A studio without a server, with a database that holds its name."""
    home = Home(root)
    with home.lock(print):
        home.data.mkdir(mode=0o700)
    (home.data / ".env").write_text(f"SECRET_KEY={name}")
    home.write_admin(Admin(f"{name}@mill.example", name))
    database = sqlite3.connect(home.data / DATABASE)
    with database:
        database.execute("CREATE TABLE mill (name TEXT)")
        database.execute("INSERT INTO mill VALUES (?)", (name,))
    database.close()
    return home


def names(home: Home) -> set[str]:
    """Of the studio, by its database, its key and its administrator; one name, where they belong together."""
    database = sqlite3.connect(home.data / DATABASE)
    [[name]] = database.execute("SELECT name FROM mill").fetchall()
    database.close()
    assert home.admin is not None
    return {name, home.admin.password, (home.data / ".env").read_text().removeprefix("SECRET_KEY=")}


def killed_at(number: int, home: Home, file: Path) -> bool:
    """Restores in a process that dies at its call of so many that rename; whether it died."""
    process = os.fork()
    if process == 0:
        calls = [0]

        def counted(real: object) -> object:
            def call(*words: object) -> object:
                if calls[0] == number:
                    os._exit(9)
                calls[0] += 1
                return real(*words)  # type: ignore[operator]

            return call

        for name in ("rename", "replace"):
            setattr(os, name, counted(getattr(os, name)))
        _restore_and_exit(home, file)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 9


def _restore_and_exit(home: Home, file: Path) -> NoReturn:
    code = 1
    try:
        restore(home.root, file, True, print)
        code = 0
    finally:
        os._exit(code)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize("empty", [False, True])
def test_a_restore_that_is_killed_is_done_or_is_not(empty: bool, tmp_path: Path) -> None:
    saved = tmp_path / "saved.tar.gz"
    backup(home_of(tmp_path / "new", "new").root, saved)
    found: list[set[str]] = []
    for number in range(10):
        home = Home(tmp_path / f"home{number}") if empty else home_of(tmp_path / f"home{number}", "old")
        died = killed_at(number, home, saved)
        with home.lock(print):
            pass
        left = {path.name for path in home.root.iterdir()}
        assert left <= {"lock", "admin.json", "data", "data.replaced"}
        found.append(names(home) if home.data.exists() else set())
        if not died:
            break
    assert found[-1] == {"new"}
    before = set() if empty else {"old"}
    assert all(each in (before, {"new"}) for each in found)
    assert found[0] == before
    assert found[-2] == {"new"}, "the last rename is made up for by the next command"
