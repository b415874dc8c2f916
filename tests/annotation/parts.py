"""A real Label Studio and a real browser, one of each for all tests."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from annotation.server.accounts import mint_token, session, sign_up
from annotation.server.connection import Connection
from annotation.server.home import Home
from annotation.server.installation import environment
from annotation.server.lifecycle import prepare, start, stop
from tests.annotation.ports import free_port

PREPARED = Path(sys.prefix) / ".studio"
"""Installed, and with an empty database; `make test` makes it, and so does the first test that needs it."""

CHROMIUM = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@dataclass(frozen=True)
class Account:
    """An annotator, with all that a test may need to be one."""

    email: str
    password: str
    user_id: int
    token: str


@dataclass
class Studio:
    """A server that runs, with its administrator."""

    home: Path
    connection: Connection
    admin_email: str
    admin_password: str
    accounts: dict[str, Account] = field(default_factory=dict)

    def invite(self) -> str:
        """The link by which anybody signs up."""
        with session(self.connection.url, self.admin_email, self.admin_password) as client:
            return str(client.get("/api/invite").raise_for_status().json()["invite_url"])

    def annotator(self, name: str) -> Account:
        """The account of that name, made when it is first asked for."""
        if name not in self.accounts:
            url, email, password = self.connection.url, f"{name}@flour.example", f"flour-and-bread-{name}"
            sign_up(url, self.invite(), email, password)
            with session(url, email, password) as client:
                me = client.get("/api/current-user/whoami").raise_for_status().json()
                self.accounts[name] = Account(email, password, int(me["id"]), mint_token(client))
        return self.accounts[name]


def empty_home(home: Path) -> Path:
    """A studio as `gristmill studio start` would make it in a minute, copied in no time and never started."""
    prepare(PREPARED, print)
    home.mkdir(mode=0o700)
    (home / "lock").touch(mode=0o600)
    shutil.copytree(PREPARED / "data", home / "data")
    (home / "data" / ".env").unlink()  # each makes its own secret key
    environment(Home(home)).symlink_to(environment(Home(PREPARED)))
    return home


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A real Label Studio, shared by all tests: each makes projects and annotators of its own."""
    home = empty_home(tmp_path_factory.mktemp("annotation") / "studio")
    try:
        connection = start(home, free_port(), None, print)
        admin = Home(home).admin
        assert admin is not None
        yield Studio(home, connection, admin.email, admin.password)
    finally:
        stop(home)


@dataclass(frozen=True)
class Gate:
    """A gate that runs, its log and its process."""

    url: str
    log: Path
    pid: int


@pytest.fixture(scope="session")
def gate(studio: Studio) -> Gate:
    """The gate of the studio."""
    process = Home(studio.home).server.gate
    assert process is not None
    return Gate(studio.connection.public_url, Home(studio.home).gate_log, process.pid)


@contextmanager
def another_gate(studio: Studio, log: Path) -> Iterator[Gate]:
    """One more gate before the same studio. A gate that refused much leaves lines out of its log for a minute."""
    port = free_port()
    words = ["--home", studio.home, "--inner-url", studio.connection.url, "--port", str(port)]
    with log.open("w") as file:
        running = subprocess.Popen([sys.executable, "-P", "-m", "annotation.gate", *words], stderr=file)
    try:
        while "Uvicorn running" not in log.read_text():
            assert running.poll() is None, log.read_text()
            time.sleep(0.02)
        yield Gate(f"http://127.0.0.1:{port}", log, running.pid)
    finally:
        running.terminate()
        running.wait()


@pytest.fixture
def api(studio: Studio) -> Iterator[httpx.Client]:
    """The administrator's session, for what a test asks of the server beside the code under test."""
    with session(studio.connection.url, studio.admin_email, studio.admin_password) as client:
        yield client


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; a test opens a context (a fresh profile) of its own in it."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program, "no Chromium is installed: on Debian, apt-get install chromium"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM))
        yield running
        running.close()


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: $GRISTMILL_ARTIFACTS, else a folder of this run."""
    named = os.environ.get("GRISTMILL_ARTIFACTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("artifacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
