"""Nothing that an annotator's own account can fetch tells which model wrote what, or which side it stands on."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from annotation.campaign.plan import plan
from annotation.campaign.settings import Campaign, CampaignFolder, Gold
from annotation.journal.fold import fold
from annotation.journal.journal import Journal
from annotation.journal.places import Place
from annotation.studio.client import Studio
from annotation.studio.push import push
from curation.dedup.near import families
from tests.annotation.labelling import opinion, signed_in
from tests.annotation.parts import Studio as Server

PLANTED = ("zephyr-quartz-70b", "obsidian-lark-13b")
TEMPERATURES = (0.7314159, 1.1372718)
SECRET_NAMES = ("gold-secret-prompt", "prompt-id-secret")


@pytest.fixture
def pushed(tmp_path: Path, studio: Server) -> Iterator[tuple[CampaignFolder, Journal]]:
    rows = []
    for number in range(12):
        answers = [
            {"model": model, "temperature": heat, "text": f"Answer {place} to question {number}."}
            for place, (model, heat) in enumerate(zip(PLANTED, TEMPERATURES, strict=True))
        ]
        row = {"prompt_id": f"{SECRET_NAMES[1]}-{number}", "prompt": f"Question {number}?", "responses": answers}
        rows.append(row)
    gold = [{"prompt_id": SECRET_NAMES[0], "prompt": "What is 1 + 1?", "chosen": "2", "rejected": "3"}]
    for name, content in (("responses.jsonl", rows), ("gold.jsonl", gold)):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
    (tmp_path / "guidelines.md").write_text("# Be fair\n", encoding="utf-8")
    emails = tuple(studio.annotator(name).email for name in ("ann", "bob"))
    campaign = Campaign(
        name="blind", protocol="preference", batch="b1", responses="responses.jsonl", annotators=emails, votes=2,
        seed=11, gold=Gold(file="gold.jsonl", share=0.2),
    )  # fmt: skip
    folder = CampaignFolder(tmp_path, campaign, "settings")
    with Journal(folder.store, create=True) as journal, Studio(studio.connection) as direct:
        plan(folder, journal, families)
        push(journal, direct)
        yield folder, journal


def everything(client: httpx.Client, projects: list[int]) -> Iterator[tuple[str, str]]:
    """(address, text) of all that the server's own description of its interface lets one fetch, and the pages."""
    paths = client.get("/docs/api/schema/json/").raise_for_status().json()["paths"]
    numbers: dict[str, list[int]] = {"project": projects, "task": [], "annotation": []}
    for project in projects:
        found = client.get("/api/tasks", params={"project": project, "fields": "all", "page_size": 100})
        yield str(found.url), found.text
        for task in found.json()["tasks"]:
            numbers["task"].append(task["id"])
            numbers["annotation"] += [each["id"] for each in task["annotations"]]
    for path, methods in sorted(paths.items()):
        if "get" not in methods:
            continue
        for address in _filled(path, numbers):
            answer = client.get(address, params={"project": projects[0]} if "{" not in path else None)
            yield address, answer.text
    for project in projects:
        for address in (f"/projects/{project}/data?labeling=1", f"/projects/{project}/settings"):
            yield address, client.get(address).text
        for kind in ("JSON", "JSON_MIN", "CSV", "TSV"):
            address = f"/api/projects/{project}/export?exportType={kind}&download_all_tasks=true"
            yield address, client.get(address).text


def _filled(path: str, numbers: dict[str, list[int]]) -> list[str]:
    if "{" not in path:
        return [path]
    kind = next((name for name in numbers if f"/{name}s/" in path), None)
    values = numbers[kind][:6] if kind else [1]
    return [re.sub(r"\{[^}]+\}", str(value), path) for value in values]


def test_no_answer_of_the_server_names_a_model_or_a_side(
    studio: Server, pushed: tuple[CampaignFolder, Journal]
) -> None:
    _, journal = pushed
    places = journal.cache.projects()
    account = studio.annotator("ann")
    mine = places[Place("b1", "vote", "blind/a1")]
    with signed_in(studio.connection.url, account) as ann:
        for task in ann.tasks(mine)[:5]:
            ann.submit(task["id"], opinion(task["data"], "ann"))
        seen = dict(everything(ann.client, list(places.values())))
    record = fold(journal)
    hidden = [*PLANTED, *map(str, TEMPERATURES), *SECRET_NAMES, *record.pairs["pair_id"].to_pylist(), "swapped"]
    hidden += [journal.campaign_id, *(word for name in PLANTED for word in name.split("-")[:2])]
    told = {address: [word for word in hidden if word in text] for address, text in seen.items()}
    assert {address: words for address, words in told.items() if words} == {}
    assert len(seen) > 100
    answers = sum("to question 3" in text for text in seen.values())
    assert answers >= 3, "the scan reads what annotators see"


def test_nothing_but_the_shown_texts_is_in_a_task(studio: Server, pushed: tuple[CampaignFolder, Journal]) -> None:
    _, journal = pushed
    with signed_in(studio.connection.url, studio.annotator("ann")) as ann:
        tasks = [task for project in journal.cache.projects().values() for task in ann.tasks(project)]
    assert {frozenset(task["data"]) for task in tasks} == {frozenset({"uid", "history", "prompt", "a", "b"})}
    assert all(task["meta"] in ({}, None) for task in tasks)
    assert len({task["data"]["uid"] for task in tasks}) == len(tasks) == fold(journal).tasks.num_rows
