"""Keeps pulling: every so often, and sooner when Label Studio says that something changed."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from annotation.journal.journal import Journal
from annotation.server.variables import CALLBACK_HOST
from annotation.studio.client import Studio
from annotation.studio.pull import Pulled, pull
from schemas.errors import RunError

SWEEP_EVERY_SECONDS = 600.0
"""How often a full pull looks for deletions."""


def watch(
    journal: Journal, studio: Studio, every: float, tell: Callable[[str], None], rounds: int | None = None
) -> Iterator[Pulled]:
    """What each pull brought, for ever (or ``rounds`` times); the first one is a full one.

    Webhooks only hint: a call that Label Studio does not make, or that comes twice, changes nothing but the moment of
    the next pull. An outage is told and outlasted. ``every``: seconds between pulls.
    """
    with _hints(journal, studio, tell) as hint:
        swept = -SWEEP_EVERY_SECONDS
        while rounds is None or rounds > 0:
            hint.clear()
            sweep = time.monotonic() - swept >= SWEEP_EVERY_SECONDS
            try:
                pulled = pull(journal, studio, sweep=sweep)
            except RunError as error:
                tell(f"{error}; trying again in {every:g} s")
            else:
                swept = time.monotonic() if sweep else swept
                yield pulled
            if rounds is not None:
                rounds -= 1
            if rounds != 0:
                hint.wait(every)


@contextmanager
def _hints(journal: Journal, studio: Studio, tell: Callable[[str], None]) -> Iterator[threading.Event]:
    """An event that is set when Label Studio calls; its calls end with the block."""
    hint = threading.Event()

    class Sink(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            hint.set()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Says nothing: a hint is no news."""

    try:
        sink = ThreadingHTTPServer((CALLBACK_HOST, 0), Sink)
    except OSError as error:
        tell(f"cannot listen on {CALLBACK_HOST} for webhooks ({error.strerror}): looking at fixed times only")
        yield hint
        return
    with sink as server:
        listening = threading.Thread(target=server.serve_forever, daemon=True)
        listening.start()
        hooks = []
        try:
            for project in journal.projects().values():
                hooks.append(studio.add_webhook(project, f"http://{CALLBACK_HOST}:{server.server_address[1]}/"))
        except RunError:
            tell("Label Studio takes no webhooks from here: looking at fixed times only")
        try:
            yield hint
        finally:
            for hook in hooks:
                try:
                    studio.remove_webhook(hook)
                except RunError:  # gone, or out of reach: Label Studio gives up on what nobody answers
                    continue
            server.shutdown()
            listening.join()
