"""A scripted endpoint: a real HTTP server on loopback that speaks OpenAI's chat completions, and plays faults."""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "judge-1"


@dataclass
class Play:
    """What the endpoint does with a request: a response, of which only ``sent`` bytes are sent before the connection
    ends, or ``hang``: it waits until the client leaves."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    sent: int | None = None
    hang: bool = False
    after: Callable[[], None] = lambda: None


def says(content: str | None, finish: str | None = "stop", *, model: str = MODEL, **message: Any) -> Play:
    """A chat completion with that text."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    return Play(json.dumps({"id": "x", "model": model, "choices": [choice], "usage": usage}).encode())


def fails(status: int, message: str = "no", code: str | None = None, **headers: str) -> Play:
    """An error as OpenAI writes it; ``headers`` with _ for -."""
    body = json.dumps({"error": {"message": message, "code": code, "type": "error"}}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Play(body, status, {"Content-Type": "application/json", **named})


Script = Callable[[dict[str, Any], int], Play]
"""What to do with the body of a request; the number counts the requests from 1."""


@dataclass
class Server:
    """A running endpoint, and the requests that it received: the bodies, and the headers."""

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextmanager
def endpoint(script: Script) -> Iterator[Server]:
    """Serves the script on a free port of loopback within the block."""
    lock, ended = threading.Lock(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                served.requests.append(body)
                served.headers.append(dict(self.headers))
                served.paths.append(self.path)
                number = len(served.requests)
            self._play(script(body, number))

        def _play(self, play: Play) -> None:
            if play.hang:
                ended.wait(60)
                self.close_connection = True
                return
            self.send_response(play.status)
            for name, value in play.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(play.body)))
            self.end_headers()
            self.wfile.write(play.body if play.sent is None else play.body[: play.sent])
            self.wfile.flush()
            self.close_connection = self.close_connection or play.sent is not None
            play.after()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, address: Any) -> None:
            pass  # a client that was killed leaves in the middle

    httpd = Quiet(("127.0.0.1", 0), Handler)
    served = Server(f"http://127.0.0.1:{httpd.server_address[1]}/v1")
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        ended.set()
        httpd.shutdown()
        httpd.server_close()
        thread.join()


@dataclass(frozen=True)
class Shown:
    """What a request of the template ``pairwise`` shows the judge."""

    key: str
    first: str
    second: str


def shown(body: Mapping[str, Any]) -> Shown:
    """Reads a request as a judge does who trusts nothing but the tags with the code of the system message."""
    [system, user] = [message["content"] for message in body["messages"]]
    found = re.search(r"carry the code ([0-9a-f]{8})\.", system)
    assert found
    key = found[1]
    texts = []
    for name in ("response_a", "response_b"):
        [text] = re.findall(rf"<{name} {key}>\n(.*?)\n</{name} {key}>", user, re.DOTALL)
        texts.append(text)
    return Shown(key, *texts)


def quality(text: str) -> int:
    """The quality that a response of these tests states, as the first number in braces-free words ``quality N``."""
    found = re.search(r"quality (\d+)", text)
    return int(found[1]) if found else 0


def prefers_quality(body: Mapping[str, Any], number: int = 0) -> Play:
    """A judge that quotes both responses in its reasoning, then prefers the one of higher quality."""
    seen = shown(body)
    one, other = quality(seen.first), quality(seen.second)
    verdict = "tie" if one == other else "A" if one > other else "B"
    return says(f"A says:\n{seen.first}\nB says:\n{seen.second}\nSo:\nverdict {seen.key}: {verdict}")
