"""How long a campaign of 10,000 pairs takes on a real Label Studio: ``python -m tests.benchmarks.campaign``."""

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from annotation.campaign.plan import plan
from annotation.campaign.settings import Campaign, CampaignFolder
from annotation.journal.fold import fold
from annotation.journal.journal import Journal
from annotation.server.accounts import sign_up
from annotation.server.lifecycle import start, stop
from annotation.studio.client import Studio
from annotation.studio.pull import pull
from annotation.studio.push import push
from curation.dedup.near import families
from tests.annotation.campaigns import write_rows
from tests.annotation.labelling import choice, signed_in
from tests.annotation.parts import Account, empty_home
from tests.annotation.ports import free_port

PAIRS = 10_000
CHANGED = 100
COMPARISONS = 100_000
RESPONSE_WORDS = 200
EMAIL = "bench@mill.example"
GRISTMILL = Path(sys.executable).parent / "gristmill"
SETTINGS = (
    'name = "mill"\nprotocol = "preference"\nbatch = "b1"\nresponses = "b1.jsonl"\nannotators = ["%s"]\nvotes = 1\n'
)

Row = tuple[str, str, str]


def main() -> None:
    table = Table("work", "measured", "asked", title="A campaign", title_justify="left")
    with tempfile.TemporaryDirectory() as work:
        for row in bars(Path(work)):
            table.add_row(*row)
    Console().print(table)


def bars(work: Path) -> Iterator[Row]:
    yield from starts(work / "new")
    home = empty_home(work / "studio")
    connection = start(home, free_port(), None, lambda _: None)
    try:
        with Studio(connection) as studio:
            sign_up(connection.url, studio.invite_url(), EMAIL, studio.password(EMAIL))
            yield from pushed_and_pulled(work / "mill", home, studio)
    finally:
        stop(home)
    yield from published(work / "large")


def starts(home: Path) -> Iterator[Row]:
    """From nothing, with the wheels from wherever pip's settings say; and again."""
    words = [GRISTMILL, "studio", "start", "--home", home, "--port", str(free_port())]
    try:
        for name, asked in (("studio start, from nothing", "90 s"), ("studio start, again", "10 s")):
            yield name, taken(lambda: subprocess.run(words, check=True, capture_output=True)), asked
            subprocess.run([GRISTMILL, "studio", "stop", "--home", home], check=True, capture_output=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def pushed_and_pulled(path: Path, home: Path, studio: Studio) -> Iterator[Row]:
    folder = campaign(path, PAIRS)
    with Journal(folder.store, create=True) as journal:
        yield f"plan {PAIRS:,} pairs", taken(lambda: plan(folder, journal, families)), ""
        yield f"push {PAIRS:,} pairs", taken(lambda: push(journal, studio)), "30 s"
        [project] = journal.cache.projects().values()
        label(home, project)
        yield f"full pull of {PAIRS:,} annotations", taken(lambda: pull(journal, studio)), "60 s"
        with signed_in(studio.url, Account(EMAIL, studio.password(EMAIL), 0, "")) as annotator:
            [tasks] = [annotator.tasks(project)]
            for task in random.Random(1).sample(tasks, CHANGED):
                annotator.change(task["annotations"][0]["id"], [choice("preference", "b_slightly_better")])
        before = journal.revision
        yield f"pull of {CHANGED} changed, no sweep", taken(lambda: pull(journal, studio, sweep=False)), "2 s"
        assert journal.revision == before + CHANGED
        yield "pull of nothing, with the sweep", taken(lambda: pull(journal, studio)), ""


def published(path: Path) -> Iterator[Row]:
    """``gristmill dataset build``, the whole command, with the journal read."""
    folder = campaign(path, COMPARISONS)
    with Journal(folder.store, create=True) as journal:
        plan(folder, journal, families)
        label_offline(journal)
    for number in range(2):
        out = path / f"out-{number}"
        words = [GRISTMILL, "dataset", "build", path, "--output", out]
        seconds = taken(lambda words=words: subprocess.run(words, check=True, capture_output=True))  # type: ignore[misc]
        yield f"gristmill dataset build, {COMPARISONS:,} comparisons", seconds, "10 s"


def campaign(path: Path, pairs: int) -> CampaignFolder:
    """A campaign of one annotator; responses are words, drawn."""
    path.mkdir()
    draw = random.Random(1)
    words = [f"{draw.choice('bcdfgklmnprst')}{draw.choice('aeiou')}{draw.choice('bdklmnrst')}{n}" for n in range(3000)]

    def text(count: int) -> str:
        return " ".join(draw.choices(words, k=count))

    rows = (
        {
            "prompt_id": f"p{number}",
            "prompt": text(20) + "?",
            "responses": [{"model": name, "text": f"{text(RESPONSE_WORDS)}."} for name in ("alpha", "beta")],
        }
        for number in range(pairs)
    )
    write_rows(path / "b1.jsonl", rows)
    (path / "guidelines.md").write_text("# Be fair\n", encoding="utf-8")
    (path / "campaign.toml").write_text(SETTINGS % EMAIL, encoding="utf-8")
    made = Campaign(name="mill", protocol="preference", batch="b1", responses="b1.jsonl", annotators=(EMAIL,), votes=1)
    return CampaignFolder(path, made, SETTINGS % EMAIL)


def label(home: Path, project: int) -> None:
    """An answer to every task, written into Label Studio's database: by its API it takes a quarter of an hour."""
    result = json.dumps([choice("preference", "a_better")])
    began = (datetime.now(UTC) - timedelta(hours=2)).replace(tzinfo=None)
    with sqlite3.connect(home / "data" / "label_studio.sqlite3", timeout=60) as db:
        [user] = db.execute("SELECT id FROM htx_user WHERE email = ?", (EMAIL,)).fetchone()
        tasks = [task for (task,) in db.execute("SELECT id FROM task WHERE project_id = ?", (project,))]
        moments = [((began + timedelta(seconds=n / 2)).isoformat(" "), task) for n, task in enumerate(tasks)]
        db.executemany(
            "INSERT INTO task_completion (result, was_cancelled, created_at, updated_at, task_id, prediction,"
            " lead_time, result_count, completed_by_id, ground_truth, project_id, updated_by_id, unique_id,"
            " bulk_created) VALUES (?, 0, ?, ?, ?, '{}', 20.0, 1, ?, 0, ?, ?, ?, 0)",
            ((result, moment, moment, task, user, project, user, f"{task:032x}") for moment, task in moments),
        )
        db.executemany("UPDATE task SET total_annotations = 1, is_labeled = 1, updated_at = ? WHERE id = ?", moments)


def label_offline(journal: Journal) -> None:
    """An answer to every task, written into the journal as a pull would."""
    tasks = fold(journal).tasks
    with journal.writing():
        for number, (uid, shown) in enumerate(zip(tasks["uid"].to_pylist(), tasks["shown"].to_pylist(), strict=True)):
            annotation = {
                "id": number,
                "completed_by": {"id": 1, "email": EMAIL},
                "updated_by": 1,
                "result": [choice("preference", "a_better" if number % 3 else "b_slightly_better")],
                "was_cancelled": False,
                "created_at": "2026-05-04T03:02:00.000001Z",
                "updated_at": "2026-05-04T03:02:20.000001Z",
                "lead_time": 20.0,
            }
            row = {"uid": uid, "shown": shown.hex(), "author": EMAIL, "editor": EMAIL, "project": 1, "task": number}
            body = orjson.dumps({**row, "annotation": annotation}, option=orjson.OPT_SORT_KEYS)
            journal.keep_annotation(f"{uid}/{number}", 1, number, annotation["updated_at"], body)  # type: ignore[arg-type]


def taken(work: Callable[[], object]) -> str:
    started = time.monotonic()
    work()
    return f"{time.monotonic() - started:.1f} s"


if __name__ == "__main__":
    main()
