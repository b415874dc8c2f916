"""A team that labels at once through the gate, while its data lead pulls and backs up; and how long they all wait."""

import asyncio
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from annotation.campaign.plan import plan
from annotation.campaign.settings import CampaignFolder
from annotation.journal.journal import Journal
from annotation.server.backup import backup
from annotation.server.connection import Connection
from annotation.studio.client import Studio
from annotation.studio.people import invite
from annotation.studio.pull import pull
from annotation.studio.push import push
from curation.dedup.near import families
from tests.annotation.campaigns import campaign, prompts, write_rows
from tests.annotation.labelling import opinion

SIGN_INS = 4
"""At the same time."""


@dataclass
class Tally:
    """What a team noticed: seconds for each answer, and the numbers of the annotations that were accepted."""

    progress: list[float] = field(default_factory=list)
    next: list[float] = field(default_factory=list)
    submit: list[float] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def check(self, kind: list[float], began: float, answer: httpx.Response) -> Any:
        """The answer's JSON; None for a failure, which is noted."""
        kind.append(time.monotonic() - began)
        if answer.is_success:
            return answer.json()
        self.failures.append(f"{answer.status_code} {answer.request.method} {answer.url.path}")
        return None


def share_out(path: Path, connection: Connection, people: int, pairs_each: int) -> CampaignFolder:
    """A campaign with so many annotators, who have accounts and tasks."""
    path.mkdir()
    write_rows(path / "b1.jsonl", prompts(range(people * pairs_each)))
    emails = tuple(f"team{number}@mill.example" for number in range(people))
    folder = campaign(path, annotators=emails, votes=1)
    with Journal(folder.store, create=True) as journal, Studio(connection) as studio:
        plan(folder, journal, families)
        push(journal, studio)
        list(invite(journal, studio, emails))
    return folder


def work(home: Path | None, connection: Connection, folder: CampaignFolder, think: Callable[[], float]) -> Tally:
    """Everybody labels all their tasks; meanwhile two pulls and a backup run. ``think`` gives seconds before a vote.

    With ``home`` None no backup is made.
    """
    tally = Tally()
    with ThreadPoolExecutor(1) as thread:  # a browser's tests leave an event loop in this thread
        thread.submit(asyncio.run, _work(home, connection, folder, think, tally)).result()
    _pull(connection, folder)
    return tally


def in_journal(folder: CampaignFolder) -> list[int]:
    """The numbers of the annotations that the journal holds."""
    with Journal(folder.store) as journal:
        lists = [journal.live_annotations(project).values() for project in journal.cache.projects().values()]
        return [int(key.rpartition("/")[2]) for keys in lists for each in keys for key in each]


def worst(seconds: list[float], share: float = 0.95) -> float:
    """The seconds within which this share of the answers came."""
    return sorted(seconds)[int(len(seconds) * share)]


async def _work(
    home: Path | None, connection: Connection, folder: CampaignFolder, think: Callable[[], float], tally: Tally
) -> None:
    with Journal(folder.store) as journal, Studio(connection) as studio:
        numbers = {place.annotator.rpartition("/")[2]: project for place, project in journal.cache.projects().items()}
        people = [
            (email, studio.password(email), numbers[f"a{number}"])
            for number, email in enumerate(folder.campaign.annotators, 1)
        ]
    at_once, ready = asyncio.Semaphore(SIGN_INS), asyncio.Barrier(len(people) + 1)
    async with asyncio.TaskGroup() as group:
        for number, (email, password, project) in enumerate(people):
            group.create_task(
                _label(connection.public_url, number, email, password, project, think, tally, at_once, ready)
            )
        await ready.wait()
        await asyncio.to_thread(_pull, connection, folder)
        if home is not None:
            await asyncio.to_thread(backup, home, folder.path / "backup.tar.gz")
        await asyncio.to_thread(_pull, connection, folder)


async def _label(
    url: str,
    number: int,
    email: str,
    password: str,
    project: int,
    think: Callable[[], float],
    tally: Tally,
    at_once: asyncio.Semaphore,
    ready: asyncio.Barrier,
) -> None:
    headers = {"Origin": url, "X-Forwarded-For": f"10.0.{number // 250}.{number % 250 + 1}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=90, trust_env=False) as client:
        async with at_once:
            await client.get("/user/login/")
            form = {"csrfmiddlewaretoken": client.cookies["csrftoken"], "email": email, "password": password}
            answer = await client.post("/user/login/", data=form)
            assert answer.status_code == 303, answer.text
        client.headers["X-CSRFToken"] = client.cookies["csrftoken"]
        await ready.wait()
        draw = random.Random(number)
        await asyncio.sleep(think() * draw.random())
        while True:
            began = time.monotonic()
            answer = await client.post("/api/dm/actions/", params={"project": project, "id": "next_task"}, json={})
            if answer.status_code == 404:
                return
            task = tally.check(tally.next, began, answer)
            if task is None:
                return
            await asyncio.sleep(think())
            body = {"result": opinion(task["data"], email), "lead_time": 20.0}
            began = time.monotonic()
            answer = await client.post(f"/api/tasks/{task['id']}/annotations/", params={"project": project}, json=body)
            if (made := tally.check(tally.submit, began, answer)) is None:
                return
            tally.accepted.append(made["id"])
            began = time.monotonic()
            tally.check(tally.progress, began, await client.get("/gate/progress", params={"project": project}))


def _pull(connection: Connection, folder: CampaignFolder) -> None:
    with Journal(folder.store) as journal, Studio(connection) as studio:
        pull(journal, studio)
