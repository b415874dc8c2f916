"""The projects of a person whose email address was erased stay as they are, and count as unchanged."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from annotation.dataset import build
from annotation.journal.rehearsal import rehearsal
from annotation.journal.signing import PUBLIC_KEY, key_file, read_public_key, sign
from annotation.judgments.audit import check_audit, write_audit
from annotation.studio.comparing import compare
from annotation.studio.pull import pull
from annotation.studio.push import push
from curation.dedup.near import families
from tests.annotation.labelling import Annotator, choice
from tests.annotation.parts import Studio as Server
from tests.annotation.studio.test_push_pull import Case, place


@pytest.fixture
def case(tmp_path: Path, studio: Server, people: list[Annotator]) -> Iterator[Case]:
    with ExitStack() as stack:
        yield Case(tmp_path, studio, people, stack)


def test_an_erased_person_is_no_change_in_label_studio(case: Case) -> None:
    case.label(case.ann, case.tasks()[:2])
    case.pull()
    assert case.journal.erase(case.ann.name)
    number = case.project(1)
    before = case.studio.project(number)
    snapshot = case.pull()
    assert (snapshot.findings, snapshot.judgments.num_rows) == ((), 2)
    with rehearsal(case.journal.path) as copy:
        assert compare(copy, case.studio) == []
    again = push(case.journal, case.studio)
    assert (again.projects, again.imported, again.removed, again.repaired) == (0, 0, 0, [])
    assert case.studio.project(number) == before
    page = replace(before.page, instruction="Choose left.")
    case.studio.repair_project(number, before.marker, before.owner, page)
    assert {each.kind for each in case.pull().findings} == {"changed_instructions"}
    assert push(case.journal, case.studio).repaired == [place(1)]
    assert case.studio.project(number) == before, "a repair keeps the owner in the description"


def test_votes_after_an_erasure_count_and_bring_no_address_back(case: Case, tmp_path: Path) -> None:
    email, tasks = case.ann.name, case.tasks()
    said = {**choice("comment"), "type": "textarea", "value": {"text": [f"Write to {email.title()}"]}}
    first, second = case.label(case.ann, tasks[:2])
    case.pull()
    case.journal.erase(email)
    case.label(case.ann, tasks[2:4])
    case.ann.change(first, [choice("preference", "a_negligibly_better"), said])
    case.ann.delete(second)
    case.ann.skip(tasks[4]["id"])
    case.label(case.bob, case.tasks(2)[:1])
    snapshot = case.pull()
    assert Counter(snapshot.judgments["annotator"].to_pylist()) == {"pushed/a1": 3, "pushed/a2": 1}
    assert (snapshot.refused.num_rows, snapshot.findings) == (0, ())
    assert Counter(snapshot.assignments["state"].to_pylist()) == {"done": 4, "skipped": 1, "open": 7}
    assert email not in [value.lower() for _, _, value in case.journal.personal()]
    assert not [row for row in case.journal.stored_rows() if email.encode() in row[3].lower()]
    assert pull(case.journal, case.studio).kept == 0, "the same votes are not copied again"
    sign(case.journal, key_file())
    lines = list(write_audit(case.journal, names=True))
    (tmp_path / "audit.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    public = read_public_key(case.folder.path / PUBLIC_KEY)
    assert check_audit(tmp_path / "audit.jsonl", public).rows == case.journal.revision
    assert not [line for line in lines if email.encode() in line.lower()]
    assert sum(line.startswith(b'{"statement":"counted"') for line in lines) == 4
    build([snapshot], tmp_path / "dataset", families)
    for file in (tmp_path / "dataset").rglob("*.*"):
        assert email.encode() not in file.read_bytes().lower()
