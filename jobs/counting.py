"""Shows the progress of counted work: on a terminal a bar with rate and time left, elsewhere a line every 10 s."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from jobs.consoles import console
from jobs.terminal import say
from schemas.progress import Tell

LINE_EVERY_SECONDS = 10.0


@contextmanager
def counting(label: str) -> Iterator[Tell]:
    """Gives a function to call with (done, total) as the work advances. A bar is removed at the end."""
    screen = console(err=True)
    if screen.is_terminal:
        rate = TextColumn("{task.fields[rate]}")
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
        with Progress(*columns, console=screen, transient=True) as bars:
            task, started = bars.add_task(label, total=None, rate=""), time.monotonic()

            def show(done: int, total: int) -> None:
                rate = f"{done / max(time.monotonic() - started, 1e-9):,.0f}/s"
                bars.update(task, completed=done, total=total, rate=rate)

            yield show
        return
    started = last = time.monotonic()

    def show_line(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= LINE_EVERY_SECONDS:
            last = now
            seconds = (now - started) / max(done, 1) * (total - done)
            left = f", about {seconds:,.0f} s left" if done < total else ""
            say(f"{label}: {done:,} of {total:,}{left}", err=True)

    yield show_line
