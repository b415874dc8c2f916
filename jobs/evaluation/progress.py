"""Shows the progress of a judge on standard error: requests, rate, time left and cost so far."""

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bars

from annotation.evaluation.asking import Progress, Show
from annotation.evaluation.spending import Prices
from jobs.consoles import console
from jobs.options import ProgressStyle
from jobs.terminal import say

LINE_EVERY_SECONDS = {"lines": 10.0, "json": 1.0}
BEAT_SECONDS = 1.0
"""How often the progress is shown again while no answer arrives."""


@asynccontextmanager
async def beating(show: Show) -> AsyncIterator[Show]:
    """A function that shows progress as ``show`` does; within the block the newest is shown again and again, so that a
    run that waits does not look like one that hangs."""
    newest: list[Progress] = []

    def keep(progress: Progress) -> None:
        newest[:] = [progress]
        show(progress)

    async def beat() -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            for progress in newest:
                show(progress)

    task = asyncio.create_task(beat())
    try:
        yield keep
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@contextmanager
def showing(style: ProgressStyle, prices: Prices, held: Callable[[], float]) -> Iterator[Show]:
    """The function that shows the progress of a run within the block; ``auto`` means a bar on a terminal and lines
    elsewhere. ``held`` gives the seconds for which no request is sent, as the endpoint asks."""
    started = time.monotonic()
    if style == "auto":
        style = "bars" if console(err=True).is_terminal else "lines"
    if style == "bars":
        columns = (TextColumn("judging"), BarColumn(bar_width=20), TextColumn("{task.fields[said]}"))
        with Bars(*columns, console=console(err=True), transient=True) as bars:
            task = bars.add_task("", total=None, said="")

            def show_bar(progress: Progress) -> None:
                said = describe(progress, time.monotonic() - started, prices, held())
                bars.update(task, completed=progress.kept, total=progress.total, said=said)

            yield show_bar
        return
    last, newest = started, None

    def show_line(progress: Progress) -> None:
        nonlocal last, newest
        now, newest = time.monotonic(), progress
        if style != "none" and now - last >= LINE_EVERY_SECONDS[style]:
            last = now
            if style == "json":
                say(as_json(progress, now - started, prices, held=held()), err=True)
            else:
                say(describe(progress, now - started, prices, held()), err=True)

    yield show_line
    if style == "json" and newest is not None:
        say(as_json(newest, time.monotonic() - started, prices, "finished"), err=True)


def describe(progress: Progress, seconds: float, prices: Prices, held: float = 0.0) -> str:
    """The progress after so many seconds, on one line.

    >>> describe(Progress(total=400, before=100, answered=100), 60.0, Prices())
    '200 of 400 requests, 100/min, about 120 s left, 0 tokens'
    >>> describe(Progress(total=400, failed=8), 60.0, Prices())
    '0 of 400 requests, 8 failed, 0 tokens'
    >>> describe(Progress(total=400), 60.0, Prices(), 239.2)
    '0 of 400 requests, waiting 240 s as the endpoint asks, 0 tokens'
    """
    parts = [f"{progress.kept:,} of {progress.total:,} requests"]
    if progress.answered and seconds > 0:
        left = (progress.total - progress.kept - progress.failed) * seconds / progress.answered
        parts += [f"{60 * progress.answered / seconds:,.0f}/min", f"about {left:,.0f} s left"]
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    if held > 0:
        parts.append(f"waiting {math.ceil(held):,} s as the endpoint asks")
    parts.append(f"{progress.spent.total:,.0f} tokens")
    if prices != Prices():
        parts.append(f"cost {prices.cost(progress.spent):,.2f}")
    return ", ".join(parts)


def as_json(progress: Progress, seconds: float, prices: Prices, event: str = "progress", held: float = 0.0) -> str:
    """The progress as a JSON object."""
    values = {
        "event": event,
        "requests": progress.total,
        "before": progress.before,
        "answered": progress.answered,
        "failed": progress.failed,
        "repeated": progress.repeated,
        "tokens": round(progress.spent.total),
        "cost": round(prices.cost(progress.spent), 6),
        "seconds": round(seconds, 1),
        "waiting": round(held, 1),
    }
    return json.dumps(values)
