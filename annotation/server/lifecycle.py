"""Starts and stops the embedded Label Studio, and says whether it runs."""

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from annotation.server.accounts import mint_token, revoke_tokens, session
from annotation.server.connection import Connection
from annotation.server.home import ADMIN_EMAIL, Admin, Home, Server
from annotation.server.installation import install
from annotation.server.migration import migrate
from annotation.server.ports import is_free
from annotation.server.process import Process, end, is_alive, spawn
from annotation.server.variables import check_public_url, variables
from schemas.errors import RunError, UserError

READY_SECONDS = 120.0
"""Most seconds from the start of Label Studio to its first answer: 4 s when measured, more on a slow disk."""
STOP_SECONDS = 10.0
"""Seconds after which a server that does not end is killed."""
PORT_SECONDS = 1.0
"""Seconds for which a killed server may still hold its port."""
POLL_SECONDS = 0.05
LISTENING = re.compile(r"Listening at: http://127\.0\.0\.1:\d+ ")
PORT_TAKEN = "Connection in use"
GUNICORN = Path(__file__).with_name("gunicorn_settings.py")


@dataclass(frozen=True)
class Status:
    """The state of a studio. If no server runs, its addresses are those of the last start."""

    running: bool
    url: str
    public_url: str
    email: str | None
    pid: int | None


def prepare(home: Path, tell: Callable[[str], None]) -> None:
    """Installs Label Studio and creates its database, without starting it.

    Raises UserError if the folder cannot be used, RunError if the installation or the database fails.
    """
    studio = Home(home.absolute())
    with studio.lock(tell):
        migrate(studio, install(studio, tell), tell)


def start(home: Path, port: int | None, public_url: str | None, tell: Callable[[str], None]) -> Connection:
    """Starts Label Studio unless it runs; returns the connection once the server answers.

    ``port`` (1-65535) and ``public_url`` are by default those of the last start; an empty ``public_url`` means no URL.
    ``tell`` receives a sentence before each slow step. Raises UserError if the port is taken, or if the server runs
    already with other settings; RunError if the installation or Label Studio fails.
    """
    studio = Home(home.absolute())
    with studio.lock(tell):
        server = _choose_server(studio.server, port, public_url)
        if server.process is None:
            environment = install(studio, tell)
            _check_port(server.port)
            migrate(studio, environment, tell)
            admin = studio.admin or Admin(ADMIN_EMAIL, secrets.token_urlsafe(24))
            studio.write_admin(admin)
            tell("starting Label Studio")
            server = _launch(studio, environment, server, admin)
        else:
            tell(f"Label Studio runs already at {server.public_url or server.url}")
            _wait_for_answer(studio, server, server.process)
        return Connection(server.url, _token(studio, server), server.public_url or server.url)


def stop(home: Path) -> bool:
    """Stops Label Studio and waits for its end; returns whether it was running."""
    studio = Home(home.absolute())
    if not studio.root.exists():
        return False
    with studio.lock(lambda _: None):
        server = studio.server
        running = server.process is not None and is_alive(server.process)
        if server.process is not None:
            end(server.process, STOP_SECONDS)
            studio.write_server(replace(server, process=None))
        return running


def status(home: Path) -> Status:
    """The state of the studio in ``home``."""
    studio = Home(home.absolute())
    server, admin = studio.server, studio.admin
    running = server.process is not None and is_alive(server.process)
    pid = server.process.pid if running and server.process else None
    return Status(running, server.url, server.public_url or server.url, admin.email if admin else None, pid)


def _choose_server(last: Server, port: int | None, public_url: str | None) -> Server:
    """The settings for this start; ``process`` is set if the server already runs with them."""
    address = last.public_url
    if public_url is not None:
        address = check_public_url(public_url) if public_url else None
    wanted = replace(last, port=port or last.port, public_url=address)
    if last.process is None or not is_alive(last.process):  # stopped, killed, or the machine was restarted
        return replace(wanted, process=None)
    if wanted != last:
        raise UserError(
            f"Label Studio runs already, at {last.public_url or last.url}: to start it with another port or public "
            "address, run `gristmill studio stop` first"
        )
    return wanted


def _check_port(port: int) -> None:
    deadline = time.monotonic() + PORT_SECONDS
    try:
        while not is_free(port):
            if time.monotonic() > deadline:
                raise _port_error(port)
            time.sleep(POLL_SECONDS)
    except PermissionError as error:
        raise UserError(f"you may not use port {port}: give a port above 1023 with --port") from error


def _port_error(port: int) -> UserError:
    return UserError(f"port {port} is taken by another program: stop it, or give another port with --port")


def _launch(studio: Home, environment: Path, server: Server, admin: Admin) -> Server:
    """Starts the process and waits for its first answer; ends the process if that fails."""
    environ = variables(studio, server.public_url)
    if admin.token is None:  # Label Studio then creates this account, unless it exists
        environ |= {"LABEL_STUDIO_USERNAME": admin.email, "LABEL_STUDIO_PASSWORD": admin.password}
    if studio.log.exists():
        studio.log.replace(studio.log.with_suffix(".log.1"))
    words = [str(environment / "bin" / "python"), "-m", "gunicorn", "--config", str(GUNICORN)]
    words += ["--bind", f"127.0.0.1:{server.port}"]
    process = spawn(words, environ, studio.log)
    try:
        server = replace(server, process=process)
        studio.write_server(server)
        _wait_for_answer(studio, server, process)
    except BaseException:
        end(process, STOP_SECONDS)
        studio.write_server(replace(server, process=None))
        raise
    return server


def _wait_for_answer(studio: Home, server: Server, process: Process) -> None:
    """Returns once the server listens on its own port and answers."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        log = studio.log.read_text(encoding="utf-8", errors="replace")
        if LISTENING.search(log):
            if _is_healthy(server.url):
                return
        elif PORT_TAKEN in log:
            raise _port_error(server.port)
        if not is_alive(process):
            last = (log.strip().splitlines() or ["its log is empty"])[-1]
            raise RunError(f"Label Studio ended during its start ({last}): see {studio.log}")
        time.sleep(POLL_SECONDS)
    raise RunError(f"Label Studio did not answer within {READY_SECONDS:g} seconds: see {studio.log}")


def _is_healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _token(studio: Home, server: Server) -> str:
    """The administrator's token, created if there is no token yet."""
    admin = studio.admin
    if admin is None:
        raise RunError(f"{studio.admin_file} is missing: restore the studio from a backup")
    if admin.token is None:
        with session(server.url, admin.email, admin.password) as client:
            revoke_tokens(client)  # a token was lost if an earlier start crashed just after its creation
            admin = replace(admin, token=mint_token(client))
        studio.write_admin(admin)
    return str(admin.token)
