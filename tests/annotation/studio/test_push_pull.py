"""Push and pull against a real Label Studio: repeatable, exact under what people do there, clear when it fails."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from annotation.campaign import moves
from annotation.campaign.plan import plan
from annotation.campaign.settings import Campaign, CampaignFolder
from annotation.journal.fold import fold
from annotation.journal.journal import Journal
from annotation.journal.places import Place
from annotation.judgments.snapshot import Snapshot, load
from annotation.quality.stalls import stuck
from annotation.server.connection import Connection
from annotation.studio.client import Studio
from annotation.studio.pull import pull
from annotation.studio.push import marker, push
from curation.dedup.near import families
from schemas.errors import RunError, UserError
from tests.annotation.faults import faulty
from tests.annotation.labelling import Annotator, choice, opinion, signed_in
from tests.annotation.parts import Studio as Server
from tests.annotation.ports import free_port

HOSTILE = "<script>alert(1)</script><iframe src=http://evil.example></iframe><img src=x onerror=alert(1)>\u202eabc"


def place(number: int, batch: str = "b1") -> Place:
    """Where the person with this number has the projects of a Case."""
    return Place(batch, "vote", f"pushed/a{number}")


class Case:
    """A campaign of six pairs before ann and bob, pushed."""

    def __init__(self, path: Path, server: Server, people: Sequence[Annotator], stack: ExitStack):
        rows = []
        for number in range(6):
            answers = [{"model": f"m{n}", "text": f"Answer {n} to question {number}. {HOSTILE}"} for n in (1, 2)]
            rows.append({"prompt_id": f"p{number}", "prompt": f"Question {number}?", "responses": answers})
        (path / "responses.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        (path / "guidelines.md").write_text("# Be fair\n", encoding="utf-8")
        campaign = Campaign(
            name="pushed", protocol="preference", batch="b1", responses="responses.jsonl", votes=2,
            annotators=tuple(each.name for each in people[:2]), adjudicators=(people[2].name,),
        )  # fmt: skip
        self.folder = CampaignFolder(path, campaign, "settings")
        self.journal = stack.enter_context(Journal(self.folder.store, create=True))
        self.studio = stack.enter_context(Studio(server.connection))
        self.ann, self.bob, self.cy = people
        plan(self.folder, self.journal, families)
        self.pushed = push(self.journal, self.studio)

    def project(self, number: int) -> int:
        return self.journal.cache.projects()[place(number)]

    def tasks(self, number: int = 1) -> list[dict[str, Any]]:
        return self.ann.tasks(self.project(number))

    def pull(self, **options: Any) -> Snapshot:
        pull(self.journal, self.studio, **options)
        return load(self.folder.path)

    def label(self, who: Annotator, tasks: list[dict[str, Any]]) -> list[int]:
        return [who.submit(task["id"], opinion(task["data"], who.name)) for task in tasks]


@pytest.fixture
def case(tmp_path: Path, studio: Server, people: list[Annotator]) -> Iterator[Case]:
    with ExitStack() as stack:
        yield Case(tmp_path, studio, people, stack)


def reasons(snapshot: Snapshot) -> Counter[str]:
    return Counter(snapshot.refused["reason"].to_pylist())


def states(snapshot: Snapshot) -> Counter[str]:
    return Counter(snapshot.assignments["state"].to_pylist())


def test_pushing_again_changes_nothing(case: Case) -> None:
    assert case.pushed.imported == 12
    assert case.pushed.projects == 2
    again = push(case.journal, case.studio)
    assert (again.projects, again.imported, again.removed, again.existing) == (0, 0, 0, 12)


def test_a_store_without_its_cache_finds_projects_and_tasks_again(case: Case) -> None:
    for each in case.journal.cache.projects():
        case.journal.cache.remember_project(each, None)
    again = push(case.journal, case.studio)
    assert (again.projects, again.imported) == (0, 0)


def test_tasks_that_arrived_twice_are_one_again(case: Case) -> None:
    copy = case.tasks()[0]["data"]
    case.studio.import_tasks(case.project(1), [copy])
    assert push(case.journal, case.studio).removed == 1
    uids = [task["data"]["uid"] for task in case.tasks()]
    assert len(uids) == len(set(uids)) == 6


def test_a_deleted_task_and_a_deleted_project_are_made_again(case: Case) -> None:
    case.label(case.ann, case.tasks(1)[:2])
    case.label(case.bob, case.tasks(2)[:3])
    case.pull()
    case.ann.delete_task(case.tasks(1)[0]["id"])
    case.bob.delete_project(case.project(2))
    snapshot = case.pull()
    assert states(snapshot) == {"done": 5, "open": 7}, "all votes are in the journal"
    assert pull(case.journal, case.studio).gone == [place(2)]
    again = push(case.journal, case.studio)
    assert again.recreated == [place(2)]
    assert again.imported == 3, "what has a vote is not asked again"
    case.label(case.bob, case.tasks(2))
    assert states(case.pull()) == {"done": 8, "open": 4}


def test_pull_follows_what_people_do(case: Case) -> None:
    tasks = case.tasks()
    first, second, third = case.label(case.ann, tasks[:3])
    skipped = case.ann.skip(tasks[3]["id"])
    assert states(case.pull(sweep=False)) == {"done": 3, "skipped": 1, "open": 8}
    assert pull(case.journal, case.studio).kept == 0, "a second pull has nothing to add"
    before = load(case.folder.path)

    case.ann.change(first, [choice("preference", "b_better")])
    case.ann.delete(second)
    case.ann.submit(tasks[3]["id"], opinion(tasks[3]["data"], "ann"))
    after = case.pull(sweep=False)
    by_uid = {row["uid"]: row for row in after.judgments.to_pylist()}
    assert by_uid[tasks[0]["data"]["uid"]]["degree"] == "better"
    assert tasks[1]["data"]["uid"] not in by_uid
    assert states(after) == {"done": 3, "open": 9}
    assert case.pull().judgments.equals(after.judgments)
    earlier = load(case.folder.path, before.revision)
    assert earlier.judgments.equals(before.judgments)
    assert earlier.assignments.equals(before.assignments)
    assert third
    assert skipped


def test_votes_that_cannot_count_are_refused_with_the_reason(case: Case, studio: Server) -> None:
    tasks = case.tasks()
    case.ann.submit(tasks[0]["id"], [choice("preference", "c_wins")])
    case.ann.submit(tasks[1]["id"], [choice("flavour", "rye")])
    case.bob.submit(tasks[2]["id"], opinion(tasks[2]["data"], "bob"))
    [voted] = case.label(case.ann, [tasks[3]])
    case.bob.change(voted, [choice("preference", "a_better")])
    case.label(case.ann, [tasks[4], tasks[4]])
    changed = {**tasks[5]["data"], "a": tasks[5]["data"]["b"], "b": tasks[5]["data"]["a"]}
    case.bob._send("PATCH", f"/api/tasks/{tasks[5]['id']}/", {"data": changed})
    case.label(case.ann, [tasks[5]])
    stray = case.studio.import_tasks(case.project(1), [{**tasks[0]["data"], "uid": "made-by-hand"}])
    case.label(case.ann, [{"id": stray[0], "data": tasks[0]["data"]}])
    with signed_in(studio.connection.url, studio.annotator("zoe")) as zoe:
        zoe.submit(case.tasks(2)[0]["id"], opinion(tasks[0]["data"], "zoe"))
    snapshot = case.pull()
    assert reasons(snapshot) == {
        "unknown_choice": 1,
        "unknown_question": 1,
        "not_assigned": 1,
        "edited_by_other": 1,
        "repeated": 1,
        "changed_task": 1,
        "unknown_task": 1,
        "unknown_annotator": 1,
    }
    assert snapshot.judgments.num_rows == 1
    assert all(snapshot.refused["message"].to_pylist())


def test_reassigned_tasks_move_in_label_studio(case: Case) -> None:
    case.label(case.ann, case.tasks(1)[:2])
    case.pull()
    joined = replace(case.folder.campaign, annotators=(case.ann.name, case.bob.name, case.cy.name))
    folder = CampaignFolder(case.folder.path, joined, "with cy")
    assert moves.reassign(folder, case.journal, giver=case.ann.name, taker=case.cy.name) == 4
    pushed = push(case.journal, case.studio)
    assert (pushed.imported, pushed.removed) == (4, 4)
    assert len(case.tasks(1)) == 2
    case.label(case.cy, case.tasks(3))
    assert states(case.pull()) == {"done": 6, "open": 6}


def test_skipped_tasks_pass_on_and_leave_nothing_to_explain(case: Case) -> None:
    for task in case.tasks(1)[:2]:
        case.ann.skip(task["id"])
    assert len(stuck(case.pull()).pairs) == 2
    joined = replace(case.folder.campaign, annotators=(case.ann.name, case.bob.name, case.cy.name))
    assert moves.reassign(CampaignFolder(case.folder.path, joined, "with cy"), case.journal, skipped=True) == 2
    push(case.journal, case.studio)
    after = case.pull()
    assert (states(after), stuck(after).pairs) == ({"open": 12}, ())
    assert (after.refused.num_rows, after.findings) == (0, ())


def test_a_project_is_found_though_its_description_was_edited_and_the_next_push_repairs_it(case: Case) -> None:
    case.label(case.ann, case.tasks())
    case.pull()
    theirs = case.project(2)
    case.ann._send("PATCH", f"/api/projects/{theirs}/", {"description": "somebody else's"})
    case.label(case.bob, case.tasks(2)[:2])
    after = case.pull()
    assert states(after) == {"done": 8, "open": 4}
    assert [(each.kind, each.place) for each in after.findings] == [("changed_description", str(place(2)))]
    again = push(case.journal, case.studio)
    assert (again.projects, again.imported, again.repaired) == (0, 0, [place(2)])
    assert case.pull().findings == ()


def test_votes_stay_when_a_server_that_was_made_anew_gives_their_project_s_number_again(case: Case) -> None:
    case.label(case.ann, case.tasks(1)[:2])
    before = case.pull()
    gone = case.project(1)
    case.ann.delete_project(gone)
    again = max(each.project for each in case.studio.projects()) + 1
    with case.journal.writing():
        for table in ("project", "task", "live"):
            case.journal._db.execute(f"UPDATE {table} SET project = ? WHERE project = ?", (again, gone))
    assert push(case.journal, case.studio).imported == 4
    assert case.project(1) == again
    assert case.pull().judgments.equals(before.judgments)


def test_pushes_at_the_same_time_wait_for_each_other(case: Case, studio: Server) -> None:
    batch = replace(case.folder.campaign, batch="b2", responses="b2.jsonl")
    rows = (case.folder.path / "responses.jsonl").read_text(encoding="utf-8").replace("question", "riddle")
    (case.folder.path / "b2.jsonl").write_text(rows.replace("Question", "Riddle"), encoding="utf-8")
    plan(CampaignFolder(case.folder.path, batch, "second"), case.journal, families)

    def run(_: int) -> int:
        with Journal(case.folder.store) as journal, Studio(studio.connection) as client:
            return push(journal, client).imported

    with ThreadPoolExecutor(3) as threads:
        assert sorted(threads.map(run, range(3))) == [0, 0, 12]
    places = [each for each in case.journal.cache.projects() if each.batch == "b2"]
    markers = [each.marker for each in case.studio.projects()]
    assert [markers.count(marker(case.journal.campaign_id, each)) for each in places] == [1, 1]


def test_a_second_project_of_a_place_is_read_and_does_not_count(case: Case) -> None:
    page = fold(case.journal).batches["b1"].page
    spare = case.studio.create_project("spare", marker(case.journal.campaign_id, place(1)), case.ann.name, page)
    data = [task["data"] for task in case.tasks()]
    numbers = case.studio.import_tasks(spare, data[:2])
    case.ann.submit(numbers[0], opinion(data[0], "ann"))
    assert reasons(case.pull()) == {"copied_task": 1}, "the journal names the tasks that a push made"
    push(case.journal, case.studio)
    assert [task["data"]["uid"] for task in case.ann.tasks(spare)] == [data[0]["uid"]], "what has a vote stays"
    case.ann.delete(case.ann.tasks(spare)[0]["annotations"][0]["id"])
    push(case.journal, case.studio)
    assert spare not in [each.project for each in case.studio.projects()]


def test_an_edit_counts_though_the_server_s_clock_was_set_back(case: Case, studio: Server) -> None:
    [task, *_] = case.tasks()
    [vote] = case.label(case.ann, [task])
    with sqlite3.connect(studio.home / "data" / "label_studio.sqlite3", timeout=60) as db:
        ahead = "datetime(updated_at, '+1 hour') || '.000000'"
        db.execute(f"UPDATE task_completion SET updated_at = {ahead} WHERE id = ?", (vote,))
        db.execute(f"UPDATE task SET updated_at = {ahead} WHERE id = ?", (task["id"],))
    db.close()
    case.pull()
    case.ann.change(vote, [choice("preference", "b_negligibly_better")])
    [row] = case.pull().judgments.to_pylist()
    assert row["degree"] == "negligibly_better"


def test_a_vote_stays_its_annotator_s_when_the_account_is_deleted(case: Case, studio: Server) -> None:
    one, other, *_ = case.tasks(2)
    case.label(case.bob, [one])
    case.pull()
    with sqlite3.connect(studio.home / "data" / "label_studio.sqlite3", timeout=60) as db:
        db.execute(
            "UPDATE task_completion SET completed_by_id = NULL, updated_by_id = NULL WHERE task_id = ?", (one["id"],)
        )
        db.execute("UPDATE task SET updated_at = '2100-01-01 00:00:00' WHERE id = ?", (one["id"],))
    db.close()
    assert case.pull().judgments.num_rows == 1
    case.label(case.bob, [other])
    with sqlite3.connect(studio.home / "data" / "label_studio.sqlite3", timeout=60) as db:
        db.execute("UPDATE task_completion SET completed_by_id = NULL WHERE task_id = ?", (other["id"],))
    db.close()
    assert reasons(case.pull()) == {"unknown_annotator": 1}


def test_what_label_studio_cannot_give_out_is_in_quarantine_and_hides_nothing_else(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.studio.client.PAUSE", 0.001)
    tasks = case.tasks()
    case.label(case.ann, tasks[:4])
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    case.ann.submit(tasks[5]["id"], [{**choice("preference"), "value": {"choices": deep}}])
    half = [*opinion(tasks[4]["data"], "ann"), {**choice("comment"), "type": "textarea", "value": {"text": ["\ud800"]}}]
    with pytest.raises(httpx.HTTPStatusError, match="500"):
        case.ann.submit(tasks[4]["id"], half)
    snapshot = case.pull()
    assert snapshot.judgments.num_rows == 4
    assert reasons(snapshot) == {"unreadable": 1, "malformed": 1}
    assert case.pull().judgments.equals(snapshot.judgments)
    case.ann.delete_task(tasks[4]["id"])
    assert reasons(case.pull()) == {"malformed": 1}


def test_a_task_that_would_look_otherwise_than_it_was_planned_is_not_pushed(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.ann.delete_task(case.tasks()[0]["id"])
    monkeypatch.setattr("annotation.studio.push.shown_digest", lambda data: bytes(16))
    with pytest.raises(UserError, match="made by another version of Gristmill"):
        push(case.journal, case.studio)


def test_requests_are_bounded_in_bytes(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.studio.push.REQUEST_BYTES", 1000)
    sizes: list[int] = []
    whole = Studio.import_tasks

    def counted(studio: Studio, project: int, data: Sequence[dict[str, str]]) -> list[int]:
        sizes.append(len(data))
        return whole(studio, project, data)

    monkeypatch.setattr(Studio, "import_tasks", counted)
    for task in case.tasks():
        case.ann.delete_task(task["id"])
    assert push(case.journal, case.studio).imported == sum(sizes) == 6
    assert max(sizes) < 6


def test_an_access_token_that_the_server_no_longer_takes_is_asked_for_again(case: Case) -> None:
    case.studio._sdk._client_wrapper._tokens_client._access_token = "e30.eyJleHAiOjk5OTk5OTk5OTl9.c2ln"
    assert case.studio.whoami()


def test_nothing_hostile_reaches_the_page(case: Case) -> None:
    for task in case.tasks():
        for name in ("history", "prompt", "a", "b"):
            assert not any(tag in task["data"][name].lower() for tag in ("<script", "<iframe", "<img", "<style"))


def unreachable(kind: str, server: Server) -> Connection:
    good = server.connection
    if kind == "down":
        url = f"http://127.0.0.1:{free_port()}"
        return Connection(url=url, token=good.token, public_url=url)
    token = good.token[:-6] + "AAAAAA" if kind == "wrong token" else "0123456789abcdef0123456789abcdef01234567"
    return Connection(url=good.url, token=token, public_url=good.url)


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("down", RunError, "does not answer: start it"),
        ("wrong token", UserError, "refuses the token"),
        ("old token", UserError, "refuses the token"),
    ],
)
def test_a_server_that_cannot_be_used_is_one_clear_sentence(
    kind: str, error: type[Exception], words: str, case: Case, studio: Server
) -> None:
    connection = unreachable(kind, studio)
    with pytest.raises(error, match=words) as caught, Studio(connection, timeout=5) as other:
        pull(case.journal, other)
    assert connection.token not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("fault", ["error", "page", "refuse", "truncate"])
def test_an_outage_is_one_clear_sentence_and_costs_nothing(
    fault: str, case: Case, studio: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.studio.client.PAUSE", 0.001)
    case.label(case.ann, case.tasks()[:2])
    with faulty(studio.connection.url, 1, {fault: 1.0}) as faults:
        connection = Connection(url=faults.url, token=studio.connection.token, public_url=faults.url)
        with pytest.raises(RunError) as caught, Studio(connection, timeout=5) as other:
            pull(case.journal, other)
    assert faults.url in str(caught.value)
    assert studio.connection.token not in str(caught.value)
    assert case.pull().judgments.num_rows == 2


def test_a_response_of_a_megabyte_goes_through(case: Case) -> None:
    answers = [{"model": "m1", "text": "flour " * 180_000}, {"model": "m2", "text": "No."}]
    row = {"prompt_id": "long", "prompt": "How much?", "responses": answers}
    (case.folder.path / "long.jsonl").write_text(json.dumps(row), encoding="utf-8")
    campaign = replace(case.folder.campaign, batch="b2", responses="long.jsonl")
    plan(CampaignFolder(case.folder.path, campaign, "longer"), case.journal, families)
    assert push(case.journal, case.studio).imported == 2
    [task] = case.ann.tasks(case.journal.cache.projects()[place(1, "b2")])
    assert max(len(text) for text in task["data"].values()) > 1 << 20
    case.label(case.ann, [task])
    assert case.pull().judgments.num_rows == 1


def test_tokens_are_nowhere_in_the_store(case: Case, studio: Server) -> None:
    case.label(case.ann, case.tasks()[:1])
    case.pull()
    stored = b"".join(file.read_bytes() for file in case.folder.path.iterdir() if file.name.startswith("campaign.db"))
    assert studio.connection.token.encode() not in stored
    assert studio.admin_password.encode() not in stored
    assert case.folder.store.stat().st_mode & 0o777 == 0o600
    assert httpx.URL(case.studio.url).host == "127.0.0.1"
