"""The server's log, without its secrets."""

import re
from collections import deque
from pathlib import Path

from annotation.server.database import password
from annotation.server.home import Home
from schemas.errors import UserError

SECRETS = re.compile(r"(?P<before>token=)[^&\s\"']+|eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?")
"""Matches the secrets of invitations in the addresses of requests, and signed tokens."""


def logs(home: Path, lines: int = 100, gate: bool = False) -> list[str]:
    """The last lines of Label Studio's log or the gate's, with tokens and the administrator's password masked.

    Raises UserError if the studio was never started.
    """
    studio = Home(home.absolute())
    admin = studio.admin
    known = [secret for secret in (admin.password, admin.token) if secret] if admin else []
    if (url := studio.server.database) and password(url):
        known.append(password(url))
    try:
        with (studio.gate_log if gate else studio.log).open(encoding="utf-8", errors="replace") as file:
            return [redact(line.rstrip("\n"), known) for line in deque(file, lines)]
    except OSError as error:
        raise UserError(f"{home} holds no log: run `gristmill studio start`") from error


def redact(line: str, known: list[str]) -> str:
    """Masks the known secrets in a line, and everything that looks like a secret.

    >>> redact("GET /user/signup/?token=abc123&x=1 for hunter2", ["hunter2"])
    'GET /user/signup/?token=[secret]&x=1 for [secret]'
    """
    for secret in known:
        line = line.replace(secret, "[secret]")
    return SECRETS.sub(lambda match: f"{match['before'] or ''}[secret]", line)
