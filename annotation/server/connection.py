"""Finds the Label Studio that the commands use, and the token for it."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from annotation.server.home import Home
from annotation.server.process import is_alive
from schemas.errors import UserError

URL = "GRISTMILL_STUDIO_URL"
TOKEN = "GRISTMILL_STUDIO_TOKEN"  # the variable's name


@dataclass(frozen=True)
class Connection:
    """Label Studio's URL for administrators, a personal access token, and the URL for annotators, which is the gate's
    if the server has a gate."""

    url: str
    token: str = field(repr=False)
    public_url: str


def connection(home: Path) -> Connection:
    """The server that the environment names, else the embedded server of ``home``.

    Raises UserError if only one of the two variables is set, if a variable is invalid, or if the embedded server does
    not run.
    """
    url, token = os.environ.get(URL, "").strip(), os.environ.get(TOKEN, "").strip()
    if url or token:
        return _check_named(url, token)
    studio = Home(home)
    server, admin = studio.server, studio.admin
    if admin is None or admin.token is None or server.process is None or not is_alive(server.process):
        raise UserError(f"no Label Studio runs in {home}: run `gristmill studio start`, or set {URL} and {TOKEN}")
    return Connection(server.inner_url, admin.token, server.public_url or server.url)


def _check_named(url: str, token: str) -> Connection:
    if not url or not token:
        given, missing = (URL, TOKEN) if url else (TOKEN, URL)
        raise UserError(f"{given} is set and {missing} is not: set both to use a server of your own, or neither")
    if "@" in url:  # checked first, because the next message repeats the URL and no message may show a password
        raise UserError(f"{URL} holds an @: leave out name and password, the token is enough")
    if not _is_url(url):
        raise UserError(f"{URL} is {url!r}, which is not a valid URL: give a URL such as https://labels.example.org")
    if not re.fullmatch("[!-~]+", token):
        raise UserError(f"{TOKEN} is not a token: it contains blanks or characters beyond ASCII; copy it again")
    return Connection(url.rstrip("/"), token, url.rstrip("/"))


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")  # raises for a part that is empty or too long
        complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return complete and url.isprintable() and " " not in url
