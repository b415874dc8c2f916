"""A studio that keeps its data in a real PostgreSQL database."""

from pathlib import Path

import pytest

from annotation.server.backup import backup
from annotation.server.database import check_database, database_variables, hide_password
from annotation.server.installation import environment
from annotation.server.lifecycle import start, stop
from annotation.server.logs import logs
from annotation.server.migration import migrate
from annotation.studio.client import Studio
from schemas.errors import RunError, UserError
from tests.annotation.parts import empty_home
from tests.annotation.ports import free_port
from tests.annotation.postgresql import PASSWORD, WRITTEN, new_home, postgresql


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


@pytest.mark.soak
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
