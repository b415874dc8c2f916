"""Backups that are restored, and servers that are exchanged: no vote goes, and none comes, without a question."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from annotation.journal.journal import Journal
from annotation.judgments.snapshot import Snapshot, load
from annotation.studio.pull import pull
from annotation.studio.push import push
from schemas.errors import UserError
from tests.annotation.labelling import Annotator, choice
from tests.annotation.parts import Studio as Server
from tests.annotation.studio.test_push_pull import Case

TABLES = {"project": "id", "task": "project_id", "task_completion": "project_id"}
"""The tables of Label Studio that hold a campaign, each with its column of the project."""
QUESTION = "looks like an older backup"
OTHER = "is not the server that"


class Mill:
    """A campaign on a server whose database can be backed up and restored, as far as it holds the campaign."""

    def __init__(self, case: Case, server: Server):
        self.case = case
        self.path = server.home / "data" / "label_studio.sqlite3"
        self.projects = list(case.journal.cache.projects().values())

    def load(self) -> Snapshot:
        return load(self.case.folder.path)

    def _marks(self) -> str:
        return ", ".join(map(str, self.projects))

    def backup(self) -> dict[str, list[tuple[Any, ...]]]:
        with closing(sqlite3.connect(self.path, timeout=60)) as db:
            return {
                table: list(db.execute(f"SELECT * FROM {table} WHERE {column} IN ({self._marks()})"))
                for table, column in TABLES.items()
            }

    def restore(self, saved: dict[str, list[tuple[Any, ...]]]) -> None:
        with closing(sqlite3.connect(self.path, timeout=60)) as db, db:
            for table, column in TABLES.items():
                db.execute(f"DELETE FROM {table} WHERE {column} IN ({self._marks()})")
                for row in saved[table]:
                    db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)

    def become_another(self) -> None:
        """Another server, on which all numbers and descriptions are the same."""
        with closing(sqlite3.connect(self.path, timeout=60)) as db, db:
            db.execute("UPDATE organization SET created_at = datetime(created_at, '+1 day') || '.000001'")

    def become_itself(self) -> None:
        with closing(sqlite3.connect(self.path, timeout=60)) as db, db:
            db.execute("UPDATE organization SET created_at = ?", (self.born,))

    born: str = ""


@pytest.fixture
def mill(tmp_path: Path, studio: Server, people: list[Annotator]) -> Iterator[Mill]:
    with ExitStack() as stack:
        made = Mill(Case(tmp_path, studio, people, stack), studio)
        with closing(sqlite3.connect(made.path, timeout=60)) as db:
            [made.born] = db.execute("SELECT created_at FROM organization").fetchone()
        stack.callback(made.become_itself)
        yield made


def vote(mill: Mill, number: int, *tasks: int) -> list[int]:
    """Votes of ann (1) or bob (2) on some of their tasks, by place."""
    who = (mill.case.ann, mill.case.bob)[number - 1]
    listed = mill.case.tasks(number)
    return mill.case.label(who, [listed[task] for task in tasks])


def before_any_vote(mill: Mill) -> None:
    saved = mill.backup()
    vote(mill, 1, 0, 1, 2)
    mill.case.pull()
    mill.restore(saved)


def between_votes(mill: Mill) -> None:
    vote(mill, 1, 0, 1)
    mill.case.pull()
    saved = mill.backup()
    vote(mill, 1, 2, 3)
    vote(mill, 2, 0)
    mill.case.pull()
    mill.restore(saved)


def after_an_edit(mill: Mill) -> None:
    [first] = vote(mill, 1, 0)
    mill.case.pull()
    saved = mill.backup()
    mill.case.ann.change(first, [choice("preference", "b_better")])
    mill.case.pull()
    mill.restore(saved)


def after_a_deletion(mill: Mill) -> None:
    first, _ = vote(mill, 1, 0, 1)
    mill.case.pull()
    saved = mill.backup()
    mill.case.ann.delete(first)
    mill.case.pull()
    mill.restore(saved)


def after_a_skip(mill: Mill) -> None:
    task = mill.case.tasks()[0]
    skip = mill.case.ann.skip(task["id"])
    mill.case.pull()
    saved = mill.backup()
    mill.case.ann.delete(skip)
    vote(mill, 1, 0)
    mill.case.pull()
    mill.restore(saved)


def then_new_votes(mill: Mill) -> None:
    between_votes(mill)
    vote(mill, 2, 3)


def then_the_lost_votes_again(mill: Mill) -> None:
    between_votes(mill)
    vote(mill, 1, 2)


def without_the_tasks(mill: Mill) -> None:
    saved = mill.backup()
    vote(mill, 1, 0, 1, 2, 3, 4, 5)
    mill.case.pull()
    mill.restore({**saved, "task": [], "task_completion": []})


def without_some_tasks(mill: Mill) -> None:
    saved = mill.backup()
    vote(mill, 1, 0, 1)
    vote(mill, 2, 0)
    mill.case.pull()
    mill.restore({**saved, "task": saved["task"][2:]})


def without_the_projects(mill: Mill) -> None:
    vote(mill, 1, 0, 1)
    mill.case.pull()
    mill.restore({table: [] for table in TABLES})


def all_deleted_by_the_administrator(mill: Mill) -> None:
    vote(mill, 1, 0, 1, 2, 3, 4)
    mill.case.pull()
    for task in mill.case.tasks()[:5]:
        mill.case.cy.delete(task["annotations"][0]["id"])


def few_deleted_by_the_administrator(mill: Mill) -> None:
    vote(mill, 1, 0, 1)
    mill.case.pull()
    mill.case.cy.delete(mill.case.tasks()[0]["annotations"][0]["id"])


def back_and_forth(mill: Mill) -> None:
    saved = mill.backup()
    vote(mill, 1, 0, 1)
    mill.case.pull()
    newest = mill.backup()
    mill.restore(saved)
    pull(mill.case.journal, mill.case.studio, missing="keep")
    mill.restore(newest)


def twice(mill: Mill) -> None:
    saved = mill.backup()
    vote(mill, 1, 0, 1)
    mill.case.pull()
    mill.restore(saved)
    pull(mill.case.journal, mill.case.studio, missing="keep")
    vote(mill, 1, 2, 3)
    mill.case.pull()
    mill.restore(saved)


def without_the_cache(mill: Mill) -> None:
    between_votes(mill)
    for place, project in mill.case.journal.cache.projects().items():
        mill.case.journal.cache.forget_tasks(project, list(mill.case.journal.cache.tasks(project)))
        assert place


def after_a_push(mill: Mill) -> None:
    between_votes(mill)
    push(mill.case.journal, mill.case.studio)


def on_another_server(mill: Mill) -> None:
    vote(mill, 1, 0, 1)
    mill.case.pull()
    mill.become_another()


def on_another_server_without_votes(mill: Mill) -> None:
    saved = mill.backup()
    on_another_server(mill)
    mill.restore(saved)


def on_another_server_with_votes_of_its_own(mill: Mill) -> None:
    on_another_server(mill)
    vote(mill, 2, 0, 1)


def back_from_a_new_server(mill: Mill) -> None:
    vote(mill, 1, 0, 1)
    mill.case.pull()
    mill.become_another()
    push(mill.case.journal, mill.case.studio, new_server=True)
    mill.become_itself()


QUICK = (after_a_deletion, on_another_server_with_votes_of_its_own)
"""The mishaps of `make test`; the others are long laws."""
MISHAPS: dict[Callable[[Mill], None], str] = {
    before_any_vote: QUESTION,
    between_votes: QUESTION,
    after_an_edit: QUESTION,
    after_a_deletion: QUESTION,
    after_a_skip: QUESTION,
    then_new_votes: QUESTION,
    then_the_lost_votes_again: QUESTION,
    without_the_tasks: QUESTION,
    without_some_tasks: QUESTION,
    without_the_projects: "",
    all_deleted_by_the_administrator: QUESTION,
    few_deleted_by_the_administrator: "",
    back_and_forth: "",
    twice: QUESTION,
    without_the_cache: "",
    after_a_push: QUESTION,
    on_another_server: OTHER,
    on_another_server_without_votes: OTHER,
    on_another_server_with_votes_of_its_own: OTHER,
    back_from_a_new_server: OTHER,
}
"""Each mishap, and what a pull after it says; empty if it keeps all votes without a question."""


def votes(snapshot: Snapshot) -> set[tuple[str, str, str]]:
    return {(row["uid"], row["prefers"], row["degree"]) for row in snapshot.judgments.to_pylist()}


@pytest.mark.parametrize(
    "mishap",
    [pytest.param(each, marks=[] if each in QUICK else pytest.mark.soak, id=each.__name__) for each in MISHAPS],
)
def test_no_vote_goes_or_comes_without_a_question(mishap: Callable[[Mill], None], mill: Mill) -> None:
    case, said = mill.case, MISHAPS[mishap]
    mishap(mill)
    before, new = mill.load(), 1 if mishap is then_new_votes else 0
    asked = nullcontext() if not said else pytest.raises(UserError, match=said)
    with suppress(UserError):
        pull(case.journal, case.studio, sweep=False)
    with asked:
        pull(case.journal, case.studio)
    after = mill.load()
    if mishap is then_the_lost_votes_again:
        assert {uid for uid, *_ in votes(after)} == {uid for uid, *_ in votes(before)}
    else:
        assert votes(before) <= votes(after)
        assert len(votes(after)) == len(votes(before)) + new
    if said == OTHER:
        with pytest.raises(UserError, match=OTHER):
            push(case.journal, case.studio)
        assert votes(mill.load()) == votes(before)
        push(case.journal, case.studio, new_server=True)
    elif said:
        pull(case.journal, case.studio, missing="keep")
    kept = mill.load()
    assert votes(kept) == votes(after)
    push(case.journal, case.studio)
    pull(case.journal, case.studio)
    extra = 2 if mishap is on_another_server_with_votes_of_its_own else 0
    assert votes(mill.load()) >= votes(after), "the answer is remembered"
    assert len(votes(mill.load())) == len(votes(after)) + extra, "votes there count once the person continues there"
    if said == QUESTION:
        pull(case.journal, case.studio, missing="accept")
        assert not [each for each in mill.load().findings if each.kind in ("forgotten", "deleted_by_other")]


def test_the_person_can_follow_the_server(mill: Mill) -> None:
    before_any_vote(mill)
    with pytest.raises(UserError, match=QUESTION):
        mill.case.pull()
    pull(mill.case.journal, mill.case.studio, missing="accept")
    assert not votes(mill.load())


def test_a_batch_that_was_pushed_before_provenance_keeps_its_votes_and_is_marked(mill: Mill) -> None:
    vote(mill, 1, 0, 1)
    mill.case.pull()
    with closing(sqlite3.connect(mill.case.folder.store)) as db, db:  # as an earlier version wrote it
        for table in ("journal", "chain", "signature"):
            db.execute(f"DROP TRIGGER {table}_is_never_changed")
            db.execute(f"DROP TRIGGER {table}_is_never_cut")
        db.execute("DELETE FROM journal WHERE kind IN ('server', 'project', 'numbers', 'account', 'seen')")
        for token, value in db.execute("SELECT token, value FROM personal").fetchall():
            body = "CAST(replace(CAST(body AS TEXT), :token, :value) AS BLOB)"
            change = f"UPDATE journal SET key = replace(key, :token, :value), body = {body}"
            db.execute(f"{change} WHERE kind NOT IN ('pairs', 'tasks')", {"token": token, "value": value})
        for table in ("chain", "signature", "personal"):
            db.execute(f"DROP TABLE {table}")
        for name, change in (("changed", "UPDATE"), ("cut", "DELETE")):
            never = "BEGIN SELECT raise(ABORT, 'the journal is append-only'); END"
            db.execute(f"CREATE TRIGGER journal_is_never_{name} BEFORE {change} ON journal {never}")
        db.execute("PRAGMA user_version = 1")
    with Journal(mill.case.folder.store) as journal:
        before = mill.load()
        assert before.before_provenance == ("b1",)
        vote(mill, 2, 0)
        pull(journal, mill.case.studio)
        assert len(votes(mill.load())) == 3
        again = push(journal, mill.case.studio)
        assert (again.projects, again.imported, again.removed) == (0, 0, 0)
        vote(mill, 1, 2)
        data = mill.case.tasks()[3]["data"]
        [copy] = mill.case.studio.import_tasks(mill.case.project(1), [data])
        mill.case.ann.submit(copy, [choice("preference", "a_better")])
        pull(journal, mill.case.studio)
        after = mill.load()
    assert after.before_provenance == ("b1",)
    assert len(votes(after)) == 4
    assert after.refused["reason"].to_pylist() == ["copied_task"]
