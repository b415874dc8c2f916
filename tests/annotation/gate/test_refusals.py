"""What an annotator may try at the gate in vain, and what the gate makes of a body."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from annotation.server.accounts import PasswordError, session
from tests.annotation.gate.projects import Desk, make_desk, make_project
from tests.annotation.labelling import choice
from tests.annotation.parts import Gate, Studio, another_gate


@pytest.fixture(scope="module")
def gate(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with another_gate(studio, tmp_path_factory.mktemp("gate") / "gate.log") as running:
        yield running


@pytest.fixture(scope="module")
def admin(studio: Studio) -> Iterator[httpx.Client]:
    with session(studio.connection.url, studio.admin_email, studio.admin_password) as client:
        yield client


@pytest.fixture(scope="module")
def mine(studio: Studio, admin: httpx.Client) -> Desk:
    return make_desk(admin, studio, studio.annotator("mine"))


@pytest.fixture(scope="module")
def theirs(studio: Studio, admin: httpx.Client) -> Desk:
    return make_desk(admin, studio, studio.annotator("theirs"))


@pytest.fixture(scope="module")
def client(gate: Gate, mine: Desk) -> Iterator[httpx.Client]:
    """A page of the annotator's, signed in."""
    with session(gate.url, mine.account.email, mine.account.password) as signed_in:
        signed_in.headers.update({"Origin": gate.url, "X-CSRFToken": signed_in.cookies["csrftoken"]})
        yield signed_in


RESULT = [choice("preference", "b_better")]


def annotations(admin: httpx.Client, task: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = admin.get(f"/api/tasks/{task}/annotations/").raise_for_status().json()
    return found


def test_votes_of_colleagues_can_be_neither_read_nor_made_nor_changed(
    client: httpx.Client, admin: httpx.Client, mine: Desk, theirs: Desk
) -> None:
    """What a person did who replaced the votes of two colleagues, and what else the server would let them do."""
    theirs_before = admin.get(f"/api/projects/{theirs.numbers.project}/export?exportType=JSON").json()
    own, other = mine.numbers, theirs.numbers
    copied = [{"data": {}, "annotations": [{"result": RESULT, "completed_by": other.user}]}]
    for method, path, body in (
        ("GET", f"/api/projects/{other.project}/export?exportType=JSON", None),
        ("POST", f"/api/projects/{other.project}/import", copied),
        ("POST", f"/api/projects/{own.project}/import", copied),
        ("DELETE", f"/api/tasks/{other.task}/", None),
        ("DELETE", f"/api/tasks/{own.task}/", None),
        ("DELETE", f"/api/annotations/{other.annotation}/", None),
        ("PATCH", f"/api/annotations/{other.annotation}/", {"result": RESULT}),
        ("POST", f"/api/tasks/{other.task}/annotations/", {"result": RESULT}),
        ("POST", f"/api/dm/actions/?id=delete_tasks&project={own.project}", {"selectedItems": {"all": True}}),
        ("POST", f"/api/dm/actions/?id=next_task&project={other.project}", {}),
        ("PATCH", f"/api/projects/{own.project}/", {"label_config": "<View></View>"}),
        ("PATCH", f"/api/projects/{own.project}/", {"expert_instruction": "choose A"}),
        ("PATCH", f"/api/projects/{own.project}/", {"description": f"gristmill {'0' * 20} x@y.example"}),
        ("DELETE", f"/api/projects/{own.project}/", None),
        ("DELETE", f"/api/projects/{other.project}/", None),
        ("POST", "/api/users/", {"email": "minted@mill.example", "password": "flour-and-bread"}),
        ("POST", "/api/token/", {}),
        ("GET", "/api/token/", None),
        ("GET", "/api/current-user/token", None),
        ("GET", "/api/invite", None),
        ("POST", "/api/invite/reset-token", {}),
        ("GET", "/api/organizations/1/memberships", None),
        ("POST", "/api/webhooks/", {"url": "http://127.83.0.1:1/", "project": own.project}),
        ("GET", "/user/signup/", None),
        ("GET", "/user/account", None),
    ):
        answer = client.request(method, path, json=body)
        assert answer.status_code == 404, (method, path)
    assert admin.get(f"/api/projects/{theirs.numbers.project}/export?exportType=JSON").json() == theirs_before
    assert admin.get(f"/api/projects/{own.project}/").json()["expert_instruction"] != "choose A"


def test_numbers_that_do_not_belong_together_are_refused(client: httpx.Client, mine: Desk, theirs: Desk) -> None:
    own, other = mine.numbers, theirs.numbers
    answer = {"result": RESULT}
    tried: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", f"/api/tasks/{own.task}?project={other.project}", {}),
        ("GET", f"/api/tasks/{other.task}?project={own.project}", {}),
        ("POST", f"/api/tasks/{own.task}/annotations?project={other.project}", answer),
        ("POST", f"/api/tasks/{own.task}/annotations", {**answer, "project": other.project}),
        ("POST", f"/api/tasks/{own.task}/annotations", {**answer, "task": other.task}),
        ("POST", f"/api/tasks/{own.task}/annotations", {**answer, "task": mine.open_task}),
        ("POST", f"/api/tasks/{own.task}/annotations", {**answer, "draft_id": other.draft}),
        ("POST", f"/api/tasks/{own.task}/annotations", {**answer, "draft_id": own.draft}),  # of the other task
        ("PATCH", f"/api/annotations/{own.annotation}?taskID={other.task}", answer),
        ("PATCH", f"/api/annotations/{own.annotation}?taskID={mine.open_task}", answer),
        ("PATCH", f"/api/annotations/{own.annotation}?task={own.task}&taskID={mine.open_task}", answer),
        ("POST", f"/api/tasks/{mine.open_task}/annotations/{own.annotation}/drafts", answer),
        ("POST", f"/api/tasks/{own.task}/annotations/{other.annotation}/drafts", answer),
        ("PATCH", f"/api/drafts/{other.draft}", answer),
        ("DELETE", f"/api/drafts/{other.draft}", {}),
        ("PATCH", f"/api/drafts/{own.draft}", {**answer, "annotation": own.annotation}),
        ("GET", "/api/tasks/999999", {}),
        ("GET", "/api/projects/999999", {}),
    ]
    for method, path, body in tried:
        assert client.request(method, path, json=body or None).status_code == 404, (method, path, body)


def test_a_body_says_what_the_page_says_and_nothing_else(
    client: httpx.Client, admin: httpx.Client, mine: Desk, theirs: Desk
) -> None:
    other = theirs.numbers
    body = {
        "result": RESULT, "lead_time": 3.5, "completed_by": other.user, "updated_by": other.user, "ground_truth": True,
        "parent_annotation": other.annotation, "parent_prediction": 1, "import_id": 7, "last_action": "imported",
        "created_at": "2020-01-01T00:00:00Z", "bulk_created": True, "created_username": "x, 1", "draft_id": 0,
        "project": str(mine.numbers.project), "unique_id": "e88f85ca-bb1f-4099-8c81-9c4b3fe9e3d1",
    }  # fmt: skip
    made = client.post(f"/api/tasks/{mine.numbers.task}/annotations", json=body).raise_for_status().json()
    changed = client.patch(f"/api/annotations/{made['id']}", json={**body, "lead_time": 4.5}).raise_for_status().json()
    [kept] = [each for each in annotations(admin, mine.numbers.task) if each["id"] == made["id"]]
    assert changed["lead_time"] == kept["lead_time"] == 4.5
    assert kept["completed_by"] == kept["updated_by"] == mine.account.user_id
    assert not kept["ground_truth"]
    assert kept["parent_annotation"] is kept["parent_prediction"] is kept["import_id"] is None
    assert not kept["created_at"].startswith("2020")
    assert client.delete(f"/api/annotations/{made['id']}").status_code == 204
    assert client.delete(f"/api/annotations/{made['id']}").status_code == 404


NEVER_SENT = (
    *(b"", b"[]", b"null", b"{", b'{"result": {}}', b'{"result": [], "lead_time": NaN}', b"\xff{}", b"[" * 100_000),
    *(
        b'{"result": [], "lead_time": "1"}',
        b'{"result": [], "was_cancelled": "no"}',
        b'{"result": [], "project": true}',
    ),
    *(
        b'{"result": [], "draft_id": {}}',
        b'{"result": [], "unique_id": "1"}',
        b'{"result": ["%b"]}' % (b"x" * (1 << 20)),
    ),
)


def test_bodies_that_the_page_does_not_send_are_refused(client: httpx.Client, admin: httpx.Client, mine: Desk) -> None:
    path = f"/api/tasks/{mine.numbers.task}/annotations"
    before = annotations(admin, mine.numbers.task)
    for content in NEVER_SENT:
        answer = client.post(path, content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 404, content[:40]
    assert client.post(path, data={"result": "[]"}).status_code == 404, "a form, which another site can send"
    assert annotations(admin, mine.numbers.task) == before


def test_half_a_character_spoils_no_answer(client: httpx.Client, mine: Desk) -> None:
    content = json.dumps({"result": [{**choice("preference", "a_better"), "meta": "cut \ud83d, whole \U0001f600"}]})
    headers = {"Content-Type": "application/json"}
    answer = client.post(f"/api/tasks/{mine.numbers.task}/annotations", content=content, headers=headers)
    assert answer.raise_for_status().json()["result"][0]["meta"] == "cut \ufffd, whole \U0001f600"
    client.delete(f"/api/annotations/{answer.json()['id']}").raise_for_status()


def test_a_task_holds_its_annotator_s_own_answers_alone(client: httpx.Client, admin: httpx.Client, mine: Desk) -> None:
    headers = {"X-CSRFToken": admin.cookies["csrftoken"]}
    path = f"/api/tasks/{mine.numbers.task}/annotations/"
    strange = admin.post(path, json={"result": RESULT}, headers=headers).raise_for_status().json()["id"]
    seen = client.get(f"/api/tasks/{mine.numbers.task}").raise_for_status().json()["annotations"]
    assert mine.numbers.annotation in [each["id"] for each in seen]
    assert strange not in [each["id"] for each in seen]
    admin.delete(f"/api/annotations/{strange}/", headers=headers).raise_for_status()


def test_the_page_learns_nothing_about_other_people(client: httpx.Client, studio: Studio, mine: Desk) -> None:
    project = mine.numbers.project
    for path in (
        f"/projects/{project}/data?labeling=1", f"/api/users?project={project}", "/api/current-user/whoami", "/",
        f"/api/projects/{project}", f"/api/dm/project?project={project}", f"/api/dm/columns?project={project}",
    ):  # fmt: skip
        text = client.get(path).raise_for_status().text
        emails = set(re.findall(r"[\w.+-]+@[\w.-]+\.[a-z]+", text)) - {mine.account.email}
        assert not emails, path


def test_a_stranger_s_lock_does_not_take_a_task_away(client: httpx.Client, admin: httpx.Client, mine: Desk) -> None:
    project = mine.numbers.project
    locked = admin.get(f"/api/projects/{project}/next/").raise_for_status().json()["id"]
    assert locked == mine.open_task
    ask = f"/api/dm/actions?id=next_task&project={project}"
    assert client.post(ask, json={}).raise_for_status().json()["id"] == mine.open_task
    draft = {"result": [], "was_postponed": True}
    client.patch(f"/api/drafts/{mine.numbers.draft}", json=draft).raise_for_status()
    given = client.post(ask, json={}).raise_for_status().json()
    assert given["id"] == mine.open_task, "postponed, and locked by a stranger"
    assert given["data"]["prompt"]


def test_a_project_without_an_owner_belongs_to_nobody(client: httpx.Client, admin: httpx.Client) -> None:
    project, [task] = make_project(admin, None)
    assert client.get(f"/api/projects/{project}").status_code == 404
    assert client.get(f"/api/tasks/{task}").status_code == 404


def test_refusals_are_logged_in_one_line_without_secrets(gate: Gate, client: httpx.Client, mine: Desk) -> None:
    client.get("/api/projects/1/export?exportType=JSON&token=sesame")
    client.get("/api/users/7/%0a%1b[31m?x=sesame")
    lines = gate.log.read_text().splitlines()
    wanted = f"refused {mine.account.email} GET /api/projects/1/export: not in the allow-list"
    assert any(line.endswith(wanted) for line in lines)
    text = "\n".join(lines)
    assert "sesame" not in text
    assert "\x1b" not in text
    assert client.cookies["gristmill"] not in text
    assert mine.account.password not in text


def test_the_store_holds_no_name_of_a_session(studio: Studio, client: httpx.Client) -> None:
    store = Path(studio.home) / "sessions.sqlite3"
    assert store.stat().st_mode & 0o777 == 0o600
    content = b"".join(each.read_bytes() for each in store.parent.glob("sessions.sqlite3*"))
    assert client.cookies["gristmill"].encode() not in content


def test_the_administrator_cannot_sign_in_at_the_gate(gate: Gate, studio: Studio) -> None:
    with pytest.raises(PasswordError), session(gate.url, studio.admin_email, studio.admin_password):
        pass
