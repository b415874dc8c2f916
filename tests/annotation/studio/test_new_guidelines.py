"""New guidelines of a batch that runs reach its projects; the change is no manipulation, also if the push is killed."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from annotation.campaign.rewording import reword_batches
from annotation.journal.rehearsal import rehearsal
from annotation.judgments.snapshot import Snapshot
from annotation.studio import push as pushing
from annotation.studio.client import Studio
from annotation.studio.comparing import compare
from annotation.studio.pull import pull
from annotation.studio.push import push
from tests.annotation.labelling import Annotator, opinion
from tests.annotation.parts import Studio as Server
from tests.annotation.studio.test_push_pull import Case, place
from tests.annotation.studio.test_undo import Killed

SECOND = {"from_name": "wording", "to_name": "prompt", "type": "number", "value": {"number": 2}}


@pytest.fixture
def case(tmp_path: Path, studio: Server, people: list[Annotator]) -> Iterator[Case]:
    with ExitStack() as stack:
        yield Case(tmp_path, studio, people, stack)


def rehearse(case: Case) -> set[str]:
    """What a push would do."""
    with rehearsal(case.journal.path) as copy:
        return {what for _, what in compare(copy, case.studio)}


def seen(snapshot: Snapshot) -> dict[str, tuple[int, int]]:
    return {row["pair_id"]: (row["first_wording"], row["last_wording"]) for row in snapshot.wordings.to_pylist()}


def test_votes_under_both_wordings_count_and_are_told_apart(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = case.tasks()
    pairs = {row["uid"]: row["pair_id"] for row in case.pull().assignments.to_pylist()}

    def vote(place: int, *marks: dict[str, Any]) -> str:
        data = tasks[place]["data"]
        case.ann.submit(tasks[place]["id"], [*opinion(data, case.ann.name), *marks])
        return pairs[data["uid"]]

    before = vote(0)
    case.pull()
    (case.folder.path / "guidelines.md").write_text("# Be kind\n", encoding="utf-8")
    assert reword_batches(case.folder, case.journal) == {"b1": 2}
    between = vote(1)
    assert rehearse(case) == {"would get the new guidelines"}
    assert len(pull(case.journal, case.studio).waiting) == 2, "nothing is read until the guidelines are there"

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(pushing, "note", die)
        push(case.journal, case.studio)
    assert "Be kind" in case.studio.project(case.project(1)).page.instruction, "killed before it was noted"
    assert len(pull(case.journal, case.studio).waiting) == 2
    assert len(push(case.journal, case.studio).reworded) == 2
    again = push(case.journal, case.studio)
    assert (again.reworded, again.repaired, again.imported) == ([], [], 0)

    after, open_page = vote(2, SECOND), vote(3)
    snapshot = case.pull()
    assert seen(snapshot) == {before: (1, 1), between: (1, 2), after: (2, 2), open_page: (1, 2)}
    assert (snapshot.refused.num_rows, snapshot.findings, len(snapshot.judgments)) == (0, (), 4)

    repair = Studio.project(case.studio, case.project(1)).page
    body = {"label_config": repair.config, "expert_instruction": "<p>Choose A.</p>"}
    case.ann._send("PATCH", f"/api/projects/{case.project(1)}/", body)
    vote(4, SECOND)
    assert rehearse(case) == {"would be repaired, as it was changed in Label Studio (instructions)"}
    snapshot = case.pull()
    assert [finding.kind for finding in snapshot.findings] == ["changed_instructions"]
    assert snapshot.refused["reason"].to_pylist() == ["changed_page"]
    assert push(case.journal, case.studio).repaired == [place(1)]
    assert rehearse(case) == set()
