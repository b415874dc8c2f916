"""What somebody does at Label Studio's own address, around Gristmill, is named, and changes no dataset."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from annotation.campaign.plan import plan
from annotation.campaign.settings import Campaign, CampaignFolder
from annotation.journal.journal import Journal
from annotation.journal.places import Place
from annotation.journal.signing import PUBLIC_KEY, read_public_key, sign
from annotation.judgments.audit import verify_journal, write_audit
from annotation.judgments.resolve import resolve
from annotation.judgments.snapshot import Snapshot, load
from annotation.server.accounts import session
from annotation.studio.client import Studio
from annotation.studio.pull import pull
from annotation.studio.push import push
from curation.dedup.near import families
from jobs.campaign.overview import overview
from jobs.campaign.tables import print_status
from schemas.errors import UserError
from tests.annotation.labelling import Annotator, opinion, signed_in
from tests.annotation.parts import Studio as Server

PAIRS = 26
NAMES = ("moe", "noa", "oli")


@dataclass
class Mill:
    """A campaign of three annotators, and the administrator who reaches around it."""

    path: Path
    journal: Journal
    studio: Studio
    people: dict[str, Annotator]
    ids: dict[str, int]
    admin: Annotator
    left: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def project(self, name: str) -> int:
        return self.journal.cache.projects()[Place("b1", "vote", f"around/a{NAMES.index(name) + 1}")]

    def take(self, name: str = "moe") -> dict[str, Any]:
        """The next task of an annotator that no manipulation has touched."""
        return self.left[name].pop(0)

    def vote(self, name: str, task: dict[str, Any]) -> int:
        return self.people[name].submit(task["id"], opinion(task["data"], name))

    def voted(self) -> tuple[dict[str, Any], int]:
        """A task of moe, and the annotation that he gave and a pull brought."""
        task = self.take()
        return task, task["annotations"][0]["id"]

    def send(self, method: str, path: str, body: Any = None) -> Any:
        return self.admin._send(method, path, body)

    def change_project(self, name: str, **fields: Any) -> None:
        self.send("PATCH", f"/api/projects/{self.project(name)}/", fields)

    def act(self, action: str, *tasks: int, name: str = "moe") -> None:
        body = {"selectedItems": {"all": False, "included": list(tasks)}, "ordering": [], "project": self.project(name)}
        self.send("POST", f"/api/dm/actions?id={action}&project={self.project(name)}", body)

    def load(self) -> Snapshot:
        return load(self.path)


def votes(snapshot: Snapshot) -> dict[tuple[str, str], str]:
    return {
        (row["annotator"], row["uid"]): f"{row['prefers']} {row['degree']}" for row in snapshot.judgments.to_pylist()
    }


def other(data: dict[str, str]) -> list[dict[str, Any]]:
    """The answer that turns an annotator's own."""
    return opinion({**data, "a": data["b"], "b": data["a"]}, "moe")


def copy_task(mill: Mill, data: dict[str, Any], name: str = "moe", *annotations: Any) -> int:
    body = [{"data": data, **({"annotations": list(annotations)} if annotations else {})}]
    path = f"/api/projects/{mill.project(name)}/import?return_task_ids=true"
    return int(mill.send("POST", path, body)["task_ids"][0])


def edit(mill: Mill) -> Any:
    task, vote = mill.voted()
    mill.send("PATCH", f"/api/annotations/{vote}/", {"result": other(task["data"])})
    return vote


def cancel(mill: Mill) -> Any:
    _, vote = mill.voted()
    mill.send("PATCH", f"/api/annotations/{vote}/", {"was_cancelled": True, "result": []})
    return vote


def give_to_another(mill: Mill) -> Any:
    _, vote = mill.voted()
    mill.send("PATCH", f"/api/annotations/{vote}/", {"completed_by": mill.ids["noa"]})
    return vote


def mark_as_truth(mill: Mill) -> Any:
    task, vote = mill.voted()
    mill.send("PATCH", f"/api/annotations/{vote}/", {"ground_truth": True, "result": other(task["data"])})
    return vote


def delete_vote(mill: Mill) -> Any:
    task, vote = mill.voted()
    mill.send("DELETE", f"/api/annotations/{vote}/")
    return f"task={task['id']}"


def delete_votes_in_bulk(mill: Mill) -> Any:
    task, _ = mill.voted()
    mill.act("delete_tasks_annotations", task["id"])
    return f"task={task['id']}"


def delete_task(mill: Mill) -> Any:
    task, _ = mill.voted()
    mill.send("DELETE", f"/api/tasks/{task['id']}/")
    return f"task={task['id']}"


def delete_tasks_in_bulk(mill: Mill) -> Any:
    task, _ = mill.voted()
    mill.act("delete_tasks", task["id"])
    return f"task={task['id']}"


def swap_responses(mill: Mill) -> Any:
    task, vote = mill.voted()
    data = {**task["data"], "a": task["data"]["b"], "b": task["data"]["a"]}
    mill.send("PATCH", f"/api/tasks/{task['id']}/", {"data": data})
    return vote


def rename_task(mill: Mill) -> Any:
    task, vote = mill.voted()
    mill.send("PATCH", f"/api/tasks/{task['id']}/", {"data": {**task["data"], "uid": "another"}})
    return f"another/{vote}"


def move_vote(mill: Mill) -> Any:
    (_, vote), (to, _) = mill.voted(), mill.voted()
    mill.send("PATCH", f"/api/annotations/{vote}/", {"task": to["id"]})
    return f"{to['data']['uid']}/{vote}"


def replace_by_import(mill: Mill) -> Any:
    """The attack of the report: a copy of the task with a vote in the annotator's name, and the original deleted."""
    task, _ = mill.voted()
    forged = {"completed_by": mill.ids["moe"], "result": other(task["data"]), "ground_truth": False, "lead_time": 20.0}
    copy = copy_task(mill, task["data"], "moe", forged)
    mill.send("DELETE", f"/api/tasks/{task['id']}/")
    return f"task={copy}"


def add_by_import(mill: Mill) -> Any:
    task, _ = mill.voted()
    forged = {"completed_by": {"email": mill.people["moe"].name}, "result": other(task["data"])}
    return f"task={copy_task(mill, task['data'], 'moe', forged)}"


def vote_in_a_name(mill: Mill) -> Any:
    task, _ = mill.voted()
    body = {"result": other(task["data"]), "completed_by": mill.ids["moe"], "updated_by": mill.ids["moe"]}
    return mill.send("POST", f"/api/tasks/{task['id']}/annotations/", body)["id"]


def vote_in_a_name_on_an_open_task(mill: Mill) -> Any:
    task = mill.take("oli")
    body = {"result": other(task["data"]), "completed_by": mill.ids["oli"], "lead_time": 9}
    return mill.send("POST", f"/api/tasks/{task['id']}/annotations/", body)["id"]


def vote_of_a_stranger(mill: Mill) -> Any:
    task = mill.take("oli")
    return mill.admin.submit(task["id"], other(task["data"]))


def vote_of_another_annotator(mill: Mill) -> Any:
    return mill.vote("noa", mill.take("oli"))


def import_on_an_open_task(mill: Mill) -> Any:
    task = mill.take("oli")
    copy = copy_task(mill, task["data"], "oli", {"completed_by": mill.ids["oli"], "result": other(task["data"])})
    mill.send("DELETE", f"/api/tasks/{task['id']}/")
    return f"task={copy}"


def delete_an_open_task(mill: Mill) -> Any:
    mill.send("DELETE", f"/api/tasks/{mill.take('oli')['id']}/")
    return f"projects/{mill.project('oli')}/"


def have_a_copy_labelled(mill: Mill) -> Any:
    task = mill.take("oli")
    copy = copy_task(mill, task["data"], "oli")
    mill.people["oli"].submit(copy, other(task["data"]))
    return f"task={copy}"


def add_a_task(mill: Mill) -> Any:
    task = mill.take("oli")
    return f"task={copy_task(mill, {**task['data'], 'uid': 'made-up'}, 'oli')}"


def suggest_an_answer(mill: Mill) -> Any:
    task = mill.take("oli")
    mill.send("POST", "/api/predictions/", {"task": task["id"], "result": other(task["data"]), "score": 1.0})
    mill.vote("oli", task)
    return f"task={task['id']}"


def turn_a_suggestion_into_a_vote(mill: Mill) -> Any:
    task = mill.take("oli")
    mill.send("POST", "/api/predictions/", {"task": task["id"], "result": other(task["data"]), "score": 1.0})
    mill.act("predictions_to_annotations", task["id"], name="oli")
    return f"task={task['id']}"


def change_data_before_the_vote(mill: Mill) -> Any:
    task = mill.take("oli")
    data = {**task["data"], "a": task["data"]["b"], "b": task["data"]["a"]}
    mill.send("PATCH", f"/api/tasks/{task['id']}/", {"data": data})
    return mill.vote("oli", task)


def swap_labels(mill: Mill) -> Any:
    config = mill.studio.project(mill.project("noa")).page.config
    swapped = config.replace('"a_', '"x_').replace('"b_', '"a_').replace('"x_', '"b_')
    assert swapped != config
    mill.change_project("noa", label_config=swapped)
    return mill.vote("noa", mill.take("noa"))


def edit_instructions(mill: Mill) -> Any:
    mill.change_project("noa", expert_instruction="<p>Always choose the longer response.</p>")
    mill.vote("noa", mill.take("noa"))
    return f"projects/{mill.project('noa')}/"


def change_settings(mill: Mill) -> Any:
    mill.change_project("noa", show_instruction=False, maximum_annotations=3)
    return f"projects/{mill.project('noa')}/"


def rename_project(mill: Mill) -> Any:
    mill.change_project("oli", description="ours now")
    return f"projects/{mill.project('oli')}/"


def make_a_second_project(mill: Mill) -> Any:
    project = mill.studio.project(mill.project("noa"))
    task = mill.take("noa")
    second = mill.studio.create_project("second", project.marker, project.owner, project.page)
    [copy] = mill.studio.import_tasks(second, [task["data"]])
    mill.people["noa"].submit(copy, other(task["data"]))
    return f"projects/{second}/"


TABLE: tuple[tuple[str, Callable[[Mill], Any]], ...] = (
    ("edited_by_other", edit),
    ("edited_by_other", cancel),
    ("not_assigned", give_to_another),
    ("edited_by_other", mark_as_truth),
    ("deleted_by_other", delete_vote),
    ("deleted_by_other", delete_votes_in_bulk),
    ("task_gone", delete_task),
    ("task_gone", delete_tasks_in_bulk),
    ("changed_task", swap_responses),
    ("unknown_task", rename_task),
    ("edited_by_other", move_vote),
    ("imported", replace_by_import),
    ("imported", add_by_import),
    ("edited_by_other", vote_in_a_name),
    ("edited_by_other", vote_in_a_name_on_an_open_task),
    ("unknown_annotator", vote_of_a_stranger),
    ("not_assigned", vote_of_another_annotator),
    ("imported", import_on_an_open_task),
    ("removed_tasks", delete_an_open_task),
    ("copied_task", have_a_copy_labelled),
    ("added_task", add_a_task),
    ("suggested", suggest_an_answer),
    ("unknown_annotator", turn_a_suggestion_into_a_vote),
    ("changed_task", change_data_before_the_vote),
    ("changed_page", swap_labels),
    ("changed_instructions", edit_instructions),
    ("changed_settings", change_settings),
    ("changed_description", rename_project),
    ("second_project", make_a_second_project),
)
"""The reason or kind by which status and audit name each manipulation."""


@pytest.fixture
def mill(tmp_path: Path, studio: Server) -> Iterator[Mill]:
    rows = []
    for number in range(PAIRS):
        answers = [{"model": f"m{n}", "text": f"Answer {n} to question {number}."} for n in (1, 2)]
        rows.append({"prompt_id": f"p{number}", "prompt": f"Question {number}?", "responses": answers})
    (tmp_path / "responses.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "guidelines.md").write_text("# Be fair\n", encoding="utf-8")
    with ExitStack() as stack:
        accounts = {name: studio.annotator(name) for name in NAMES}
        url = studio.connection.url
        people = {name: stack.enter_context(signed_in(url, account)) for name, account in accounts.items()}
        admin = Annotator("admin", stack.enter_context(session(url, studio.admin_email, studio.admin_password)))
        campaign = Campaign(
            name="around", protocol="preference", batch="b1", responses="responses.jsonl", votes=3,
            annotators=tuple(each.name for each in people.values()),
        )  # fmt: skip
        folder = CampaignFolder(tmp_path, campaign, "settings")
        journal = stack.enter_context(Journal(folder.store, create=True))
        client = stack.enter_context(Studio(studio.connection))
        plan(folder, journal, families)
        push(journal, client)
        made = Mill(tmp_path, journal, client, people, {name: each.user_id for name, each in accounts.items()}, admin)
        for task in admin.tasks(made.project("moe"))[:18]:
            made.vote("moe", task)
        for name in NAMES:
            tasks = admin.tasks(made.project(name))
            made.left[name] = [task for task in tasks if bool(task["annotations"]) == (name == "moe")]
        pull(journal, client)
        yield made


@pytest.mark.soak
def test_what_is_done_around_gristmill_is_named_and_changes_no_dataset(
    mill: Mill, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(TABLE) >= 25
    before = mill.load()
    assert (len(before.judgments), before.findings, before.refused.num_rows) == (18, (), 0)
    named = [(expected, do.__name__, str(do(mill))) for expected, do in TABLE]
    with pytest.raises(UserError, match="looks like an older backup"):
        pull(mill.journal, mill.studio)
    assert votes(mill.load()) == votes(before)
    pull(mill.journal, mill.studio, missing="keep")
    after = mill.load()
    assert votes(after) == votes(before)
    assert resolve(after).resolved.equals(resolve(before).resolved)

    monkeypatch.setattr("jobs.campaign.tables.SHOWN_REFUSED", 100)
    sign(mill.journal, tmp_path.parent / f"{tmp_path.name}-key" / "key.pem")
    verify_journal(mill.journal, read_public_key(tmp_path / PUBLIC_KEY))
    audit = [json.loads(line) for line in write_audit(mill.journal, names=False)]
    audited = [json.dumps(line) for line in audit if line.get("statement") in ("set_apart", "finding")]
    print_status(overview(after, {}, "around"))
    status = capsys.readouterr().out.splitlines()
    kinds = {finding.kind: finding for finding in after.findings}
    for expected, name, key in named:
        words = kinds[expected].message if expected in kinds else expected
        assert [line for line in status if words in line and key in line], (name, expected, key)
        place = key if expected in kinds or "=" not in key else ""
        assert [line for line in audited if expected in line and place in line], (name, expected, key)

    again = push(mill.journal, mill.studio)
    assert set(again.repaired) == {Place("b1", "vote", "around/a2"), Place("b1", "vote", "around/a3")}
    pull(mill.journal, mill.studio)
    repaired = mill.load()
    assert votes(repaired) == votes(before)
    assert not [each for each in repaired.findings if each.kind.startswith(("changed_", "removed_"))]
    fresh = next(task for task in mill.admin.tasks(mill.project("noa")) if not task["annotations"])
    mill.vote("noa", fresh)
    pull(mill.journal, mill.studio)
    assert len(mill.load().judgments) == 19, "a vote on the repaired page counts"
