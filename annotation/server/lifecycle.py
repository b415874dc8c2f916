"""Starts and stops the embedded Label Studio and its gate, and says whether they run."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from annotation.server.accounts import PasswordError, mint_token, revoke_tokens, session
from annotation.server.connection import Connection
from annotation.server.database import SQLITE, check_database, hide_password
from annotation.server.home import ADMIN_EMAIL, Admin, Home, Server
from annotation.server.installation import environment, install
from annotation.server.migration import migrate
from annotation.server.ports import free_port, is_free
from annotation.server.process import Process, end, is_alive
from annotation.server.programs import POLL_SECONDS, Program, gate, label_studio, launch, port_error, wait_for_answer
from annotation.server.secret_key import has_secret_key, make_secret_key
from annotation.server.variables import check_public_url
from schemas.errors import RunError, UserError

STOP_SECONDS = 10.0
"""Seconds after which a process that does not end is killed."""
PORT_SECONDS = 1.0
"""Seconds for which a killed process may still hold its port."""


@dataclass(frozen=True)
class Status:
    """The state of a studio. A studio that does not run has the addresses of its last start."""

    url: str
    """The gate on this machine."""
    public_url: str
    """The address for annotators: the TLS proxy's, or ``url`` without a proxy."""
    inner_url: str
    """Label Studio itself, for administrators on this machine."""
    pid: int | None
    """Label Studio's process; None if Label Studio does not run."""
    gate_pid: int | None

    @property
    def running(self) -> bool:
        """Whether Label Studio and the gate run."""
        return self.pid is not None and self.gate_pid is not None


def prepare(home: Path, tell: Callable[[str], None]) -> None:
    """Installs Label Studio and creates its database, without starting it.

    Raises UserError if the folder cannot be used, RunError if the installation or the database fails.
    """
    studio = Home(home.absolute())
    with studio.lock(tell):
        migrate(studio, install(studio, tell), studio.server.database, tell)


def start(
    home: Path,
    port: int | None,
    public_url: str | None,
    tell: Callable[[str], None],
    database: str | None = None,
) -> Connection:
    """Starts Label Studio and its gate unless they run; returns the connection once both answer.

    ``port`` is the gate's, 1 to 65535. Without ``port`` or ``public_url`` the settings of the last start are kept; an
    empty ``public_url`` removes the URL. ``database`` is the URL of a PostgreSQL database. The first start chooses the
    database; a later start may only give another URL of the same data. ``tell`` receives a sentence before each slow
    step. Raises UserError if the port is taken, or if the studio runs already with other settings; RunError if the
    installation, Label Studio or the gate fails.
    """
    studio = Home(home.absolute())
    with studio.lock(tell):
        server = _choose_server(studio, port, public_url, database)
        started = not _runs(server.process)
        if started:
            server = _start_label_studio(studio, server, tell)
        try:
            token = _token(studio, server)
            if not _runs(server.gate):
                _check_port(server.port)
                tell("starting the gate")
                server = _run(studio, gate(studio, server), lambda process: replace(server, gate=process))
            else:
                tell(f"Label Studio runs already at {server.public_url or server.url}")
                _wait_for_both(studio, server)
        except BaseException:
            if started:
                _end_all(studio, server)
            raise
        return Connection(server.inner_url, token, server.public_url or server.url)


def stop(home: Path) -> bool:
    """Stops the gate and Label Studio and waits for their end; returns whether either was running."""
    studio = Home(home.absolute())
    if not studio.root.exists():
        return False
    with studio.lock(lambda _: None):
        server = studio.server
        running = _runs(server.gate) or _runs(server.process)
        _end_all(studio, server)
        return running


def status(home: Path) -> Status:
    """The state of the studio in ``home``."""
    server = Home(home.absolute()).server
    pid, gate_pid = (each.pid if each and _runs(each) else None for each in (server.process, server.gate))
    return Status(server.url, server.public_url or server.url, server.inner_url, pid, gate_pid)


def _runs(process: Process | None) -> bool:
    return process is not None and is_alive(process)


def _choose_server(studio: Home, port: int | None, public_url: str | None, database: str | None) -> Server:
    """The settings for this start. Raises UserError if the studio runs with other settings."""
    last = studio.server
    address = last.public_url
    if public_url is not None:
        address = check_public_url(public_url) if public_url else None
    if database is not None:
        check_database(database)
        if last.database is None and (studio.data / SQLITE).exists():
            raise UserError(f"{studio.root} keeps its data in SQLite: give a new folder with --home, too")
    wanted = replace(last, port=port or last.port, public_url=address, database=database or last.database)
    if wanted != last and (_runs(last.process) or _runs(last.gate)):
        raise UserError(
            f"Label Studio runs already, at {last.public_url or last.url}: to start it with another port, public "
            "address or database, run `gristmill studio stop` first"
        )
    if last.inner_port is None and last.process is not None:  # started by a version of Gristmill that had no gate
        end(last.process, STOP_SECONDS)
    return wanted


def _start_label_studio(studio: Home, server: Server, tell: Callable[[str], None]) -> Server:
    """Starts Label Studio, without a gate. Ends a gate that still runs, because its Label Studio is gone."""
    installed = install(studio, tell)
    _end_all(studio, server)
    _check_port(server.port)
    migrate(studio, installed, server.database, tell)
    admin = studio.admin or Admin(ADMIN_EMAIL, secrets.token_urlsafe(24))
    known = has_secret_key(studio.data)
    admin = admin if known else replace(admin, token=None)  # a new key ends the token
    studio.write_admin(admin)
    if not known:
        make_secret_key(studio.data)
    tell("starting Label Studio")
    kept = server.inner_port if server.inner_port not in (None, server.port) and is_free(server.inner_port) else None
    server = replace(server, process=None, gate=None, inner_port=kept or free_port(but=server.port))
    program = label_studio(studio, installed, server, admin)
    return _run(studio, program, lambda process: replace(server, process=process))


def _run(studio: Home, program: Program, change: Callable[[Process | None], Server]) -> Server:
    """Starts a program and waits for its first answer; ends the process if no answer comes.

    ``change`` returns the settings with the process. They are written before the first answer.
    """
    process = launch(program)
    try:
        studio.write_server(change(process))
        wait_for_answer(program, process)
    except BaseException:
        end(process, STOP_SECONDS)
        studio.write_server(change(None))
        raise
    return change(process)


def _wait_for_both(studio: Home, server: Server) -> None:
    admin = studio.admin
    assert admin is not None
    assert server.process is not None
    assert server.gate is not None
    wait_for_answer(label_studio(studio, environment(studio), server, admin), server.process)
    wait_for_answer(gate(studio, server), server.gate)


def _end_all(studio: Home, server: Server) -> None:
    for process in (server.gate, server.process):
        if process is not None:
            end(process, STOP_SECONDS)
    if server.gate is not None or server.process is not None:
        studio.write_server(replace(server, process=None, gate=None))


def _check_port(port: int) -> None:
    deadline = time.monotonic() + PORT_SECONDS
    try:
        while not is_free(port):
            if time.monotonic() > deadline:
                raise port_error(port)
            time.sleep(POLL_SECONDS)
    except PermissionError as error:
        raise UserError(f"you may not use port {port}: give a port above 1023 with --port") from error


def _token(studio: Home, server: Server) -> str:
    """The administrator's token, created if there is no token yet."""
    admin = studio.admin
    if admin is None:
        raise RunError(f"{studio.admin_file} is missing: restore the studio from a backup")
    if admin.token is None:
        try:
            with session(server.inner_url, admin.email, admin.password) as client:
                revoke_tokens(client)  # a token was lost if an earlier start crashed just after its creation
                admin = replace(admin, token=mint_token(client))
        except PasswordError as error:
            where = hide_password(server.database) if server.database else studio.data
            raise UserError(f"{where} holds the data of another studio: give an empty database") from error
        studio.write_admin(admin)
    return str(admin.token)
