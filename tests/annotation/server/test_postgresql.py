"""A studio that keeps its data in a real PostgreSQL database."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from annotation.server.backup import backup
from annotation.server.database import check_database, database_variables, hide_password
from annotation.server.home import Home
from annotation.server.installation import environment
from annotation.server.lifecycle import prepare, start, stop
from annotation.server.logs import logs
from annotation.server.migration import migrate
from annotation.studio.client import Studio
from schemas.errors import RunError, UserError
from tests.annotation.parts import PREPARED, empty_home
from tests.annotation.ports import free_port

PASSWORD = "flour/and:bread"
WRITTEN = "flour%2Fand%3Abread"


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database of a PostgreSQL that runs meanwhile."""
    found = shutil.which("initdb") or next(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), None)
    assert found, "no PostgreSQL is installed: on Debian, apt-get install postgresql"
    programs = Path(found).resolve().parent
    user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "password").write_text(PASSWORD)
        if user:
            for path in (folder, folder / "password"):
                shutil.chown(path, user)
        words = ["--username=mill", f"--pwfile={folder / 'password'}", "--auth=scram-sha-256", "--no-sync"]
        data = folder / "data"
        subprocess.run([programs / "initdb", *words, data], check=True, capture_output=True, user=user, cwd="/")
        options = [f"-p{port}", f"-k{folder}", "-clisten_addresses=127.0.0.1", "-cfsync=off"]
        server = subprocess.Popen([programs / "postgres", "-D", data, *options], user=user, cwd="/")
        try:
            ready = [programs / "pg_isready", f"--port={port}", "--host=127.0.0.1"]
            while subprocess.run(ready, capture_output=True, check=False).returncode:
                assert server.poll() is None
                time.sleep(0.1)
            yield f"postgresql://mill:{WRITTEN}@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait()


def new_home(home: Path) -> Home:
    """A home without a database."""
    prepare(PREPARED, print)
    home.mkdir(mode=0o700)
    (home / "lock").touch(mode=0o600)
    environment(Home(home)).symlink_to(environment(Home(PREPARED)))
    return Home(home)


@pytest.mark.soak
def test_a_studio_keeps_its_data_in_postgresql(tmp_path: Path) -> None:
    home = new_home(tmp_path / "studio")
    with postgresql() as url:
        try:
            connection = start(home.root, free_port(), None, print, url)
            with Studio(connection) as studio:
                assert studio.whoami() == "admin@gristmill.local"
            assert not list(home.data.glob("*.sqlite3*"))
            with pytest.raises(UserError, match=r"pg_dump postgresql://mill@127\.0\.0\.1:\d+/postgres`") as caught:
                backup(home.root, tmp_path / "b.tar.gz")
            assert PASSWORD not in str(caught.value)
            assert WRITTEN not in repr(home.server)
            stop(home.root)
            again = start(home.root, None, None, print)
            assert again.token == connection.token
            with Studio(again) as studio:
                assert studio.people()
            assert not [line for line in logs(home.root, 1000) if PASSWORD in line]
            stop(home.root)
            other = new_home(tmp_path / "other")
            with pytest.raises(UserError, match="holds the data of another studio: give an empty database"):
                start(other.root, free_port(), None, print, url)
        finally:
            stop(home.root)


def test_a_database_that_does_not_answer_is_an_error_without_its_password(tmp_path: Path) -> None:
    home = new_home(tmp_path / "studio")
    url = f"postgresql://mill:{WRITTEN}@127.0.0.1:{free_port()}/labels"
    with pytest.raises(RunError, match=r"could not create its database in .*: .*[Cc]onnection refused") as caught:
        migrate(home, environment(home), url, print)
    assert PASSWORD not in str(caught.value)
    assert not home.data.exists()


def test_data_in_sqlite_stays_there(tmp_path: Path) -> None:
    home = empty_home(tmp_path / "studio")
    with pytest.raises(UserError, match="keeps its data in SQLite"):
        start(home, None, None, print, "postgresql://mill@db.example/labels")


@pytest.mark.parametrize(
    "url",
    ["mysql://mill:hunter2@db/labels", "mill:hunter2@db/labels", "postgresql://mill:hunter2@db",
     "postgresql://mill:hunter2@db:x/labels", "postgresql://mill:hunter2@db/labels?sslmode=require"],
)  # fmt: skip
def test_an_invalid_address_is_a_sentence_without_the_password(url: str) -> None:
    with pytest.raises(UserError, match="give postgresql://USER:PASSWORD@HOST:PORT/NAME") as caught:
        check_database(url)
    assert "hunter2" not in str(caught.value)


def test_label_studio_gets_the_parts_of_the_address() -> None:
    url = f"postgresql://mill:{WRITTEN}@db.example/labels"
    assert database_variables(url) == {
        "DJANGO_DB": "postgresql", "POSTGRE_USER": "mill", "POSTGRE_PASSWORD": PASSWORD,
        "POSTGRE_HOST": "db.example", "POSTGRE_PORT": "5432", "POSTGRE_NAME": "labels",
    }  # fmt: skip
    assert hide_password(url) == "postgresql://mill@db.example/labels"
