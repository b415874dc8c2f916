"""A batch that nobody has begun can be undone, however often the command is repeated or interrupted."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc
import pytest

from annotation.campaign.plan import plan
from annotation.campaign.settings import Gold
from annotation.journal.fold import fold
from annotation.journal.journal import Journal
from annotation.judgments.audit import statements
from annotation.studio.client import Studio
from annotation.studio.pull import pull
from annotation.studio.push import push
from annotation.studio.undo import undo
from curation.dedup.near import families
from schemas.errors import UserError
from tests.annotation.campaigns import golden, prompts, write_rows
from tests.annotation.labelling import Annotator
from tests.annotation.parts import Studio as Server
from tests.annotation.studio.test_push_pull import Case


@pytest.fixture
def case(tmp_path: Path, studio: Server, people: list[Annotator]) -> Iterator[Case]:
    with ExitStack() as stack:
        yield Case(tmp_path, studio, people, stack)


class Killed(BaseException):
    """Ends a command as a kill does."""


def during_deletion(monkeypatch: pytest.MonkeyPatch, other: Callable[[], object]) -> None:
    """Runs another command once, before the first project is deleted."""
    delete, waiting = Studio.delete_project, [other]

    def interrupted(studio: Studio, project: int) -> None:
        if waiting:
            waiting.pop()()
        delete(studio, project)

    monkeypatch.setattr(Studio, "delete_project", interrupted)


@pytest.mark.soak
def test_a_vote_that_is_pulled_during_an_undo_counts(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def vote() -> None:
        case.label(case.ann, case.tasks()[:1])
        with Journal(case.folder.store) as journal:
            pull(journal, case.studio)

    during_deletion(monkeypatch, vote)
    with pytest.raises(UserError, match=r"in the journal; .* deleted before this: 2; gristmill campaign push .* again"):
        undo(case.journal, case.studio, "b1")
    assert len(case.pull().judgments) == 1
    again = push(case.journal, case.studio)
    assert (again.projects, again.imported, again.existing) == (2, 11, 1)
    snapshot = case.pull()
    assert (len(snapshot.judgments), snapshot.refused.num_rows, snapshot.findings) == (1, 0, ())


@pytest.mark.soak
def test_a_batch_that_is_planned_during_an_undo_keeps_its_gold(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    path = case.folder.path
    write_rows(path / "gold.jsonl", golden(range(4)))

    def planned(batch: str, numbers: range) -> None:
        write_rows(path / f"{batch}.jsonl", prompts(numbers))
        gold, responses = Gold(file="gold.jsonl", share=0.5), f"{batch}.jsonl"
        campaign = replace(case.folder.campaign, batch=batch, responses=responses, gold=gold, seed=2)
        with Journal(case.folder.store) as journal:
            plan(replace(case.folder, campaign=campaign), journal, families)

    planned("b2", range(2))
    push(case.journal, case.studio)
    during_deletion(monkeypatch, lambda: planned("b3", range(2, 8)))
    refusal = r"batch b3 asks gold pairs of batch b2: undo batch b3 first\. Projects of batch b2 that were deleted"
    with pytest.raises(UserError, match=refusal):
        undo(case.journal, case.studio, "b2")
    asked = fold(case.journal).tasks.filter(pc.field("batch") != "b1").num_rows
    assert push(case.journal, case.studio).imported == asked
    assert undo(case.journal, case.studio, "b3") == undo(case.journal, case.studio, "b2") == 2
    assert [*fold(case.journal).batches] == ["b1"]


def test_undo_until_somebody_begins(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    before, numbers = fold(case.journal), set(case.journal.cache.projects().values())

    def die(*_: object) -> None:
        raise Killed

    for step, projects in (("delete_project", 2), ("_never", 0)):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            if projects:
                patch.setattr(Studio, step, die)
            else:
                patch.setattr(case.journal.cache, "remember_project", die)
            undo(case.journal, case.studio, "b1")
        assert fold(case.journal).batches == before.batches, "the journal is written last"
        assert len(numbers & {each.project for each in case.studio.projects()}) == projects
    assert undo(case.journal, case.studio, "b1") == undo(case.journal, case.studio, "b1") == 0
    assert fold(case.journal).undone == ("b1",)
    assert any(line.startswith(b'{"statement":"undone","batch":"b1"') for line in statements(case.journal))
    with pytest.raises(UserError, match=r"has no project in Label Studio: run gristmill campaign push"):
        pull(case.journal, case.studio)
    with pytest.raises(UserError, match="the campaign has no batch 'b9'"):
        undo(case.journal, case.studio, "b9")

    (case.folder.path / "guidelines.md").write_text("# Be kind\n", encoding="utf-8")
    assert plan(case.folder, case.journal, families).new
    assert push(case.journal, case.studio).imported == 12
    task = case.tasks()[0]
    draft = case.ann._send("POST", f"/api/tasks/{task['id']}/drafts", {"result": [], "lead_time": 1})
    with pytest.raises(UserError, match=r"batch b1 has begun: 1 of its tasks have an annotation or a draft in http"):
        undo(case.journal, case.studio, "b1")
    case.ann._send("DELETE", f"/api/drafts/{draft['id']}/", None)
    case.ann.skip(task["id"])
    with pytest.raises(UserError, match=r"batch b1 has begun: 1 of its tasks .* in http"):
        undo(case.journal, case.studio, "b1")
    case.pull()
    with pytest.raises(UserError, match=r"batch b1 has begun: 1 of its tasks .* in the journal"):
        undo(case.journal, case.studio, "b1")
    assert len(case.tasks()) == 6
