"""Pulls repeatedly: at regular times, and sooner when Label Studio reports a change."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from annotation.journal.journal import Journal
from annotation.server.variables import CALLBACK_HOST
from annotation.studio.client import Studio
from annotation.studio.pull import Pulled, pull
from schemas.errors import RunError

SWEEP_EVERY_SECONDS = 600.0
"""Seconds between full pulls, which also find deletions."""


def watch(
    journal: Journal, studio: Studio, every: float, tell: Callable[[str], None], rounds: int | None = None
) -> Iterator[Pulled]:
    """Pulls for ever, or ``rounds`` times, and yields what each pull copied. The first pull is a full one.

    A webhook only makes the next pull earlier: a missing or repeated call does no harm. During an outage, ``tell``
    receives the error and the pulls continue. ``every`` is the number of seconds between pulls.
    """
    with _receive_hints(journal, studio, tell) as hint:
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
def _receive_hints(journal: Journal, studio: Studio, tell: Callable[[str], None]) -> Iterator[threading.Event]:
    """An event that is set when Label Studio calls a webhook. The webhooks are removed at the end of the block."""
    hint = threading.Event()

    class Sink(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            hint.set()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Does not log the requests."""

    try:
        sink = ThreadingHTTPServer((CALLBACK_HOST, 0), Sink)
    except OSError as error:
        tell(f"cannot listen on {CALLBACK_HOST} for webhooks ({error.strerror}): pulling at fixed times only")
        yield hint
        return
    with sink:
        listening = threading.Thread(target=sink.serve_forever, daemon=True)
        listening.start()
        hooks = []
        try:
            for project in journal.cache.projects().values():
                hooks.append(studio.add_webhook(project, f"http://{CALLBACK_HOST}:{sink.server_address[1]}/"))
        except RunError:
            tell("Label Studio accepts no webhooks from this machine: pulling at fixed times only")
        try:
            yield hint
        finally:
            for hook in hooks:
                with suppress(RunError):  # Label Studio stops calling webhooks that do not answer
                    studio.remove_webhook(hook)
            sink.shutdown()
            listening.join()
