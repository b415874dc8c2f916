"""Which Label Studio the commands talk to, and by which token."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from annotation.server.home import Home
from annotation.server.process import alive
from schemas.errors import UserError

URL = "GRISTMILL_STUDIO_URL"
TOKEN = "GRISTMILL_STUDIO_TOKEN"  # the variable's name


@dataclass(frozen=True)
class Connection:
    """A server: where this machine reaches it, the personal access token, and where annotators reach it."""

    url: str
    token: str = field(repr=False)
    public_url: str


def connection(home: Path) -> Connection:
    """The server that the environment names (both variables, or neither), else the embedded one of ``home``.

    Raises UserError where only one variable is set, or where the embedded server does not run.
    """
    url, token = os.environ.get(URL, "").strip(), os.environ.get(TOKEN, "").strip()
    if url or token:
        return _check_named(url, token)
    studio = Home(home)
    server, admin = studio.server, studio.admin
    if admin is None or admin.token is None or server.process is None or not alive(server.process):
        raise UserError(f"no Label Studio runs in {home}: run `gristmill studio start`, or set {URL} and {TOKEN}")
    return Connection(server.url, admin.token, server.public_url or server.url)


def _check_named(url: str, token: str) -> Connection:
    if not url or not token:
        given, missing = (URL, TOKEN) if url else (TOKEN, URL)
        raise UserError(f"{given} is set and {missing} is not: set both to use a server of your own, or neither")
    if "@" in url:  # whatever else is wrong with it: no message may repeat a password
        raise UserError(f"{URL} holds an @: leave out name and password, the token is enough")
    if not _is_address(url):
        raise UserError(f"{URL} is {url!r}, which is no address: give it like https://labels.example.org")
    if not re.fullmatch("[!-~]+", token):
        raise UserError(f"{TOKEN} is no token: it holds blanks or letters beyond ASCII; copy it again")
    return Connection(url.rstrip("/"), token, url.rstrip("/"))


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")  # which raises for an empty part, and one that is too long
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return whole and url.isprintable() and " " not in url
