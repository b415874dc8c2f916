"""Projects as a push makes them, and annotators who sign in at the gate as a browser does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import httpx

from annotation.protocols import PROTOCOLS, Category, Protocol
from annotation.server.ownership import describe
from tests.annotation.gate.resolver import Numbers
from tests.annotation.labelling import choice, signed_in
from tests.annotation.parts import Account, Studio
from tests.annotation.protocols.samples import SAMPLES

MARKER = "gristmill 00000000000000000000"


def make_project(
    api: httpx.Client,
    owner: str | None,
    protocol: Protocol = PROTOCOLS["preference"],
    names: Iterable[str] | Mapping[str, bool] = ("code",),
    categories: Sequence[Category] = (),
) -> tuple[int, list[int]]:
    """(number, the tasks' numbers) of a new project of an annotator; with ``owner`` None of nobody.

    ``names`` are samples; a mapping says which of them are swapped.
    """
    page = protocol.page(protocol.guidelines, categories)
    settings = {
        "title": f"Gate {protocol.name}", "description": describe(MARKER, owner) if owner else MARKER,
        "label_config": page.config, "expert_instruction": page.instruction, "enable_empty_annotation": False,
        "show_skip_button": True, "sampling": "Sequential sampling",
    }  # fmt: skip
    made = api.post("/api/projects/", json=settings).raise_for_status().json()
    swapped = names if isinstance(names, Mapping) else dict.fromkeys(names, False)
    samples = ((SAMPLES[name], swap) for name, swap in swapped.items())
    second = (lambda each: each.second) if protocol.scale.compares else (lambda _: None)
    tasks = [{"data": protocol.show(each.messages, each.first, second(each), swap)} for each, swap in samples]
    answer = api.post(f"/api/projects/{made['id']}/import?return_task_ids=1", json=tasks).raise_for_status().json()
    return int(made["id"]), list(answer["task_ids"])


@dataclass(frozen=True)
class Desk:
    """An annotator with a project of two tasks, an answer to the first and a draft of the second."""

    account: Account
    numbers: Numbers
    open_task: int


def make_desk(api: httpx.Client, studio: Studio, account: Account) -> Desk:
    project, (task, open_task) = make_project(api, account.email, names=("code", "arabic"))
    with signed_in(studio.connection.url, account) as annotator:
        annotation = annotator.submit(task, [choice("preference", "a_better")])
        headers = {"X-CSRFToken": annotator.client.cookies.get("csrftoken") or ""}
        made = annotator.client.post(f"/api/tasks/{open_task}/drafts", json={"result": []}, headers=headers)
        draft = int(made.raise_for_status().json()["id"])
    return Desk(account, Numbers(project, task, annotation, draft, account.user_id), open_task)
