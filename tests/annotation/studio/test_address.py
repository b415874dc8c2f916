"""Addresses of servers: a Label Studio below a path of its host works, and any other server is named as such."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from annotation.server.connection import Connection
from annotation.studio.client import Studio
from schemas.errors import UserError
from tests.annotation import parts

Answer = Callable[[BaseHTTPRequestHandler, bytes], tuple[int, str, bytes]]
BELOW = "/labels/studio"


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    """The address of a server that gives these answers: status, type of content (or place of a redirect), content."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, kind, content = answer(self, self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            self.send_response(code)
            self.send_header("Location" if code == 302 else "Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.mark.parametrize(
    "answer",
    [(200, "text/html", b"<p>rye</p>"), (404, "text/html", b""), (302, "/", b""), (200, "application/json", b"[1]")],
    ids=["a page", "nothing", "a circle", "JSON"],
)
def test_what_is_no_label_studio_is_one_sentence(answer: tuple[int, str, bytes]) -> None:
    with (
        server(lambda *_: answer) as url,
        Studio(Connection(url, "token", url)) as studio,
        pytest.raises(UserError, match=f"^{url} is not the address of a Label Studio: set GRISTMILL_STUDIO_URL"),
    ):
        studio.check_address()


@pytest.mark.parametrize("code", [401, 403, 502])
def test_a_server_that_does_not_say_what_it_is_may_be_one(code: int) -> None:
    with server(lambda *_: (code, "text/html", b"")) as url, Studio(Connection(url, "token", url)) as studio:
        studio.check_address()


def test_a_server_below_a_path_of_its_host_is_used_there(studio: parts.Studio) -> None:
    def forward(request: BaseHTTPRequestHandler, content: bytes) -> tuple[int, str, bytes]:
        if not request.path.startswith(f"{BELOW}/"):
            return 404, "text/html", b"another site"
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if request.headers[name]}
        inner = studio.connection.url + request.path.removeprefix(BELOW)
        found = httpx.request(request.command, inner, content=content, headers=headers)
        return found.status_code, found.headers["Content-Type"], found.content

    with server(forward) as url:
        with Studio(Connection(url + BELOW, studio.connection.token, url + BELOW)) as below:
            below.check_address()
            assert below.whoami() == studio.admin_email
        with Studio(Connection(url, studio.connection.token, url)) as above, pytest.raises(UserError):
            above.check_address()
