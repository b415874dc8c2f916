"""Watching a real Label Studio: its webhooks hint, outages are outlasted, nothing is left behind."""

import time
from pathlib import Path

import httpx
import pytest

from annotation.journal.journal import Journal
from annotation.server.connection import Connection
from annotation.studio.client import Studio
from annotation.studio.watch import watch
from tests.annotation.faults import faulty
from tests.annotation.labelling import opinion, signed_in
from tests.annotation.parts import Studio as Server
from tests.annotation.studio.test_people import pushed

LATEST_SECONDS = 30.0


def test_a_vote_is_pulled_when_label_studio_calls(tmp_path: Path, studio: Server, api: httpx.Client) -> None:
    said: list[str] = []
    with Studio(studio.connection) as client:
        folder = pushed(tmp_path / "mill", client, "watched")
        with Journal(folder.store) as journal, signed_in(studio.connection.url, studio.annotator("ann")) as ann:
            project = max(journal.cache.projects().values())
            watching = watch(journal, client, LATEST_SECONDS, said.append)
            assert next(watching).kept == 0
            [task] = ann.tasks(project)
            ann.submit(task["id"], opinion(task["data"], "ann"))
            began = time.monotonic()
            assert next(watching).kept == 1
            assert time.monotonic() - began < LATEST_SECONDS / 2, "it waited for no hint"
            assert api.get("/api/webhooks/", params={"project": project}).json()
            watching.close()
            assert not api.get("/api/webhooks/", params={"project": project}).json()
    assert not said


def test_watching_reports_an_outage_and_goes_on(
    tmp_path: Path, studio: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.studio.client.PAUSE", 0.001)
    said: list[str] = []
    shares = {"refuse": 0.0}

    def tell(sentence: str) -> None:
        said.append(sentence)
        shares["refuse"] = 0.0

    with faulty(studio.connection.url, 1, shares) as faults:
        connection = Connection(faults.url, studio.connection.token, faults.url)
        with Studio(connection, timeout=5) as client:
            folder = pushed(tmp_path / "mill", client, "outage")
            with Journal(folder.store) as journal:
                watching = watch(journal, client, 0.01, tell)
                before = next(watching)
                shares["refuse"] = 1.0
                assert next(watching).revision == before.revision
                shares["refuse"] = 1.0
                watching.close()
    assert len(said) == 1
    assert said[0].endswith("; trying again in 0.01 s")
    assert studio.connection.token not in said[0]


def test_watching_goes_on_without_webhooks(tmp_path: Path, studio: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.studio.watch.CALLBACK_HOST", "192.0.2.1")  # of no machine (RFC 5737)
    said: list[str] = []
    with Studio(studio.connection) as client:
        folder = pushed(tmp_path / "mill", client, "unhinted")
        with Journal(folder.store) as journal:
            assert len(list(watch(journal, client, 0.01, said.append, rounds=3))) == 3
    [line] = said
    assert line.startswith("cannot listen on 192.0.2.1 for webhooks")
