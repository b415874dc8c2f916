"""The journal keeps all that it was ever told, whoever writes at once and however often it is opened."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.journal.chain import conceal
from annotation.journal.journal import Journal, sortable_time
from annotation.journal.places import Place
from schemas.errors import DamagedError, UserError

WRITER = """
import sys
from pathlib import Path
from annotation.journal.journal import Journal
sys.stdin.readline()
with Journal(Path(sys.argv[1]), create=True) as journal:
    for number in range(100):
        with journal.writing():
            journal.append("deleted", f"{sys.argv[2]}/{number}", b"null")
            journal.extend("dropped", [(f"{sys.argv[2]}/{number}", b"null")])
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "campaign.db"


def test_rows_are_never_changed_and_never_cut(store: Path) -> None:
    with Journal(store, create=True) as journal:
        journal.append("dropped", "t1", b"null")
    with sqlite3.connect(store) as stranger:
        for statement in (
            "UPDATE journal SET body = x'00'",
            "DELETE FROM journal",
            "REPLACE INTO journal VALUES (1, 'a', 'b', x'00')",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                stranger.execute("PRAGMA recursive_triggers = ON").execute(statement)
    stranger.close()


def test_only_its_owner_may_read_it_and_it_stays_as_it_is(store: Path) -> None:
    with Journal(store, create=True) as journal:
        made, secret = journal.revision, journal.campaign_id
        assert {path.stat().st_mode & 0o777 for path in store.parent.iterdir()} == {0o600}
    with Journal(store, create=True) as journal:
        assert (journal.revision, journal.campaign_id) == (made, secret) == (1, secret)
    assert len(bytes.fromhex(secret)) == 16


def test_to_read_takes_no_leave_to_write(store: Path) -> None:
    with Journal(store, create=True) as busy, busy.writing():
        busy.append("dropped", "t1", b"null")
        with Journal(store) as reader:
            assert reader.revision == 1


def test_missing_newer_and_invalid_stores_are_refused(store: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run gristmill campaign push first"):
        Journal(store)
    with pytest.raises(UserError, match="cannot be created"):
        Journal(tmp_path / "missing" / "campaign.db", create=True)
    Journal(store, create=True).close()
    with sqlite3.connect(store) as newer:
        newer.execute("PRAGMA user_version = 3")
    newer.close()
    with pytest.raises(UserError, match="newer version of Gristmill"):
        Journal(store)
    (tmp_path / "letter.db").write_text("Dear miller, this is no database at all, but a letter." * 9)
    with pytest.raises(DamagedError, match="is not a sound SQLite database"):
        Journal(tmp_path / "letter.db")


def test_a_transaction_is_written_whole_or_not_at_all(store: Path) -> None:
    with Journal(store, create=True) as journal:
        with pytest.raises(KeyboardInterrupt), journal.writing():
            with journal.writing():
                journal.append("dropped", "t1", b"null")
            raise KeyboardInterrupt
        assert journal.revision == 1
        journal.append("dropped", "t2", b"null")
        assert [key for _, key, _ in journal.rows("dropped")] == ["t2"]


def test_revisions_show_what_was_known_then(store: Path) -> None:
    with Journal(store, create=True) as journal:
        for number in range(3):
            journal.append("settings", "settings", str(number).encode())
        rows = list(journal.rows("settings", "campaign"))
        assert [kind for kind, _, _ in rows] == ["campaign", "settings", "settings", "settings"]
        assert [len(list(journal.rows("settings", as_of=revision))) for revision in range(5)] == [0, 0, 1, 2, 3]
        assert journal.newest_body("settings", "settings") == b"2"
        assert journal.newest_body("settings", "other") is None


def test_processes_that_make_and_write_it_at_once_lose_nothing(store: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(store)]
    writers = [subprocess.Popen([*command, str(n)], stdin=subprocess.PIPE, text=True) for n in range(4)]
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("go\n")
        writer.stdin.close()
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
    with Journal(store) as journal:
        rows = list(journal.rows("deleted", "dropped"))
        assert journal.revision == 801
        assert [key for _, key, _ in journal.rows("campaign")] == ["id"]
    assert {key for _, key, _ in rows} == {f"{n}/{number}" for n in range(4) for number in range(100)}
    pairs = [(kind, key) for kind, key, _ in rows]
    assert all(pairs[place + 1] == ("dropped", key) for place, (kind, key) in enumerate(pairs) if kind == "deleted")


EVENTS = st.lists(st.tuples(st.sampled_from(["t1/1", "t1/2", "t2/3"]), st.integers(0, 4)), max_size=12)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVENTS)
def test_annotations_that_come_late_or_again_change_nothing(tmp_path: Path, events: list[tuple[str, int]]) -> None:
    store = tmp_path / "campaign.db"
    store.unlink(missing_ok=True)
    moments = ["2026-01-02T03:04:05Z", *(f"2026-01-02T03:04:05.{n:06}Z" for n in (1, 20, 300_000, 400_000))]
    newest: dict[str, int] = {}
    with Journal(store, create=True) as journal:
        for key, moment in events:
            expected = key not in newest or moment > newest[key]
            body = f"{key} {moment}".encode()
            assert journal.keep_annotation(key, 1, int(key[-1]), moments[moment], body) == expected
            newest[key] = max(moment, newest.get(key, 0))
        live = journal.live_annotations(1)
        assert {key for keys in live.values() for key in keys} == set(newest)
        bodies = {key: body for _, key, body in journal.rows("annotation")}
        assert bodies == {key: f"{key} {moment}".encode() for key, moment in newest.items()}
        journal.delete_annotations(list(newest))
        assert (journal.live_annotations(1), journal.voted_uids()) == ({}, set())


def test_times_sort_as_texts() -> None:
    assert sortable_time("2026-01-02T03:04:05Z") < sortable_time("2026-01-02T03:04:05.000001Z")


ANN_B1 = Place("b1", "vote", "mill/a1")


def test_a_place_with_another_project_forgets_the_tasks_of_the_former(store: Path) -> None:
    with Journal(store, create=True) as journal:
        journal.cache.remember_project(ANN_B1, 7)
        journal.cache.remember_tasks(7, [(1, "t1", "", 0), (2, None, "now", 1)])
        assert journal.cache.tasks(7) == {1: ("t1", "", 0), 2: (None, "now", 1)}
        journal.cache.remember_project(ANN_B1, 8)
        assert (journal.cache.tasks(7), journal.cache.projects()) == ({}, {ANN_B1: 8})
        journal.cache.remember_project(ANN_B1, None)
        assert journal.cache.projects() == {}


def test_a_store_that_cannot_be_written_is_one_sentence(store: Path) -> None:
    Journal(store, create=True).close()
    with pytest.raises(UserError, match="cannot be written"), Journal(store) as journal:
        journal._db.execute("PRAGMA query_only = ON")
        journal.append("dropped", "t1", b"null")
    lock = Path(f"{store}.lock")
    lock.unlink()
    lock.mkdir()
    with pytest.raises(UserError, match="cannot be written"), Journal(store) as journal, journal.lock():
        pass


@pytest.mark.parametrize("text", [b"@ " + b"C" * 1_000_000, b"a@" * 500_000, b"a@" + b"b." * 500_000, b"@" * 1_000_000])
def test_a_long_text_costs_time_in_proportion_to_its_length(text: bytes) -> None:
    """In proportion to the square of the length, this test would take hours."""
    assert len(conceal(text + b" <ann@mill.example>", lambda _: "somebody")) < len(text) + 20


@given(
    st.builds(Place, st.from_regex(r"[\w.-]+", fullmatch=True), st.sampled_from(["vote", "adjudication"]), st.text())
)
def test_a_place_is_read_as_it_is_written(place: Place) -> None:
    assert Place.parse(str(place)) == place


@pytest.mark.parametrize("text", ["", "b1", "b1/vote"])
def test_a_text_that_is_no_place_is_damage(text: str) -> None:
    with pytest.raises(DamagedError, match="which is not batch/round/annotator"):
        Place.parse(text)
