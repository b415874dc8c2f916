"""Simulated annotators, who read the page's texts and answer through Label Studio's API as a browser does."""

import hashlib
import html
import math
import re
from bisect import bisect
from collections.abc import Mapping
from typing import Any

import httpx

from annotation.campaign.settings import CampaignFolder
from annotation.journal.fold import fold
from annotation.journal.journal import Journal
from annotation.journal.places import Place
from annotation.protocols import PROTOCOLS
from annotation.protocols.scale import Scale
from annotation.server.accounts import session
from annotation.studio.client import Studio
from jobs.demo.questions import KNOWN_ANSWERS, NAMES, documentation, question

TASTES = {0: 1.2, 1: 0.8, 2: 0.3}
"""How much each annotator likes longer answers, by their order in campaign.toml."""
DISTANCES = (0.3, 0.8, 1.6)
"""How much more an answer must be liked for each further degree."""
SPEAKER = "User"
"""The word that the page shows above a prompt."""
WORDS_A_SECOND = 8.0
LEFT_FOR_THE_READER = 2


def label(folder: CampaignFolder, studio: Studio, left: int = 0) -> None:
    """Answers all tasks of every annotator, except the last ``left`` tasks of the first annotator."""
    scale = PROTOCOLS[folder.campaign.protocol].scale
    with Journal(folder.store) as journal:
        names, projects = fold(journal).annotators, journal.cache.projects()
    for number, email in enumerate(folder.campaign.annotators):
        project = projects[Place(folder.campaign.batch, "vote", names[email])]
        with session(studio.url, email, studio.password(email)) as client:
            tasks = _tasks(client, project)
            for task in tasks[: len(tasks) - (left if number == 0 else 0)]:
                choice = opinion(task["data"], number, scale)
                _submit(client, task["id"], scale.question, choice, _seconds(task["data"]))


def opinion(data: Mapping[str, str], number: int, scale: Scale) -> str:
    """The choice of an annotator: a right answer before a wrong one, else by taste and a little chance."""
    first, second = (_liking(data[side], data["prompt"], number) for side in ("a", "b"))
    sign = 1 if second > first else -1
    points = sorted((point for point in scale.points if sign * point.value >= 0), key=lambda point: abs(point.value))
    return points[bisect(DISTANCES, abs(first - second))].name


def _liking(answer: str, prompt: str, number: int) -> float:
    seed = hashlib.blake2b(f"{number} {_letters(answer)}".encode(), digest_size=8).digest()
    chance = int.from_bytes(seed, "big") / 2**64 - 0.5
    right = _OPENINGS[_letters(prompt).removeprefix(SPEAKER)] in _letters(answer)
    return TASTES[number] * math.log(len(_letters(answer))) / 2 + chance + (3.0 if right else 0.0)


def _letters(text: str) -> str:
    """The letters and digits of a text, the same for Markdown and for its HTML."""
    return "".join(filter(str.isalnum, html.unescape(re.sub(r"<[^>]*>", "", text))))


def _seconds(data: Mapping[str, str]) -> float:
    return 4.0 + sum(len(data[side].split()) for side in ("a", "b")) / WORDS_A_SECOND


def _tasks(client: httpx.Client, project: int) -> list[dict[str, Any]]:
    options = {"exportType": "JSON", "download_all_tasks": "true"}
    answer = client.get(f"/api/projects/{project}/export", params=options).raise_for_status()
    return sorted(answer.json(), key=lambda task: int(task["id"]))


def _submit(client: httpx.Client, task: int, question: str, choice: str, seconds: float) -> None:
    result = {"from_name": question, "to_name": "prompt", "type": "choices", "value": {"choices": [choice]}}
    headers = {"X-CSRFToken": client.cookies.get("csrftoken") or "", "Referer": str(client.base_url)}
    body = {"result": [result], "lead_time": seconds}
    client.post(f"/api/tasks/{task}/annotations/", json=body, headers=headers).raise_for_status()


_OPENINGS = {_letters(question(name)): _letters(documentation(name)[0]) for name in (*NAMES, *KNOWN_ANSWERS)}
"""The opening of the right answer to each question."""
