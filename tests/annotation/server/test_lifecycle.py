"""Starting and stopping a real Label Studio: once, apart, private, and never in another program's place."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import httpx
import pytest

from annotation.server import lifecycle
from annotation.server.accounts import session
from annotation.server.connection import Connection, connection
from annotation.server.home import Home, Server
from annotation.server.lifecycle import start, status, stop
from annotation.server.logs import logs
from annotation.server.process import Process, end, is_alive, spawn
from annotation.server.secret_key import has_secret_key
from schemas.errors import RunError, UserError
from tests.annotation.parts import empty_home
from tests.annotation.ports import free_port


@dataclass
class Started:
    home: Path
    port: int
    connection: Connection

    @property
    def process(self) -> Process:
        process = Home(self.home).server.process
        assert process is not None
        return process


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """A server of this module's own, started where its user's variables would lead it astray."""
    home, port = empty_home(tmp_path_factory.mktemp("lifecycle") / "studio"), free_port()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOST", "DEBUG", "LABEL_STUDIO_DEBUG", "HEARTEX_PORT", "COLLECT_ANALYTICS"):
            patch.setenv(name, "true")
        yield Started(home, port, start(home, port, None, print))
    stop(home)


def refresh(connection: Connection) -> int:
    return httpx.post(f"{connection.url}/api/token/refresh", json={"refresh": connection.token}).status_code


def test_it_answers_on_this_machine_only(started: Started) -> None:
    inner = httpx.URL(started.connection.url).port
    assert inner is not None
    assert started.connection.public_url == f"http://127.0.0.1:{started.port}"
    assert inner != started.port
    assert refresh(started.connection) == 200
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines() if " 0A " in line]
    for port in (inner, started.port):
        assert [address for address in listening if address.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]


def test_annotators_reach_the_gate_and_not_label_studio(started: Started) -> None:
    assert httpx.get(f"{started.connection.public_url}/gate/health").text == "ok\n"
    assert httpx.get(f"{started.connection.public_url}/user/signup/").status_code == 404
    assert httpx.post(f"{started.connection.public_url}/api/token/refresh").status_code == 404


def test_the_studio_sees_its_own_variables_only(started: Started) -> None:
    text = Path(f"/proc/{started.process.pid}/environ").read_text()
    seen = dict(line.split("=", 1) for line in text.split("\0") if line)
    assert not {"HOST", "DEBUG", "LABEL_STUDIO_DEBUG", "HEARTEX_PORT"} & set(seen)
    assert [seen[name] for name in ("COLLECT_ANALYTICS", "LATEST_VERSION_CHECK")] == ["false", "false"]
    assert [seen[name] for name in ("SENTRY_DSN", "FRONTEND_SENTRY_DSN")] == ["", ""]
    assert seen["TASK_LOCK_TTL"] == "3600"


def test_it_is_its_owners_only(started: Started) -> None:
    assert started.home.stat().st_mode & 0o777 == 0o700
    open_files = [
        str(path)
        for path in started.home.rglob("*")
        if path.is_file() and "environment-" not in str(path) and path.stat().st_mode & 0o077
    ]
    assert open_files == []
    assert json.loads((started.home / "admin.json").read_text())["email"] == "admin@gristmill.local"


def test_many_people_can_write_at_once(started: Started) -> None:
    with closing(sqlite3.connect(started.home / "data" / "label_studio.sqlite3")) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    workers = Path(f"/proc/{started.process.pid}/task/{started.process.pid}/children").read_text().split()
    assert len(workers) >= 2


def test_the_studio_outlives_the_command_and_its_terminal(started: Started) -> None:
    assert os.getsid(started.process.pid) == started.process.pid != os.getsid(0)


def test_a_second_start_finds_it(started: Started) -> None:
    told: list[str] = []
    assert start(started.home, None, None, told.append) == started.connection
    assert start(started.home, started.port, "", told.append) == started.connection
    assert told == [f"Label Studio runs already at {started.connection.public_url}"] * 2
    for port, public_url in ((free_port(), None), (None, "https://labels.example.org")):
        with pytest.raises(UserError, match="`gristmill studio stop` first"):
            start(started.home, port, public_url, print)
    assert connection(started.home) == started.connection
    assert status(started.home).pid == started.process.pid


@pytest.mark.soak
def test_starts_at_the_same_time_are_one(tmp_path: Path) -> None:
    home, port = empty_home(tmp_path / "studio"), free_port()
    script = "from jobs.cli import main; main()"
    words = [sys.executable, "-c", script, "studio", "start", "--home", str(home), "--port", str(port)]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate(timeout=60) for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    errors = sorted(error for _, error in said)
    assert any("runs already" in error for error in errors)
    assert sum("starting" in error for error in errors) == 1
    assert stop(home)


def test_secrets_are_not_shown(started: Started) -> None:
    admin = Home(started.home).admin
    assert admin is not None
    assert admin.token
    with session(started.connection.url, admin.email, admin.password) as client:
        invite = client.get("/api/invite").json()["invite_url"]
    httpx.get(started.connection.url + invite)
    httpx.get(f"{started.connection.url}/nothing?access={started.connection.token}&{admin.password}")
    secrets = [admin.token, admin.password, invite.partition("token=")[2]]
    shown = "\n".join(logs(started.home, 1000)) + repr(admin) + repr(started.connection)
    assert "/user/signup/?token=[secret]" in shown
    assert not [secret for secret in secrets if secret in shown]
    assert len(logs(started.home, 2)) == 2


def test_a_token_lost_in_a_crash_is_replaced(started: Started) -> None:
    studio = Home(started.home)
    admin = studio.admin
    assert admin is not None
    studio.write_admin(replace(admin, token=None))
    with pytest.raises(UserError, match="run `gristmill studio start`"):
        connection(started.home)
    again = start(started.home, None, None, print)
    assert again.token != started.connection.token
    assert refresh(again) == 200


@pytest.mark.soak
def test_a_secret_key_that_cannot_be_read_is_replaced_once(started: Started) -> None:
    stop(started.home)
    file = started.home / "data" / ".env"
    file.write_text("OTHER=line\n\nSECRET_KEY=$one-that-label-studio-cannot-read\n")
    start(started.home, None, None, print)
    kept = file.read_text()
    assert kept.startswith("OTHER=line\n\nSECRET_KEY=")
    assert "$one" not in kept
    assert file.stat().st_mode & 0o777 == 0o600
    stop(started.home)
    again = start(started.home, None, None, print)
    assert file.read_text() == kept
    assert refresh(again) == 200


def test_a_secret_key_that_label_studio_reads_is_kept(tmp_path: Path) -> None:
    assert not has_secret_key(tmp_path)
    (tmp_path / ".env").write_text("\nSECRET_KEY=\n")
    assert not has_secret_key(tmp_path)
    (tmp_path / ".env").write_text("\nSECRET_KEY=a(good#one=$&\n\nSECRET_KEY=$a-second-that-does-not-count\n")
    assert has_secret_key(tmp_path)


def test_a_killed_studio_is_restarted_and_a_stopped_one_is_not(started: Started) -> None:
    killed = started.process
    os.kill(killed.pid, signal.SIGKILL)
    end(killed, 5)
    assert not status(started.home).running
    with pytest.raises(UserError, match="run `gristmill studio start`"):
        connection(started.home)
    assert start(started.home, None, None, print).public_url == started.connection.public_url
    assert started.process != killed
    running = started.process
    assert stop(started.home)
    assert not is_alive(running)
    assert not status(started.home).running
    assert not stop(started.home)


def test_start_restarts_the_part_that_was_killed(started: Started) -> None:
    first = start(started.home, None, None, print)
    assert status(started.home).running
    gate, label_studio = Home(started.home).server.gate, started.process
    assert gate is not None
    os.kill(gate.pid, signal.SIGKILL)
    end(gate, 5)
    assert (status(started.home).pid, status(started.home).gate_pid) == (label_studio.pid, None)
    assert connection(started.home) == first, "commands of the data lead need no gate"
    told: list[str] = []
    assert start(started.home, None, None, told.append) == first
    assert (told, started.process) == (["starting the gate"], label_studio)
    os.kill(label_studio.pid, signal.SIGKILL)
    end(label_studio, 5)
    gate = Home(started.home).server.gate
    assert gate is not None
    assert is_alive(gate)
    assert not status(started.home).running
    assert start(started.home, None, None, print).public_url == first.public_url
    assert status(started.home).running
    assert not is_alive(gate)


@pytest.mark.soak
def test_a_studio_of_a_version_without_a_gate_gets_one(started: Started) -> None:
    start(started.home, None, None, print)
    server = Home(started.home).server
    assert server.gate is not None
    end(server.gate, 5)
    old = {"port": server.inner_port, "public_url": None, "process": asdict(started.process)}
    (started.home / "server.json").write_text(json.dumps(old))
    assert connection(started.home).url == server.inner_url, "what runs is used until the next start"
    again = start(started.home, None, None, print)
    assert again.public_url == server.inner_url, "the address of annotators stays"
    assert again.url != server.inner_url
    assert httpx.get(f"{again.public_url}/gate/health").text == "ok\n"


def test_another_process_of_the_same_number_is_left_alone(tmp_path: Path) -> None:
    home = empty_home(tmp_path / "studio")
    other = spawn(["sleep", "600"], {"PATH": os.environ["PATH"]}, tmp_path / "log")
    studio = Home(home)
    studio.write_server(replace(studio.server, process=replace(other, ticks=other.ticks + 1)))
    assert not status(home).running
    assert not stop(home)
    studio.write_server(replace(studio.server, process=replace(other, boot="another")))
    assert not stop(home)
    assert is_alive(other)
    assert end(other, 5)


def test_a_process_that_ignores_a_request_to_end_is_killed(tmp_path: Path) -> None:
    words = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 600; done"]
    os.mkfifo(tmp_path / "log")
    reading = os.open(tmp_path / "log", os.O_RDONLY | os.O_NONBLOCK)
    deaf = spawn(words, {"PATH": os.environ["PATH"]}, tmp_path / "log")
    os.set_blocking(reading, True)
    assert os.read(reading, 5) == b"ready"
    os.close(reading)
    assert not end(deaf, 0.1)
    assert not is_alive(deaf)


def test_a_taken_port_is_a_sentence_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = empty_home(tmp_path / "studio")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} is taken by another program"):
            start(home, port, None, print)
        monkeypatch.setattr(lifecycle, "_check_port", lambda port: None)  # taken a moment later
        with pytest.raises(UserError, match=f"port {port} is taken by another program"):
            start(home, port, None, print)
        assert "address already in use" in Home(home).gate_log.read_text()
        Home(home).write_server(Server())
        monkeypatch.setattr(lifecycle, "free_port", lambda but: port)
        with pytest.raises(UserError, match=f"port {port} is taken by another program"):
            start(home, free_port(), None, print)
        assert "Connection in use" in Home(home).log.read_text()
    assert (status(home).pid, status(home).gate_pid) == (None, None)


def test_a_start_that_fails_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    home = empty_home(tmp_path / "studio")
    (home / "data" / "label_studio.sqlite3").write_bytes(b"this is no database" * 1000)
    with pytest.raises(RunError, match="file is not a database") as caught:
        start(home, free_port(), None, print)
    assert str(home / "label-studio.log") in str(caught.value)
    assert not status(home).running


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    home = empty_home(tmp_path / "studio")
    (home / "server.json").write_text("{")
    with pytest.raises(RunError, match=r"server\.json is damaged"):
        status(home)


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    for act in (lambda: start(tmp_path, None, None, print), lambda: stop(tmp_path)):
        with pytest.raises(UserError, match="is not empty and holds no studio"):
            act()
    with pytest.raises(UserError, match="cannot be the studio's folder"):
        start(tmp_path / "letter.txt", None, None, print)
    (tmp_path / "home" / "lock").mkdir(parents=True)
    with pytest.raises(UserError, match="cannot be the studio's folder: Is a directory"):
        stop(tmp_path / "home")


@pytest.mark.parametrize(
    "text",
    [
        "labels.example.org",
        "ftp://labels.example.org",
        "https://labels.example.org/here",
        "https://x:y",
    ],
)
def test_a_public_address_is_that_of_a_whole_server(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match=r"give a URL such as https://labels\.example\.org"):
        start(tmp_path / "studio", None, text, print)


@pytest.mark.parametrize("text", ["https://user:hunter2@x", "user:hunter2@x", "https://user:hunter2@x:y"])
def test_a_public_address_holds_no_password(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match="--public-url holds an @") as caught:
        start(tmp_path / "studio", None, text, print)
    assert "hunter2" not in str(caught.value)
