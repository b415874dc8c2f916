"""A proxy in front of a real Label Studio that does what networks do, in an order that its seed decides."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

FAULTS: Mapping[str, float] = {
    "refuse": 0.03,  # cut before the server hears of it
    "lose": 0.03,  # cut after the server has done it
    "truncate": 0.02,  # the answer ends in the middle
    "error": 0.03,  # 500
    "page": 0.02,  # 200, and a page of HTML
    "repeat": 0.04,  # the server hears it twice
    "stale": 0.02,  # an answer to the same question from before, if there was one
    "delay": 0.03,
}
"""How often each happens, a share of the requests."""

PAGE = b"<!doctype html><title>maintenance</title>The mill is closed."
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host", "date", "server"}


@dataclass
class Faults:
    """What the proxy does: ``happened`` counts it; ``watch`` is told (request number, "before" or "after")."""

    url: str
    shares: Mapping[str, float]
    draw: random.Random
    watch: Callable[[int, str], None] = lambda number, moment: None
    happened: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> tuple[int, str]:
        with self.lock:
            self.requests += 1
            [fault] = self.draw.choices([*self.shares, "none"], [*self.shares.values(), 1 - sum(self.shares.values())])
            self.happened[fault] += 1
            return self.requests, fault


@contextmanager
def faulty(server: str, seed: int, shares: Mapping[str, float] = FAULTS) -> Iterator[Faults]:
    """A proxy on a port of its own before ``server``."""
    faults = Faults("", shares, random.Random(seed))
    client = httpx.Client(base_url=server, timeout=120, trust_env=False)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            number, fault = faults.next()
            faults.watch(number, "before")
            if fault == "refuse":
                return self.cut()
            if fault == "error":
                return self.answer(500, {"Content-Type": "application/json"}, b'{"detail": "out of flour"}')
            if fault == "page":
                return self.answer(200, {"Content-Type": "text/html"}, PAGE)
            if fault == "delay":
                threading.Event().wait(0.2)
            got = self.forward(body)
            if fault == "repeat":
                got = self.forward(body)
            question = f"{self.command} {self.path}"
            if self.command == "GET":
                with faults.lock:
                    before = faults.answers.get(question, got)
                    faults.answers[question] = got
                got = before if fault == "stale" else got
            faults.watch(number, "after")
            if fault == "lose":
                return self.cut()
            return self.answer(*got, cut_at=len(got[2]) // 2 if fault == "truncate" else None)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any  # noqa: N815

        def forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
            got = client.request(self.command, self.path, headers=headers, content=body)
            return got.status_code, {k: v for k, v in got.headers.items() if k.lower() not in HOP}, got.content

        def answer(self, status: int, headers: Mapping[str, str], body: bytes, cut_at: int | None = None) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if cut_at is None else body[:cut_at])
            if cut_at is not None:
                self.cut()

        def cut(self) -> None:
            self.close_connection = True

        def log_message(self, *arguments: Any) -> None:
            """Says nothing."""

        def handle(self) -> None:
            try:
                super().handle()
            except (ConnectionError, BrokenPipeError):
                self.cut()  # the client was killed

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as proxy:
        proxy.daemon_threads = True
        faults.url = f"http://127.0.0.1:{proxy.server_address[1]}"
        listening = threading.Thread(target=proxy.serve_forever, daemon=True)
        listening.start()
        try:
            yield faults
        finally:
            proxy.shutdown()
            listening.join()
            client.close()
