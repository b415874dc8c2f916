"""The projects of a person whose email address was erased stay as they are, and count as unchanged."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from annotation.journal.rehearsal import rehearsal
from annotation.studio.comparing import compare
from annotation.studio.push import push
from tests.annotation.labelling import Annotator
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
