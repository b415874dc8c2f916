"""Starts the two processes of a studio, Label Studio and the gate, and waits until they answer."""

import os
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from annotation.server.home import Admin, Home, Server
from annotation.server.process import Process, is_alive, spawn
from annotation.server.variables import KEPT, variables
from schemas.errors import RunError, UserError

READY_SECONDS = 120.0
"""Most seconds from the start of a process to its first answer: 5 s when measured, more on a slow disk."""
POLL_SECONDS = 0.05
HEAD_BYTES = 1 << 20
"""The beginning of a log, in which a process says that it listens."""
OTHER_PORT = "stop it, or give another port with --port"
GUNICORN = Path(__file__).with_name("gunicorn_settings.py")


@dataclass(frozen=True)
class Program:
    """A process that serves on a port of the loopback address."""

    name: str
    words: tuple[str, ...]
    variables: Mapping[str, str] = field(repr=False)
    log: Path
    port: int
    health: str
    """A path that the program answers with status 200 as soon as it works."""
    listening: str
    """A pattern of the line that the program logs when it has the port."""
    taken: str
    """Words that the program logs if another program has the port."""
    advice: str
    """What a user should do about a port that is taken."""


def label_studio(studio: Home, environment: Path, server: Server, admin: Admin) -> Program:
    """Label Studio, served by gunicorn."""
    environ = variables(studio, server.database)
    if admin.token is None:  # Label Studio then creates this account, unless it exists
        environ |= {"LABEL_STUDIO_USERNAME": admin.email, "LABEL_STUDIO_PASSWORD": admin.password}
    python = str(environment / "bin" / "python")
    words = (python, "-m", "gunicorn", "--config", str(GUNICORN), "--bind", f"127.0.0.1:{server.inner_port}")
    return Program(
        name="Label Studio",
        words=words,
        variables=environ,
        log=studio.log,
        port=server.inner_port or server.port,
        health="/health",
        listening=r"Listening at: http://127\.0\.0\.1:\d+ ",
        taken="Connection in use",
        advice="run the same command again",
    )


def gate(studio: Home, server: Server) -> Program:
    """The gate, in Gristmill's own environment."""
    words = [sys.executable, "-P", "-m", "annotation.gate", "--home", str(studio.root)]
    words += ["--inner-url", server.inner_url, "--port", str(server.port)]
    if server.public_url:
        words += ["--public-url", server.public_url]
    return Program(
        name="the gate",
        words=tuple(words),
        variables={name: os.environ[name] for name in KEPT if name in os.environ},
        log=studio.gate_log,
        port=server.port,
        health="/gate/health",
        listening=r"Uvicorn running on http://127\.0\.0\.1:\d+ ",
        taken="address already in use",
        advice=OTHER_PORT,
    )


def launch(program: Program) -> Process:
    """Starts a program; the log of its last start is kept as ``.log.1``."""
    if program.log.exists():
        program.log.replace(program.log.with_suffix(".log.1"))
    return spawn(program.words, program.variables, program.log)


def wait_for_answer(program: Program, process: Process) -> None:
    """Returns once the program listens on its own port and answers.

    Raises UserError if another program has the port, RunError if the process ends or does not answer.
    """
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with program.log.open("rb") as file:
            log = file.read(HEAD_BYTES).decode("utf-8", "replace")
        if re.search(program.listening, log):
            if _is_healthy(program):
                return
        elif program.taken in log:
            raise port_error(program.port, program.advice)
        if not is_alive(process):
            lines = [line for line in log.splitlines() if line and not line[0].isspace()]
            last = (lines or ["its log is empty"])[-1]
            raise RunError(f"{program.name} ended during its start ({last}): see {program.log}")
        time.sleep(POLL_SECONDS)
    raise RunError(f"{program.name} did not answer within {READY_SECONDS:g} seconds: see {program.log}")


def port_error(port: int, advice: str = OTHER_PORT) -> UserError:
    return UserError(f"port {port} is taken by another program: {advice}")


def _is_healthy(program: Program) -> bool:
    try:
        url = f"http://127.0.0.1:{program.port}{program.health}"
        return httpx.get(url, timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
