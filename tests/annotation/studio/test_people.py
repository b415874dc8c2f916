"""Invitations on a real Label Studio: accounts that open, passwords that need no keeping, links that lead to work."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from annotation.campaign.plan import plan
from annotation.campaign.settings import Campaign, CampaignFolder
from annotation.journal.journal import Journal
from annotation.journal.places import Place
from annotation.server.accounts import PasswordError, session
from annotation.server.home import Home
from annotation.studio.client import Studio
from annotation.studio.people import Invitation, invite, reset_password
from annotation.studio.pull import pull
from annotation.studio.push import push
from curation.dedup.near import families
from schemas.errors import UserError
from tests.annotation.labelling import choice, signed_in
from tests.annotation.parts import Account
from tests.annotation.parts import Studio as Server

PEOPLE = ("ivy@mill.example", "jon@mill.example")


def pushed(folder: Path, studio: Studio, name: str, batch: str = "b1") -> CampaignFolder:
    folder.mkdir(exist_ok=True)
    row = {
        "prompt": f"What is {batch}?",
        "responses": [{"model": "m1", "text": "Rye."}, {"model": "m2", "text": "Oats."}],
    }
    (folder / "responses.jsonl").write_text(json.dumps(row), encoding="utf-8")
    (folder / "guidelines.md").write_text("# Be fair\n", encoding="utf-8")
    settings = {"name": name, "protocol": "preference", "batch": batch, "responses": "responses.jsonl", "votes": 2}
    made = CampaignFolder(folder, Campaign(**settings, annotators=PEOPLE), "settings")  # type: ignore[arg-type]
    with Journal(made.store, create=True) as journal:
        plan(made, journal, families)
        push(journal, studio)
    return made


def invited(folder: CampaignFolder, studio: Studio, *people: str) -> list[Invitation]:
    with Journal(folder.store) as journal:
        return list(invite(journal, studio, people or PEOPLE))


@pytest.fixture
def client(studio: Server) -> Iterator[Studio]:
    with Studio(studio.connection) as client:
        yield client


def test_invitations_open_and_stay_the_same(tmp_path: Path, client: Studio) -> None:
    first = pushed(tmp_path / "first", client, "first")
    made = invited(first, client)
    assert [each.email for each in made] == list(PEOPLE)
    assert len({each.password for each in made}) == 2
    for each in made:
        assert each.password
        assert each.password not in repr(each)
        with session(client.url, each.email, each.password) as signed_in:
            assert signed_in.get("/api/current-user/whoami").json()["email"] == each.email
    assert invited(first, client) == made
    first.store.unlink()
    again = pushed(tmp_path / "first", client, "first")
    assert [each.password for each in invited(again, client, "JON@mill.example")] == [made[1].password]


def test_a_failure_hides_no_invitation_that_was_made(tmp_path: Path, client: Studio) -> None:
    folder = pushed(tmp_path / "mill", client, "refused")
    with Journal(folder.store) as journal:
        coming = invite(journal, client, ["kit@mill.example", "kit..two@mill.example"])
        assert next(coming).email == "kit@mill.example"
        with pytest.raises(UserError, match=r"kit\.\.two@mill\.example"):
            next(coming)


def test_one_link_leads_through_all_batches_behind_the_gate(tmp_path: Path, client: Studio, studio: Server) -> None:
    folder = pushed(tmp_path / "mill", client, "links")
    pushed(tmp_path / "mill", client, "links", "b2")
    public = "https://labels.example.org"
    for connection in (studio.connection, replace(studio.connection, public_url=public)):
        with Studio(connection) as gated:
            [invitation] = invited(folder, gated, PEOPLE[0])
        assert invitation.links == (f"{connection.public_url}/next",)


def test_without_a_gate_a_link_leads_to_each_open_batch(tmp_path: Path, client: Studio, studio: Server) -> None:
    folder = pushed(tmp_path / "mill", client, "links")
    pushed(tmp_path / "mill", client, "links", "b2")
    bare = replace(studio.connection, public_url=studio.connection.url)
    with Studio(bare) as ungated, Journal(folder.store) as journal:
        [invitation] = invited(folder, ungated, PEOPLE[0])
        batches = [Place(name, "vote", "links/a1") for name in ("b1", "b2")]
        goals = [f"/projects/{journal.cache.projects()[place]}/data?labeling=1" for place in batches]
        assert [link.partition("?")[0] for link in invitation.links] == [f"{bare.url}/user/login/"] * 2
        assert [parse_qs(link.partition("?")[2]) for link in invitation.links] == [{"next": [goal]} for goal in goals]
        with signed_in(bare.url, Account(PEOPLE[0], invitation.password or "", 0, "")) as annotator:
            [task] = annotator.tasks(journal.cache.projects()[batches[0]])
            annotator.submit(task["id"], [choice("preference", "a_better")])
        pull(journal, ungated)
        [invitation] = invited(folder, ungated, PEOPLE[0])
        assert [parse_qs(link.partition("?")[2]) for link in invitation.links] == [{"next": [goals[1]]}]


def test_somebody_s_own_password_is_not_known(tmp_path: Path, client: Studio, studio: Server) -> None:
    own = studio.annotator("own")
    [invitation] = invited(pushed(tmp_path / "mill", client, "own"), client, own.email)
    assert invitation.password is None
    assert invitation.links == (), "they have no tasks in this campaign"


def test_a_new_password_ends_the_old_one_and_its_sessions(client: Studio, studio: Server) -> None:
    forgetful, admin = studio.annotator("forgetful"), Home(studio.home).admin
    assert admin is not None
    with session(client.url, forgetful.email, forgetful.password) as before:
        password = reset_password(client, admin, forgetful.email.upper())
        assert before.get("/api/current-user/whoami").status_code == 401
    with session(client.url, forgetful.email, password) as after:
        assert after.get("/api/current-user/whoami").json()["email"] == forgetful.email
    with pytest.raises(PasswordError):
        session(client.url, forgetful.email, forgetful.password).__enter__()
    with pytest.raises(UserError, match=r"nobody@mill\.example has no account"):
        reset_password(client, admin, "nobody@mill.example")
