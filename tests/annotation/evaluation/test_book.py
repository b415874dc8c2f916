"""The book keeps each answer once, by all that went into its request, and says what was sent without an answer."""

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from annotation.evaluation.book import _SINCE_2, Book, Request, request_of
from annotation.evaluation.judging import questions
from annotation.evaluation.replies import Reply
from schemas.errors import DamagedError, UserError
from tests.annotation.evaluation.judged import judge, pair

REPLY = Reply("verdict: A\n\u202e", "stop", "", "judge-1", "http://127.0.0.1/v1", 100, None)


def request(text: str = "A or B?") -> Request:
    return request_of("f" * 64, {"model": "judge-1", "messages": [{"role": "user", "content": text}]})


def test_an_answer_outlives_the_process(tmp_path: Path) -> None:
    with Book(tmp_path / "judge.db") as book:
        book.send(request())
        book.keep(request(), REPLY)
    with Book(tmp_path / "judge.db") as book:
        assert book.answers([request().key, request("B?").key]) == {request().key: REPLY}
        assert book.in_flight() == set()


def test_a_request_is_in_flight_until_its_answer_or_failure_is_known(tmp_path: Path) -> None:
    with Book(tmp_path / "judge.db") as book:
        for text in "abc":
            book.send(request(text))
        book.keep(request("a"), REPLY)
        book.forget(request("b"))
        assert book.in_flight() == {request("c").key}
        assert book.answers([request(text).key for text in "abc"]).keys() == {request("a").key}


def test_the_key_of_a_request_is_that_of_everything_that_went_in() -> None:
    first = pair(1, "a", "b")
    changed = [
        (first, judge()),
        (first, judge(model="judge-2")),
        (first, judge(parameters={"temperature": 0.5})),
        (first, judge(parameters={"max_tokens": None})),
        (pair(1, "a.", "b"), judge()),
        (pair(1, "a", "b", prompt="What is oats?"), judge()),
    ]
    keys = [{question.request.key for question in questions([each], by)} for each, by in changed]
    assert sum(map(len, keys)) == len(set().union(*keys)) == 2 * len(changed)
    assert {question.request.key for question in questions([pair(2, "a", "b")], judge())} == keys[0]


def test_a_book_is_used_by_one_run_at_a_time(tmp_path: Path) -> None:
    with Book(tmp_path / "judge.db"), pytest.raises(UserError, match="in use by another run"):
        Book(tmp_path / "judge.db")
    Book(tmp_path / "judge.db").close()


def test_another_file_is_not_taken_for_a_book(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("responses, long enough to be no header of SQLite\n" * 10)
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE journal (x)")
    other.close()
    for name in ("text", "other.db"):
        content = (tmp_path / name).read_bytes()
        with pytest.raises(UserError, match="is not a judge's book"):
            Book(tmp_path / name)
        assert (tmp_path / name).read_bytes() == content


def test_a_newer_book_is_refused(tmp_path: Path) -> None:
    Book(tmp_path / "judge.db").close()
    with sqlite3.connect(tmp_path / "judge.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(UserError, match="was written by a newer Gristmill"):
        Book(tmp_path / "judge.db")


@pytest.mark.parametrize("name", ["missing/judge.db", "file/judge.db", "a\0b"])
def test_a_book_that_cannot_be_written_is_one_sentence(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        Book(tmp_path / name)


def test_a_damaged_answer_is_named(tmp_path: Path) -> None:
    with Book(tmp_path / "judge.db") as book:
        book.keep(request(), REPLY)
    with sqlite3.connect(tmp_path / "judge.db") as db:
        db.execute("UPDATE answer SET reply = ?", (b'{"content": 1}',))
    db.close()
    with Book(tmp_path / "judge.db") as book, pytest.raises(DamagedError, match=r"judge\.db"):
        book.answers([request().key])


def write_version_1(path: Path) -> None:
    """A book with one answer, as version 1 wrote it."""
    with Book(path) as book:
        book.keep(request(), REPLY)
    old = sqlite3.connect(path, isolation_level=None)
    old.execute("DROP TABLE replaced")
    old.execute("PRAGMA user_version = 1")
    old.close()


def test_a_book_that_is_only_read_stays_as_it_is(tmp_path: Path) -> None:
    write_version_1(tmp_path / "judge.db")
    (tmp_path / "judge.db.lock").unlink()
    before = (tmp_path / "judge.db").read_bytes()
    with Book(tmp_path / "judge.db", read_only=True) as book:
        assert book.answers([request().key]) == {request().key: REPLY}
        assert book.replaced([request().key]) == []
        with pytest.raises(UserError, match="cannot be written"):
            book.send(request())
    assert [path.name for path in tmp_path.iterdir()] == ["judge.db"]
    assert (tmp_path / "judge.db").read_bytes() == before


def test_the_answers_of_a_run_that_goes_on_are_read(tmp_path: Path) -> None:
    with Book(tmp_path / "judge.db") as book:
        book.keep(request(), REPLY)
        book.keep(request(), replace(REPLY, content="verdict: B"))
        with Book(tmp_path / "judge.db", read_only=True) as read:
            assert read.answers([request().key])[request().key].content == "verdict: B"
            assert read.replaced([request().key]) == [(request().key, REPLY)]


def test_a_book_of_version_1_is_read_and_keeps_what_is_replaced_from_then_on(tmp_path: Path) -> None:
    write_version_1(tmp_path / "judge.db")
    with Book(tmp_path / "judge.db") as book:
        assert book.answers([request().key]) == {request().key: REPLY}
        later = replace(REPLY, content="verdict: B")
        book.keep(request(), later)
        assert book.answers([request().key]) == {request().key: later}
        assert book.replaced([request().key]) == [(request().key, REPLY)]


def test_a_book_with_other_tables_is_damaged(tmp_path: Path) -> None:
    Book(tmp_path / "judge.db").close()
    with sqlite3.connect(tmp_path / "judge.db") as other:
        other.execute("DROP TABLE answer")
    other.close()
    with Book(tmp_path / "judge.db") as book, pytest.raises(DamagedError, match="no such table"):
        book.answers([request().key])


def test_a_book_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """SQLite gives the same answer where its folder is read-only, but not to the superuser."""
    with Book(tmp_path / "judge.db") as book:
        book._db.execute("PRAGMA query_only = ON")
        with pytest.raises(UserError, match=r"judge\.db cannot be written .*: make its folder writable"):
            book.keep(request(), REPLY)


@pytest.mark.parametrize("done", range(len(_SINCE_2) + 1))
def test_an_upgrade_that_was_killed_midway_is_made_whole(done: int, tmp_path: Path) -> None:
    write_version_1(tmp_path / "judge.db")
    upgrade = "; ".join(("BEGIN IMMEDIATE", *_SINCE_2[:done]))
    killed = "import os, sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2]); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", killed, tmp_path / "judge.db", upgrade]).returncode == -9
    with Book(tmp_path / "judge.db") as book:
        assert book.answers([request().key]) == {request().key: REPLY}
        book.keep(request(), REPLY)
        assert book.replaced([request().key]) == [(request().key, REPLY)]
