"""A batch that nobody has begun can be undone, however often the command is repeated or interrupted."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from annotation.campaign.plan import plan
from annotation.journal.fold import fold
from annotation.judgments.audit import statements
from annotation.studio.client import Studio
from annotation.studio.pull import pull
from annotation.studio.push import push
from annotation.studio.undo import undo
from curation.dedup.near import families
from schemas.errors import UserError
from tests.annotation.labelling import Annotator
from tests.annotation.parts import Studio as Server
from tests.annotation.studio.test_push_pull import Case


@pytest.fixture
def case(tmp_path: Path, studio: Server, people: list[Annotator]) -> Iterator[Case]:
    with ExitStack() as stack:
        yield Case(tmp_path, studio, people, stack)


class Killed(BaseException):
    """Ends a command as a kill does."""


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
