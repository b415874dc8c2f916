"""Raw annotations become judgments, skips or refusals: each exactly once, whenever and however they arrive."""

import random
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.campaign.moves import reassign, withdraw
from annotation.judgments.judge import REASONS
from annotation.judgments.snapshot import Snapshot
from annotation.protocols import PROTOCOLS
from schemas import ASSIGNMENTS, JUDGMENTS, REFUSED
from schemas.errors import UserError
from tests.annotation.campaigns import PEOPLE, Desk, choices, desk, prompts

SAFETY: dict[str, Any] = {"protocol": "safety", "categories": {"rude": "Rude", "rash": "Rash"}}


def reasons(snapshot: Snapshot) -> list[str]:
    return sorted(snapshot.refused["reason"].to_pylist())


def state(snapshot: Snapshot, task: dict[str, Any]) -> str:
    return next(str(row["state"]) for row in snapshot.assignments.to_pylist() if row["uid"] == task["uid"])


def bytes_of(snapshot: Snapshot) -> bytes:
    sink = pa.BufferOutputStream()
    for table in (snapshot.pairs, snapshot.assignments, snapshot.judgments, snapshot.refused, snapshot.reports):
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table.combine_chunks())
    return bytes(sink.getvalue())


def test_a_vote_is_read_to_the_right_response_whatever_the_side(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        tasks = at.tasks()
        assert {task["swapped"] for task in tasks} == {True, False}
        for task in tasks:
            at.answer(task, "b_significantly_better" if task["swapped"] else "a_significantly_better")
        rows = at.load().judgments.to_pylist()
    assert {(row["prefers"], row["degree"], row["seconds"]) for row in rows} == {
        ("first", "significantly_better", 20.0)
    }
    assert [row["pair_id"] for row in rows] == sorted(row["pair_id"] for row in rows)
    assert len(rows) == 12


def test_safety_flags_and_risks_follow_their_response(tmp_path: Path) -> None:
    with desk(tmp_path, **SAFETY) as at:
        for task in at.tasks():
            first, second = ("b", "a") if task["swapped"] else ("a", "b")
            answers = {f"safety_{first}": "unsafe", f"risks_{first}": ["rash", "rude"], f"safety_{second}": "safe"}
            at.answer(task, choices(safest=f"{second}_better", **answers))
        for row in at.load().judgments.to_pylist():
            assert (row["prefers"], row["first_safe"], row["second_safe"]) == ("second", False, True)
            assert (row["first_risks"], row["second_risks"]) == (["rude", "rash"], [])


ANN, BOB, _ = PEOPLE
REFUSED_FOR: dict[str, list[dict[str, Any]]] = {
    "unknown_task": [{"uid": None}, {"uid": "feed"}, {"uid": "feed", "skip": True}],
    "changed_task": [{"shown": "00"}],
    "unknown_annotator": [
        {"author": "eve@mill.example", "editor": "eve@mill.example"},
        {"author": None, "editor": None},
    ],
    "not_assigned": [{"author": BOB, "editor": BOB}, {"author": BOB, "editor": ANN}],
    "edited_by_other": [{"editor": BOB}, {"editor": None}, {"editor": "eve@mill.example", "skip": True}],
    "missing_answer": [{"result": []}, {"result": choices(preference=[])}],
    "unknown_choice": [{"result": "c_better"}],
    "several_answers": [
        {"result": choices(preference=["a_better", "b_better"])},
        {"result": [*choices(preference="a_better"), *choices(preference="a_better")]},
    ],
    "unknown_question": [{"result": [*choices(preference="a_better"), *choices(other="x")]}, {"result": [{}]}],
    "malformed": [
        *({"result": odd} for odd in (None, 7, {"a": 1}, [None], [[]])),
        *(
            {"result": [{"from_name": "preference", "value": value}]}
            for value in (None, 3, [], {}, {"choices": "a_better"})
        ),
    ],
}


@pytest.mark.parametrize(
    ("reason", "changes"), [(reason, each) for reason, all_ in REFUSED_FOR.items() for each in all_]
)
def test_a_vote_that_is_wrong_in_one_way_is_refused_for_it(
    tmp_path: Path, reason: str, changes: dict[str, Any]
) -> None:
    with desk(tmp_path, prompts([1])) as at:
        task, other = at.tasks("mill/a1") + at.tasks("mill/a2")
        at.answer(other)
        key = at.answer(task, **changes)
        snapshot = at.load()
        [row] = snapshot.refused.to_pylist()
        assert (row["annotation"], row["reason"]) == (key, reason)
        assert row["message"] == REASONS.get(reason, row["message"]) != ""
        assert snapshot.judgments["uid"].to_pylist() == [other["uid"]]
        assert state(snapshot, task) == ("open" if reason == "unknown_task" else "refused")


def test_capitals_in_an_address_make_nobody_a_stranger(tmp_path: Path) -> None:
    with desk(tmp_path, prompts([1]), annotators=("Ann@Mill.example",), votes=1) as at:
        at.answer(at.tasks()[0], author="ANN@mill.example", editor="ANN@mill.example")
        assert at.load().judgments.num_rows == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_newest_of_repeated_votes_counts_in_whatever_order_they_come(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    """Also of one moment, where the later number is the newer; and a moment of a whole second is earlier."""
    with desk(tmp_path, prompts([1])) as at:
        [task] = at.tasks("mill/a1")
        words, seconds = ("a_better", "b_better", "a_slightly_better"), (5, 5.25, 5.25)
        for n in order:
            at.answer(task, words[n], second=seconds[n], number=n + 1)
        snapshot = at.load()
        [row] = snapshot.judgments.to_pylist()
        assert (row["degree"], reasons(snapshot)) == ("slightly_better", ["repeated", "repeated"])
        assert {each["annotation"][-1] for each in snapshot.refused.to_pylist()} == {"1", "2"}


def test_a_change_of_mind_is_one_vote(tmp_path: Path) -> None:
    with desk(tmp_path, prompts([1])) as at:
        [task] = at.tasks("mill/a1")
        at.answer(task, "a_better", second=1, number=1)
        before = at.journal.revision
        at.answer(task, "b_slightly_better", second=2, number=1)
        at.answer(task, "a_better", second=1, number=1)  # late
        snapshot = at.load()
        assert (snapshot.judgments["degree"].to_pylist(), reasons(snapshot)) == (["slightly_better"], [])
        assert at.load(before).judgments["degree"].to_pylist() == ["better"]


def test_a_skip_is_no_vote_and_a_vote_outweighs_it(tmp_path: Path) -> None:
    with desk(tmp_path, prompts([1])) as at:
        one, two, three = at.tasks()
        at.answer(one, skip=True, second=1, number=1)
        at.answer(one, "a_better", second=2, number=1)
        at.answer(two, "a_better", second=1, number=2)
        at.answer(two, skip=True, second=2, number=3)
        at.answer(three, skip=True, second=2, number=4)
        snapshot = at.load()
        assert [state(snapshot, task) for task in (one, two, three)] == ["done", "done", "skipped"]
        assert (snapshot.judgments.num_rows, reasons(snapshot)) == (2, [])


def test_what_is_deleted_counts_no_more_and_may_come_back(tmp_path: Path) -> None:
    with desk(tmp_path, prompts([1])) as at:
        [task] = at.tasks("mill/a1")
        key = at.answer(task, second=1, number=1)
        at.journal.delete_annotations([key])
        assert (at.load().judgments.num_rows, state(at.load(), task)) == (0, "open")
        at.answer(task, second=1, number=1)
        assert at.load().judgments.num_rows == 1


def test_votes_of_a_withdrawn_annotator_count_again_when_that_is_undone(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        for task in at.tasks():
            at.answer(task)
        whole, revision = bytes_of(at.load()), at.journal.revision
        withdraw(at.journal, ANN)
        snapshot = at.load()
        assert (snapshot.judgments.num_rows, reasons(snapshot)) == (8, ["withdrawn"] * 4)
        assert {state(snapshot, task) for task in at.tasks("mill/a1")} == {"withdrawn"}
        withdraw(at.journal, ANN)
        assert at.journal.revision == revision + 1, "twice is once"
        withdraw(at.journal, ANN, undo=True)
        assert bytes_of(at.load()) == whole == bytes_of(at.load(revision))


def test_a_vote_on_a_task_that_went_to_somebody_else_is_one_too_many(tmp_path: Path) -> None:
    with desk(tmp_path, prompts([1]), votes=1) as at:
        [task] = at.tasks()
        assert reassign(at.folder, at.journal, giver=at.email(task["annotator"])) == 1
        [other] = at.tasks()
        at.answer(task)
        at.answer(other)
        snapshot = at.load()
        assert (snapshot.judgments["uid"].to_pylist(), reasons(snapshot)) == ([other["uid"]], ["reassigned"])
        assert snapshot.assignments["uid"].to_pylist() == [other["uid"]]


def test_tasks_stay_where_nobody_else_has_votes_that_count(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        for person in PEOPLE[1:]:
            withdraw(at.journal, person)
        with pytest.raises(UserError, match="no other annotator has votes that count"):
            reassign(at.folder, at.journal, giver=PEOPLE[0])


def test_a_campaign_without_answers_has_tables_without_rows(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        snapshot = at.load()
    for table, kind in (
        (snapshot.assignments, ASSIGNMENTS),
        (snapshot.judgments, JUDGMENTS),
        (snapshot.refused, REFUSED),
    ):
        assert table.schema.equals(kind.schema, check_metadata=True)
    assert (snapshot.judgments.num_rows, snapshot.refused.num_rows) == (0, 0)
    assert set(snapshot.assignments["state"].to_pylist()) == {"open"}


def test_revisions_that_are_not_there(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        for revision in (0, at.journal.revision + 1):
            with pytest.raises(UserError, match="choose a revision from 1 to"):
                at.load(revision)
        with pytest.raises(UserError, match="has no batch at revision 1"):
            at.load(1)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["vote", "vote", "skip", "stranger", "edited", "bad", "delete", "withdraw", "undo", "reassign"]
        ),
        st.integers(0, 11),  # which task
        st.integers(1, 3),  # which of its annotations
        st.integers(0, 40),  # when
    ),
    max_size=25,
)


def happen(at: Desk, tasks: list[dict[str, Any]], step: tuple[str, int, int, int]) -> None:
    what, place, number, second = step
    task = tasks[place]
    number += 10 * place
    if what == "delete":
        live = [key for keys in at.journal.live_annotations(1).values() for key in keys]
        at.journal.delete_annotations(sorted(live)[place : place + 1])
    elif what in ("withdraw", "undo"):
        withdraw(at.journal, PEOPLE[place % 3], undo=what == "undo")
    elif what == "reassign":
        with suppress(UserError):  # the votes of all others may be withdrawn
            reassign(at.folder, at.journal, giver=PEOPLE[place % 3])
    else:
        changes: dict[str, Any] = {"stranger": {"author": "eve@x.example"}, "edited": {"editor": BOB}}.get(what, {})
        at.answer(
            task, "odd" if what == "bad" else "a_better", skip=what == "skip", number=number, second=second, **changes
        )


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_each_annotation_is_a_judgment_a_skip_or_refused_and_the_past_stays(
    tmp_path: Path, steps: list[tuple[str, int, int, int]]
) -> None:
    (tmp_path / "campaign.db").unlink(missing_ok=True)
    with desk(tmp_path, prompts(range(6)), votes=2) as at:
        tasks, past = at.tasks(), {}
        for step in steps:
            happen(at, tasks, step)
            past[at.journal.revision] = bytes_of(at.load())
        snapshot = at.load()
        live = Counter(key.partition("/")[0] for keys in at.journal.live_annotations(1).values() for key in keys)
        assert all(bytes_of(at.load(revision)) == then for revision, then in past.items())
    votes = Counter(snapshot.judgments["uid"].to_pylist())
    refused = Counter(snapshot.refused["uid"].to_pylist())
    assert set(votes.values()) <= {1}
    assert len(set(snapshot.refused["annotation"].to_pylist())) == snapshot.refused.num_rows
    skips = live - votes - refused
    assert votes + refused + skips == live
    states = {row["uid"]: row["state"] for row in snapshot.assignments.to_pylist()}
    assert {uid for uid, state in states.items() if state == "done"} == set(votes)
    pairs = Counter(row["pair_id"] for row in snapshot.judgments.to_pylist())
    assert max(pairs.values(), default=0) <= 2, "never more votes than were asked for"


def test_the_order_of_arrival_never_matters(tmp_path: Path) -> None:
    """The same annotations, brought in any order by any number of pulls, give the same tables."""
    draw, found = random.Random(1), set()
    with desk(tmp_path) as at:
        tasks = at.tasks()
    before = at.folder.store.read_bytes()
    words = ("bad", "a_better", "b_better")
    for _ in range(4):
        at.folder.store.write_bytes(before)
        with desk(tmp_path) as at:
            events = [(n, word, second) for n in range(12) for second, word in enumerate(words)]
            for n, word, second in draw.sample(events, len(events)):
                at.answer(tasks[n], word, second=second, number=n * 10 + (second if n % 2 else 0))
            assert (at.load().judgments.num_rows, reasons(at.load())) == (12, ["repeated"] * 12)
            found.add(bytes_of(at.load()))
    assert len(found) == 1


def test_readings_are_those_of_the_protocol(tmp_path: Path) -> None:
    """What the snapshot reads in bulk is what the protocol reads of each."""
    with desk(tmp_path, prompts(range(8)), **SAFETY) as at:
        expected, protocol = {}, PROTOCOLS["safety"]
        sides = ["a_better", "b_negligibly_better"]
        for n, task in enumerate(at.tasks()):
            flags = choices(safest=sides[n % 2], safety_a="safe", safety_b="unsafe" if n % 3 else "safe")
            result = [*flags, *(choices(risks_b="rash") if n % 3 else [])]
            if n % 4 == 0:
                result.append({"from_name": "comment", "value": {"text": [f"Note {n}"]}})
            at.answer(task, result)
            reading = protocol.read(result, task["swapped"], at.folder.campaign.risk_categories)
            expected[task["uid"]] = vars(reading)
        for row in at.load().judgments.to_pylist():
            for name, value in expected[row["uid"]].items():
                assert row[name] == (list(value) if isinstance(value, tuple) else value), name
