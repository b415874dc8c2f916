"""Progress of a run, from the reports that finished units leave in the folder: the same on every runner."""

import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from curation.folder import WORK, Folder

EVERY_SECONDS = 0.5
LINE_EVERY_SECONDS = 10.0


class Progress:
    """Watches a run for the length of a block: bars on a terminal, a plain line every ten seconds otherwise."""

    def __init__(self, folder: Folder, sizes: Sequence[int]):
        self.folder = folder
        self.units = len(sizes)
        self.sizes = sizes
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Progress":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        console = Console(stderr=True)
        if console.is_terminal:
            self._bars(console)
        else:
            self._lines()

    def _done(self, kind: str) -> list[int]:
        names = self.folder.names(f"{WORK}/{kind}-*.json")
        return [int(name.rsplit("-", 1)[1].removesuffix(".json")) for name in names]

    def _bars(self, console: Console) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        with Bars(*columns, console=console, transient=True) as bars:
            read = bars.add_task("reading and judging", total=sum(self.sizes) or 1, rate="")
            written = bars.add_task("writing", total=self.units, rate="")
            started = time.monotonic()
            while not self._stopped.wait(EVERY_SECONDS):
                size, seconds = sum(self.sizes[unit] for unit in self._done("judged")), time.monotonic() - started
                bars.update(read, completed=size, rate=f"{size / 1e6 / seconds:.1f} MB/s")
                done = len(self._done("written"))
                bars.update(written, completed=done, rate=f"{done}/{self.units} units")

    def _lines(self) -> None:
        started = last = time.monotonic()
        while not self._stopped.wait(EVERY_SECONDS):
            now = time.monotonic()
            if now - last < LINE_EVERY_SECONDS:
                continue
            last = now
            judged, written = self._done("judged"), self._done("written")
            size = sum(self.sizes[unit] for unit in judged)
            rate = size / (now - started)
            left = (
                f"{(sum(self.sizes) - size) / rate:.0f} s left to read"
                if rate and len(judged) < self.units
                else "finishing"
            )
            print(
                f"gristmill: {len(judged)}/{self.units} units read, {size / 1e6:.0f} MB at {rate / 1e6:.1f} MB/s, "
                f"{len(written)} written, {left}",
                file=sys.stderr,
                flush=True,
            )
