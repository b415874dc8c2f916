"""How long 50 people who label at once wait, for each kind of database: ``python -m tests.benchmarks.team``."""

import random
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console
from rich.table import Table

from annotation.server.lifecycle import start, stop
from tests.annotation.ports import free_port
from tests.annotation.postgresql import new_home, postgresql
from tests.annotation.team import in_journal, share_out, work, worst

PEOPLE, PAIRS_EACH = 50, 8
THINKING = (2.0, 10.0)
"""The fewest and most seconds between a task and its vote: quicker than people are."""

Row = tuple[str, str, str]


def main() -> None:
    table = Table("work", "measured", "asked", title="A team", title_justify="left")
    with tempfile.TemporaryDirectory() as work_folder:
        for row in bars(Path(work_folder)):
            table.add_row(*row)
    Console().print(table)


def bars(path: Path) -> Iterator[Row]:
    for name, database in (("SQLite", nullcontext(None)), ("PostgreSQL", postgresql())):
        with database as url:
            yield from waits(path / name, name, url)


def waits(path: Path, name: str, url: str | None) -> Iterator[Row]:
    path.mkdir(parents=True)
    home = new_home(path / "studio").root
    try:
        connection = start(home, free_port(), None, lambda _: None, url)
        folder = share_out(path / "mill", connection, PEOPLE, PAIRS_EACH)
        draw = random.Random(16)
        tally = work(None if url else home, connection, folder, lambda: draw.uniform(*THINKING))
    finally:
        stop(home)
    assert sorted(in_journal(folder)) == sorted(tally.accepted)
    yield f"{PEOPLE} people, {name}: submit, 95th percentile", f"{worst(tally.submit):.2f} s", "1 s"
    yield f"{PEOPLE} people, {name}: next task, 95th percentile", f"{worst(tally.next):.2f} s", "2 s"
    yield f"{PEOPLE} people, {name}: errors of {len(tally.submit) + len(tally.next)}", str(len(tally.failures)), "0"


if __name__ == "__main__":
    main()
