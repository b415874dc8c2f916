"""Serves the pages of ``gristmill look`` to the browsers of this machine that know a secret address."""

import hmac
import html
import secrets
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from jobs.corpus.look_pages import Pages, is_number
from jobs.corpus.look_tables import Place
from schemas.errors import UserError

LOOPBACK = "127.0.0.1"
SILENT_SECONDS = 60
"""How long a client may leave a request unfinished."""
MOST_FIELDS = 20
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of every answer: no script can run, and no other site can show or keep a page."""
_BEFORE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,"><title>gristmill look</title>'
    "<style>body { font: 16px/1.5 system-ui, sans-serif; margin: 36px 24px; overflow-wrap: anywhere }</style>"
)
"""How a page of one sentence begins, in the colours of the browser."""


class LookServer(ThreadingHTTPServer):
    """Listens on the loopback interface only; ``address`` is the first page's, with a new token in its path.

    Raises OSError if the port is in use. Port 0 is any free port.
    """

    daemon_threads = True

    def __init__(self, pages: Pages, port: int = 0):
        super().__init__((LOOPBACK, port), _Handler)
        self.pages = pages
        self.token = secrets.token_urlsafe(24)
        self.names = {f"{name}:{self.server_port}" for name in (LOOPBACK, "localhost")}

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that leaves before its answer is complete is no error."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server_version, sys_version = "gristmill", ""
    timeout = SILENT_SECONDS

    def do_GET(self) -> None:
        self._answer(*self._respond())

    def _respond(self) -> tuple[int, str]:
        """The status and the page. Another site whose name leads to this machine is recognised by the Host header."""
        server = cast(LookServer, self.server)
        if len(hosts := self.headers.get_all("Host", [])) != 1 or hosts[0].lower() not in server.names:
            return 403, _message("This page is served only under its own address.")
        address = urlsplit(self.path)
        token, *path = address.path.removeprefix("/").split("/")
        if not hmac.compare_digest(token.encode(), server.token.encode()):
            return 403, _message("The address lacks its token: open the address that gristmill look printed.")
        try:
            page = _page(server.pages, path, address.query)
        except UserError as error:
            return 400, _message(str(error), _first_page(path))
        return (404, _message("The corpus has no such page.", _first_page(path))) if page is None else (200, page)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answers a request that is no GET of HTTP with the headers of every other answer, and no body for HEAD."""
        self.close_connection = True
        phrase = HTTPStatus(code).phrase
        self._answer(code, _message(f"The request cannot be answered ({phrase}): open the address in a browser."))

    def _answer(self, status: int, page: str) -> None:
        body = page.encode()
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Does not log the requests: their addresses hold the token."""


def _page(pages: Pages, path: list[str], query: str) -> str | None:
    """The page at a path below the token: the list, or ``TABLE/FILE/ROW``; None if there is no such page."""
    match path:
        case [""]:
            return pages.list(_fields(query))
        case ["documents" | "rejects" as table, shard, row] if is_number(shard) and is_number(row):
            return pages.document(table, Place(int(shard), int(row)))
    return None


def _fields(query: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(query, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise UserError("the address has too many fields: begin at the first page") from error


def _first_page(path: list[str]) -> str:
    """The first page as a path relative to a page below the token."""
    return "../" * (len(path) - 1) or "./"


def _message(sentence: str, back: str | None = None) -> str:
    """A page with a sentence and, if there is an address ``back``, a link to it."""
    link = f'<p><a href="{back}">All documents</a></p>' if back else ""
    return f"{_BEFORE}<p>{html.escape(sentence)}</p>{link}</html>"
