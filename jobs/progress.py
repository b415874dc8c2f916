"""Shows how far a run is, while it runs: as bars, as lines for a log, or as JSON for a program."""

import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Literal, get_args

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bars

from curation.driver import Watch
from curation.folder import Folder
from jobs.tally import Tally

How = Literal["auto", "bars", "lines", "json", "none"]
CHOICES: tuple[str, ...] = get_args(How)
EVERY_SECONDS = {"bars": 0.5, "lines": 10.0, "json": 1.0}
LOOKING_SHARE = 0.1
"""At most this share of the time is spent on looking at what is in the folder."""
SHOWN_REASONS = 2


def watcher(how: How) -> Watch | None:
    """What watches a run; ``auto`` are bars on a terminal and lines otherwise."""
    if how == "none":
        return None
    if how == "auto":
        how = "bars" if Console(stderr=True).is_terminal else "lines"
    return lambda folder, sizes: Progress(folder, sizes, how)


class Progress:
    """Watches a run for the length of a block, on standard error."""

    def __init__(self, folder: Folder, sizes: Sequence[int], how: How = "lines"):
        self.tally = Tally(folder, sizes)
        self.how = how
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Progress":
        self._started = time.monotonic()
        self.tally.look()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()
        if self.how == "json":
            self.tally.look()
            self._json("finished" if error is None else "failed")

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _watch(self) -> None:
        if self.how == "bars":
            self._bars()
        else:
            self._until_stopped(self._line if self.how == "lines" else lambda: self._json("progress"))

    def _until_stopped(self, show: Callable[[], None]) -> None:
        wait = EVERY_SECONDS[self.how]
        while not self._stopped.wait(wait):
            looked = time.monotonic()
            self.tally.look()
            wait = max(EVERY_SECONDS[self.how], (time.monotonic() - looked) / LOOKING_SHARE)
            show()

    def _bars(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TextColumn("{task.fields[said]}"))
        with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
            read = bars.add_task("read", total=sum(self.tally.sizes) or 1, said="")
            written = bars.add_task("written", total=self.tally.units or 1, said="")

            def show() -> None:
                tally = self.tally
                bars.update(
                    read,
                    completed=tally.bytes,
                    said=f"{tally.rate(self._seconds) / 1e6:.1f} MB/s, {_left(tally, self._seconds)}",
                )
                bars.update(written, completed=len(tally.written), said=_documents(tally))

            self._until_stopped(show)

    def _line(self) -> None:
        tally = self.tally
        print(
            f"gristmill: {len(tally.read)}/{tally.units} units read at {tally.rate(self._seconds) / 1e6:.1f} MB/s, "
            f"{len(tally.written)}/{tally.units} written, {_left(tally, self._seconds)}; {_documents(tally)}",
            file=sys.stderr,
            flush=True,
        )

    def _json(self, event: str) -> None:
        print(json.dumps(self.tally.to_json(event, self._seconds)), file=sys.stderr, flush=True)


def _left(tally: Tally, seconds: float) -> str:
    left = tally.seconds_left(seconds)
    if left is None:
        return "time left unknown"
    return f"about {left:.0f} s left" if left < 120 else f"about {left / 60:.0f} min left"


def _documents(tally: Tally) -> str:
    """How many documents were read, and what most of those that went were removed for."""
    documents, rejects = tally.ledger.total("read")[0], tally.rejects()
    shown = [f"{count / documents:.0%} {reason}" for reason, count in list(rejects.items())[:SHOWN_REASONS]]
    return f"{documents:,} documents" + (f" (rejected: {', '.join(shown)})" if shown else "")
