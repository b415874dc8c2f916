"""Where Label Studio keeps its data: in SQLite in the home, or in a PostgreSQL database."""

import re
from urllib.parse import unquote, urlsplit, urlunsplit

from schemas.errors import UserError

SQLITE = "label_studio.sqlite3"
"""The database's file in the data folder."""
PORT = 5432


def check_database(url: str) -> str:
    """The URL of a PostgreSQL database. Raises UserError, without the URL's password, if the URL is invalid."""
    problem = "--database is not the URL of a PostgreSQL database: give postgresql://USER:PASSWORD@HOST:PORT/NAME"
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for an invalid port
    except ValueError as error:
        raise UserError(problem) from error
    plain = parts.username and parts.hostname and re.fullmatch("/[^/]+", parts.path)
    if parts.scheme not in ("postgresql", "postgres") or not plain or parts.query or parts.fragment:
        raise UserError(problem)
    return url


def hide_password(url: str) -> str:
    """The URL as messages show it.

    >>> hide_password("postgresql://mill:flour@127.0.0.1:5433/labels")
    'postgresql://mill@127.0.0.1:5433/labels'
    """
    parts = urlsplit(url)
    user, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{place}"))


def password(url: str) -> str:
    """The password in the URL; empty if the URL has no password."""
    return unquote(urlsplit(url).password or "")


def database_variables(url: str | None) -> dict[str, str]:
    """The environment variables that name Label Studio's database: SQLite if ``url`` is None."""
    if url is None:
        return {"DJANGO_DB": "sqlite"}
    parts = urlsplit(url)
    return {
        "DJANGO_DB": "postgresql",
        "POSTGRE_USER": unquote(parts.username or ""),
        "POSTGRE_PASSWORD": password(url),
        "POSTGRE_HOST": parts.hostname or "",
        "POSTGRE_PORT": str(parts.port or PORT),
        "POSTGRE_NAME": unquote(parts.path[1:]),
    }
