"""A backup taken while people label is whole, and what is restored from it is what was there."""

import errno
import io
import sqlite3
import tarfile
import threading
from pathlib import Path

import httpx
import pytest

from annotation.server.backup import backup, restore
from annotation.server.home import Home
from annotation.server.installation import environment
from annotation.server.lifecycle import start, stop
from schemas.errors import RunError, UserError
from tests.annotation.parts import Studio, empty_home
from tests.annotation.ports import free_port

CONFIG = '<View><Text name="t" value="$t"/><Choices name="c" toName="t"><Choice value="x"/></Choices></View>'


@pytest.fixture
def saved(studio: Studio, api: httpx.Client, tmp_path: Path) -> Path:
    """A backup of the running server with a project "flour" of two tasks in it."""
    project = (
        api.post("/api/projects/", json={"title": "flour", "label_config": CONFIG}).raise_for_status().json()["id"]
    )
    api.post(f"/api/projects/{project}/import", json=[{"t": "wheat"}, {"t": "rye"}]).raise_for_status()
    backup(studio.home, tmp_path / "saved.tar.gz")
    return tmp_path / "saved.tar.gz"


def test_what_is_restored_is_what_was_there(studio: Studio, saved: Path, tmp_path: Path) -> None:
    assert saved.stat().st_mode & 0o777 == 0o600
    home = tmp_path / "again"
    restore(home, saved, False, print)
    assert {path.stat().st_mode & 0o777 for path in home.rglob("*") if path.is_file()} == {0o600}
    environment(Home(home)).symlink_to(environment(Home(studio.home)))
    try:
        connection = start(home, free_port(), None, print)
        assert connection.token == studio.connection.token
        answer = httpx.post(f"{connection.url}/api/token/refresh", json={"refresh": connection.token})
        assert answer.is_success, answer.text
        bearer = {"Authorization": f"Bearer {answer.json()['access']}"}
        projects = httpx.get(f"{connection.url}/api/projects/", headers=bearer).json()["results"]
        assert [each["task_number"] for each in projects if each["title"] == "flour"][:1] == [2]
        with pytest.raises(UserError, match="`gristmill studio stop` before"):
            restore(home, saved, True, print)
    finally:
        stop(home)


@pytest.mark.soak
def test_a_backup_taken_amid_changes_is_whole(studio: Studio, api: httpx.Client, tmp_path: Path) -> None:
    project = api.post("/api/projects/", json={"title": "rye", "label_config": CONFIG}).raise_for_status().json()["id"]
    begun, done = threading.Event(), threading.Event()

    def label() -> None:
        while not done.is_set():
            api.post(f"/api/projects/{project}/import", json=[{"t": str(n)} for n in range(50)]).raise_for_status()
            begun.set()

    labelling = threading.Thread(target=label)
    labelling.start()
    try:
        assert begun.wait(30)
        for number in range(3):
            backup(studio.home, tmp_path / f"{number}.tar.gz")
    finally:
        done.set()
        labelling.join()
    for number in range(3):
        restore(tmp_path / str(number), tmp_path / f"{number}.tar.gz", False, print)
        database = sqlite3.connect(tmp_path / str(number) / "data" / "label_studio.sqlite3")
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        [tasks] = database.execute("SELECT count(*) FROM task WHERE project_id = ?", (project,)).fetchone()
        assert tasks
        assert tasks % 50 == 0
        database.close()


def test_a_backup_holds_no_write_ahead_log(studio: Studio, saved: Path) -> None:
    assert (studio.home / "data" / "label_studio.sqlite3-wal").exists()
    with tarfile.open(saved) as archive:
        assert [name for name in archive.getnames() if "sqlite3" in name] == ["data/label_studio.sqlite3"]
        database = archive.extractfile("data/label_studio.sqlite3")
        assert database is not None
        assert database.read(20)[18:] == b"\1\1", "the versions of a database without write-ahead log"


def test_a_studio_that_is_there_is_replaced_only_when_told_to_and_kept(saved: Path, tmp_path: Path) -> None:
    home = empty_home(tmp_path / "home")
    (home / "data" / "mine").touch()
    with pytest.raises(UserError, match="give --replace"):
        restore(home, saved, False, print)
    assert (home / "data" / "mine").exists()
    restore(home, saved, True, print)
    assert not (home / "data" / "mine").exists()
    assert (home / "data.replaced" / "mine").exists()
    assert [path.name for path in home.iterdir() if path.name.startswith("restored-")] == []


def test_a_backup_overwrites_nothing(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(UserError, match="exists: give the backup another name"):
        backup(studio.home, tmp_path / "mine")
    with pytest.raises(UserError, match="cannot be written"):
        backup(studio.home, tmp_path / "nowhere" / "b.tar.gz")
    with pytest.raises(UserError, match="holds no studio to back up"):
        backup(tmp_path / "nothing", tmp_path / "b.tar.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_what_a_killed_backup_or_restore_left_goes_with_the_next_command(saved: Path, tmp_path: Path) -> None:
    home = empty_home(tmp_path / "home")
    for name in ("copy-a1", "restored-b2"):
        (home / name / "data").mkdir(parents=True)
        (home / name / "data" / "label_studio.sqlite3").touch()
    (home / ".admin.json.c3").touch()
    restore(home, saved, True, print)
    left = sorted(path.name for path in home.iterdir() if not path.name.startswith("environment"))
    assert left == ["admin.json", "data", "data.replaced", "lock"]


def test_a_backup_is_private_while_it_is_written(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: set[int] = set()
    add = tarfile.TarFile.add

    def record_modes(archive: tarfile.TarFile, *words: object, **more: object) -> None:
        for place in (*studio.home.glob("copy-*"), *tmp_path.iterdir()):
            modes.update(path.stat().st_mode & 0o777 for path in (place, *place.rglob("*")))
        add(archive, *words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(tarfile.TarFile, "add", record_modes)
    backup(studio.home, tmp_path / "saved.tar.gz")
    assert modes == {0o700, 0o600}
    assert [path.name for path in tmp_path.iterdir()] == ["saved.tar.gz"]


def test_a_full_disk_is_an_error_that_names_the_backup(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "add", fail)
    with pytest.raises(RunError, match=r"saved\.tar\.gz cannot be written: No space left on device"):
        backup(studio.home, tmp_path / "saved.tar.gz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("absent", "is not a file"),
        ("text", "is not a complete backup"),
        ("cut", "is not a complete backup"),
        ("elsewhere", r"it holds '\.\./evil'"),
        ("link", "it holds 'data/link'"),
        ("empty", "is missing"),
        ("version", r"is a backup of Label Studio 1\.0\.0"),
        ("database", "its database is damaged"),
    ],
)
def test_a_bad_backup_changes_nothing(saved: Path, tmp_path: Path, fault: str, said: str) -> None:
    bad = tmp_path / "bad.tar.gz"
    if fault == "text":
        bad.write_text("no archive")
    elif fault == "cut":
        bad.write_bytes(saved.read_bytes()[:-3000])
    elif fault != "absent":
        spoil(saved, bad, fault)
    with pytest.raises(UserError, match=said):
        restore(tmp_path / "home", bad, False, print)
    assert [path.name for path in (tmp_path / "home").glob("*")] in ([], ["lock"])
    assert not (tmp_path / "evil").exists()


def spoil(saved: Path, bad: Path, fault: str) -> None:
    with tarfile.open(saved) as archive, tarfile.open(bad, "w:gz") as spoilt:
        for member in archive:
            content = archive.extractfile(member)
            assert content
            data = content.read()
            if fault == "version" and member.name == "backup.json":
                data = b'{"label_studio": "1.0.0"}'
            if fault == "database" and member.name.endswith(".sqlite3"):
                data = data[:8192] + b"\xff" * (len(data) - 8192)
            if fault == "empty" and member.name == "admin.json":
                continue
            member.size = len(data)
            spoilt.addfile(member, io.BytesIO(data))
        if fault == "elsewhere":
            spoilt.addfile(tarfile.TarInfo("../evil"))
        if fault == "link":
            link = tarfile.TarInfo("data/link")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            spoilt.addfile(link)
