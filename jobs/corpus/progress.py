"""Shows the progress of a run: as bars, as lines for a log, or as JSON for a program.

Writing progress to a closed terminal is not an error.
"""

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bars

from curation.engine.driver import Watch
from curation.engine.tally import Tally
from curation.release.folder import Folder
from jobs.consoles import console
from jobs.options import ProgressStyle
from jobs.terminal import say
from schemas.errors import RunError, UserError
from schemas.sizes import readable

EVERY_SECONDS = {"bars": 0.5, "lines": 10.0, "json": 1.0}
LOOKING_SHARE = 0.1
"""At most this share of the time is spent reading the state of the output folder."""
SHOWN_REASONS = 2


def watcher(style: ProgressStyle) -> Watch | None:
    """The function that shows a run's progress; ``auto`` means bars on a terminal and lines elsewhere."""
    if style == "none":
        return None
    if style == "auto":
        style = "bars" if console(err=True).is_terminal else "lines"
    return lambda folder, sizes: Progress(folder, sizes, style)


@contextmanager
def messages_on_stderr(style: ProgressStyle) -> Iterator[None]:
    """Within the block, warnings go to standard error; with ``json`` as events, as does the reason of a failure."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Event() if style == "json" else logging.Formatter("gristmill: %(message)s"))
    logging.basicConfig(handlers=[handler])
    try:
        yield
    except BaseException as error:
        if style == "json":
            say_event("failed", message="interrupted" if isinstance(error, KeyboardInterrupt) else str(error))
            if isinstance(error, (UserError, RunError, KeyboardInterrupt)):
                sys.exit(2 if isinstance(error, UserError) else 1)
        raise


class _Event(logging.Formatter):
    """Formats a log record as a JSON event, named by the record's ``event``, else ``warning``."""

    def format(self, record: logging.LogRecord) -> str:
        return _event(getattr(record, "event", "warning"), message=record.getMessage())


def warn(message: str, style: ProgressStyle) -> None:
    if style == "json":
        say_event("warning", message=message)
    else:
        _say(f"gristmill: warning: {message}")


def say_event(event: str, **values: object) -> None:
    _say(_event(event, **values))


def _event(event: str, **values: object) -> str:
    return json.dumps({"event": event, **values})


def _say(line: str) -> None:
    """Prints a line to standard error; does nothing if that is closed."""
    if sys.stderr is not None:
        with suppress(OSError):
            say(line, err=True)


class Progress:
    """Shows the progress of a run on standard error within the block."""

    def __init__(self, folder: Folder, sizes: Sequence[int | None], style: ProgressStyle = "lines"):
        self.tally = Tally(folder, sizes)
        self.style = style
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Progress":
        self._started = time.monotonic()
        self.tally.update(0.0)
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._stopped.set()
        self._thread.join()
        if self.style == "json":
            self.tally.update(self._seconds)
            self._json("finished" if error is None else "progress")

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _watch(self) -> None:
        if self.style == "bars":
            self._bars()
        else:
            self._until_stopped(self._line if self.style == "lines" else lambda: self._json("progress"))

    def _until_stopped(self, show: Callable[[], None]) -> None:
        wait = EVERY_SECONDS[self.style]
        while not self._stopped.wait(wait):
            looked = time.monotonic()
            self.tally.update(self._seconds)
            wait = max(EVERY_SECONDS[self.style], (time.monotonic() - looked) / LOOKING_SHARE)
            show()

    def _bars(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TextColumn("{task.fields[said]}"))
        with Bars(*columns, console=console(err=True), transient=True) as bars:
            read = bars.add_task("read", total=1.0, said="")
            written = bars.add_task("written", total=self.tally.units or 1, said="")

            def show() -> None:
                tally = self.tally
                bars.update(
                    read,
                    completed=tally.done_reading,
                    said=", ".join(filter(None, (_rate(tally, self._seconds), _left(tally, self._seconds)))),
                )
                bars.update(written, completed=len(tally.written), said=_documents(tally))

            self._until_stopped(show)

    def _line(self) -> None:
        tally, rate = self.tally, _rate(self.tally, self._seconds)
        _say(
            f"gristmill: {len(tally.read)}/{tally.units} units read{f' at {rate}' if rate else ''}, "
            f"{len(tally.written)}/{tally.units} written, {_left(tally, self._seconds)}; {_documents(tally)}"
        )

    def _json(self, event: str) -> None:
        _say(json.dumps(self.tally.to_json(event, self._seconds)))


def _rate(tally: Tally, seconds: float) -> str:
    rate = tally.rate(seconds)
    return "" if rate is None else f"{readable(rate)}/s"


def _left(tally: Tally, seconds: float) -> str:
    left = tally.seconds_left(seconds)
    if left is None:
        return "time left unknown"
    return f"about {left:.0f} s left" if left < 120 else f"about {left / 60:.0f} min left"


def _documents(tally: Tally) -> str:
    """The number of documents read, and the most frequent reasons of rejection."""
    documents, rejects = tally.ledger.total("read")[0], tally.rejects()
    shown = [f"{count / documents:.0%} {reason}" for reason, count in list(rejects.items())[:SHOWN_REASONS]]
    return f"{documents:,} documents" + (f" (rejected: {', '.join(shown)})" if shown else "")
