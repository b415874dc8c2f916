"""Tasks pass on, votes are withdrawn, pairs are adjudicated: nobody gets a pair twice and no vote is lost."""

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.campaign.moves import adjudicate, find_disputed, reassign, withdraw
from annotation.campaign.settings import Gold
from annotation.campaign.tasks import shown_digest, task_data
from annotation.judgments.resolve import resolve
from schemas.errors import UserError
from tests.annotation.campaigns import PEOPLE, Desk, campaign, desk, golden, prompts, write_rows

ANN, BOB, CY = PEOPLE
DEE = "dee@mill.example"


def loads(at: Desk, *, gold: bool = False) -> dict[str, int]:
    """Tasks that each has, gold ones apart."""
    known = {row["pair_id"] for row in at.record.pairs.to_pylist() if row["gold"]}
    return dict(Counter(task["annotator"] for task in at.tasks() if (task["pair_id"] in known) == gold))


def assert_sound(at: Desk, votes: int) -> None:
    """Each pair is with as many different people as before, and every task shows what its annotator was promised."""
    record, tasks = at.record, at.tasks()
    gold = {row["pair_id"] for row in record.pairs.to_pylist() if row["gold"]}
    with_pair = Counter(task["pair_id"] for task in tasks if task["pair_id"] not in gold)
    assert set(with_pair.values()) == {votes}
    assert len({(task["pair_id"], task["annotator"]) for task in tasks}) == len(tasks)
    ever = [task for task in record.tasks.to_pylist() if task["pair_id"] in gold]
    assert len({(task["pair_id"], task["annotator"]) for task in ever}) == len(ever), "a gold pair is met once"
    assert len(set(record.tasks["uid"].to_pylist())) == record.tasks.num_rows
    shown = [shown_digest(data) for data in task_data(record.tasks, record.pairs)]
    assert shown == record.tasks["shown"].to_pylist()


def test_somebody_who_left_passes_all_on_but_votes(tmp_path: Path) -> None:
    with desk(tmp_path, prompts(range(30)), votes=1) as at:
        mine = at.tasks("mill/a1")
        at.answer(mine[0])
        at.answer(mine[1], skip=True)
        at.answer(mine[2], "unreadable")
        assert reassign(at.folder, at.journal, giver=ANN) == 9
        assert sorted(loads(at).values()) == [1, 14, 15]
        assert_sound(at, 1)
        assert at.load().judgments["uid"].to_pylist() == [mine[0]["uid"]]
        before = at.journal.revision
        assert reassign(at.folder, at.journal, giver=ANN) == 0
        assert at.journal.revision == before, "twice is once"


def test_a_newcomer_gets_a_fair_part(tmp_path: Path) -> None:
    with desk(tmp_path, prompts(range(30)), votes=2) as at:
        done = [at.answer(task) for task in at.tasks("mill/a1")[:5]]
        at.folder = campaign(tmp_path, votes=2, annotators=(*PEOPLE, DEE))
        moved = reassign(at.folder, at.journal)
        assert set(loads(at)) == {"mill/a1", "mill/a2", "mill/a3", "mill/a4"}
        open_ = Counter(row["annotator"] for row in at.load().assignments.to_pylist() if row["state"] == "open")
        assert max(open_.values()) - min(open_.values()) <= 1
        assert 13 <= open_["mill/a4"] <= moved <= 20, "the newcomer's part, and few moves between the others"
        assert_sound(at, 2)
        assert at.load().judgments.num_rows == len(done)
        assert reassign(at.folder, at.journal) == 0


def test_from_one_to_another(tmp_path: Path) -> None:
    with desk(tmp_path, prompts(range(12)), votes=1) as at:
        before = loads(at)
        moved = reassign(at.folder, at.journal, giver=ANN, taker=BOB.upper())
        assert (moved, loads(at)) == (4, {"mill/a2": before["mill/a2"] + 4, "mill/a3": 4})


def test_to_one_from_whoever_has_most(tmp_path: Path) -> None:
    with desk(tmp_path, prompts(range(12)), votes=1) as at:
        at.folder = campaign(tmp_path, votes=1, annotators=(*PEOPLE, DEE))
        assert reassign(at.folder, at.journal, taker=DEE) == 3
        assert set(loads(at).values()) == {3}


def test_a_pair_that_everybody_has_stays_where_it_is(tmp_path: Path) -> None:
    with desk(tmp_path, votes=3) as at:
        before = at.journal.revision
        with pytest.raises(UserError, match=f"every other annotator was already asked about the .* pairs of {ANN}"):
            reassign(at.folder, at.journal, giver=ANN)
        assert reassign(at.folder, at.journal) == 0
        assert at.journal.revision == before


def test_an_erased_person_is_named_by_the_pseudonym(tmp_path: Path) -> None:
    with desk(tmp_path, prompts(range(12)), votes=1) as at:
        at.journal.erase(ANN)
        at.folder = campaign(tmp_path, votes=1, annotators=(BOB, CY))
        with pytest.raises(UserError, match=f"which has {BOB}, {CY}; name a person .* as mill/a1$"):
            reassign(at.folder, at.journal, giver=ANN)
        assert reassign(at.folder, at.journal, giver="mill/a1") == 4


def test_an_address_with_an_apostrophe_is_erased_like_others(tmp_path: Path) -> None:
    brien = "o'brien@mill.example"
    with desk(tmp_path, prompts(range(12)), votes=1, annotators=(brien, BOB, CY)) as at:
        at.answer(at.tasks("mill/a1")[0])
        at.journal.erase(brien)
        assert (at.record.erased, [*at.record.emails.values()]) == (("mill/a1",), [BOB, CY])
        assert at.load().judgments["annotator"].to_pylist() == ["mill/a1"]
        at.folder = campaign(tmp_path, votes=1, annotators=(BOB, CY))
        assert reassign(at.folder, at.journal, giver="mill/a1") == 3


def test_tasks_of_votes_that_are_withdrawn_pass_on(tmp_path: Path) -> None:
    with desk(tmp_path, prompts(range(12)), votes=2) as at:
        for task in at.tasks():
            at.answer(task)
        withdraw(at.journal, ANN)
        assert reassign(at.folder, at.journal, giver=ANN) == 8
        assert loads(at) == {"mill/a2": 12, "mill/a3": 12}
        for task in at.tasks():
            at.answer(task)
        withdraw(at.journal, ANN, undo=True)
        snapshot = at.load()
        assert set(Counter(snapshot.judgments["pair_id"].to_pylist()).values()) == {2}, (
            "votes that came back are too many"
        )


def test_skipped_tasks_go_to_people_who_were_not_asked(tmp_path: Path) -> None:
    with desk(tmp_path, prompts(range(12)), votes=2) as at:
        first = {task["pair_id"]: task["uid"] for task in at.tasks()}
        skipped = set(list(first.values())[:8])
        for task in at.tasks():
            at.answer(task, skip=task["uid"] in skipped)
        assert reassign(at.folder, at.journal, skipped=True) == 8
        assert_sound(at, 2)
        snapshot = at.load()
        assert Counter(snapshot.assignments["state"].to_pylist()) == {"done": 16, "open": 8}
        assert not snapshot.refused.num_rows, "a skip is no vote too many"
        for task in at.tasks():
            if task["uid"] in snapshot.assignments.filter(pc.field("state") == "open")["uid"].to_pylist():
                at.answer(task, skip=True)
        with pytest.raises(UserError, match="every annotator was already asked about the skipped pairs"):
            reassign(at.folder, at.journal, skipped=True)


def test_gold_goes_with_the_tasks_and_is_met_once(tmp_path: Path) -> None:
    write_rows(tmp_path / "gold.jsonl", golden(range(40)))
    gold = Gold(file="gold.jsonl", share=0.25)
    with desk(tmp_path, prompts(range(24)), votes=1, gold=gold) as at:
        write_rows(tmp_path / "b2.jsonl", prompts(range(30, 54)))
        second: dict[str, Any] = {"votes": 1, "gold": gold, "batch": "b2", "responses": "b2.jsonl"}
        at.folder = campaign(tmp_path, **second)
        at.plan()
        assert loads(at, gold=True) == {"mill/a1": 6, "mill/a2": 6, "mill/a3": 6}
        at.folder = campaign(tmp_path, annotators=(*PEOPLE, DEE), **second)
        reassign(at.folder, at.journal, giver=ANN, taker=DEE)
        assert loads(at)["mill/a4"] == 16
        assert loads(at, gold=True)["mill/a4"] == 6
        assert "mill/a1" not in loads(at, gold=True)
        assert_sound(at, 1)


@pytest.mark.parametrize(
    ("people", "sentence"),
    [
        ({"giver": "eve@x.example"}, "eve@x.example is not in this campaign, which has ann@"),
        ({"taker": "eve@x.example"}, "eve@x.example is not in this campaign"),
        ({"giver": ANN, "taker": ANN}, "cannot take their own tasks"),
        ({"taker": CY}, "the votes of cy@mill.example are withdrawn"),
    ],
)
def test_people_who_cannot_give_or_take(tmp_path: Path, people: dict[str, str], sentence: str) -> None:
    with desk(tmp_path, votes=1) as at:
        withdraw(at.journal, CY)
        with pytest.raises(UserError, match=sentence):
            reassign(at.folder, at.journal, **people)
        with pytest.raises(UserError, match="eve"):
            withdraw(at.journal, "eve@x.example")


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["vote", "skip", "withdraw", "undo", "level", "give"]), st.integers(0, 3), st.integers(0, 30)
    ),
    max_size=12,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MOVES, st.integers(1, 3))
def test_whatever_happens_each_pair_keeps_its_people(
    tmp_path: Path, moves: list[tuple[str, int, int]], votes: int
) -> None:
    (tmp_path / "campaign.db").unlink(missing_ok=True)
    write_rows(tmp_path / "gold.jsonl", golden(range(6)))
    people = (*PEOPLE, DEE)
    gold = Gold(file="gold.jsonl", share=0.2)
    with desk(tmp_path, prompts(range(7)), votes=votes, annotators=people, gold=gold) as at:
        for what, who, which in moves:
            voted = set(at.load().judgments["uid"].to_pylist())
            if what in ("vote", "skip"):
                tasks = at.tasks()
                at.answer(tasks[which % len(tasks)], skip=what == "skip")
            elif what in ("withdraw", "undo"):
                withdraw(at.journal, people[who], undo=what == "undo")
            else:
                with suppress(UserError):  # nobody may be left who was not asked
                    reassign(at.folder, at.journal, giver=people[who] if what == "give" else None)
                assert set(at.load().judgments["uid"].to_pylist()) == voted, "nothing with a vote moves"
            assert_sound(at, votes)


def test_adjudicators_are_asked_once_and_never_of_what_they_voted_on(tmp_path: Path) -> None:
    people: dict[str, Any] = {"votes": 2, "adjudicators": (CY, DEE)}
    with desk(tmp_path, prompts(range(20)), **people) as at:
        pairs = [row["pair_id"] for row in at.record.pairs.to_pylist()]
        mine = {task["pair_id"] for task in at.tasks("mill/a3")}
        assert adjudicate(at.folder, at.journal, pairs) == (20, [])
        tasks = at.tasks(round_="adjudication")
        assert sorted(task["pair_id"] for task in tasks) == sorted(pairs)
        assert not mine & {task["pair_id"] for task in tasks if task["annotator"] == "mill/a3"}
        shares = Counter(task["annotator"] for task in tasks)
        assert shares["mill/a4"] >= len(mine)
        before = at.journal.revision
        assert adjudicate(at.folder, at.journal, pairs[::-1]) == (0, [])
        assert at.journal.revision == before
        at.answer(tasks[0])
        [row] = at.load().judgments.to_pylist()
        assert (row["round"], row["pair_id"]) == ("adjudication", tasks[0]["pair_id"])


def test_adjudicators_share_the_work_of_several_batches(tmp_path: Path) -> None:
    people: dict[str, Any] = {"adjudicators": (DEE, "eve@mill.example")}
    with desk(tmp_path, prompts(range(9)), **people) as at:
        write_rows(tmp_path / "b2.jsonl", prompts(range(9, 18)))
        at.folder = campaign(tmp_path, batch="b2", responses="b2.jsonl", **people)
        at.plan()
        assert adjudicate(at.folder, at.journal, at.record.pairs["pair_id"].to_pylist()) == (18, [])
        tasks = at.tasks(round_="adjudication")
        assert Counter(task["annotator"] for task in tasks) == {"mill/a4": 9, "mill/a5": 9}
        batches = {row["pair_id"]: row["batch"] for row in at.record.pairs.to_pylist()}
        assert all(task["batch"] == batches[task["pair_id"]] for task in tasks)


def test_another_adjudicator_takes_over_from_one_who_is_withdrawn(tmp_path: Path) -> None:
    with desk(tmp_path, adjudicators=(DEE,)) as at:
        pairs = at.record.pairs["pair_id"].to_pylist()
        adjudicate(at.folder, at.journal, pairs)
        withdraw(at.journal, DEE)
        assert adjudicate(at.folder, at.journal, pairs) == (0, sorted(pairs))
        at.folder = campaign(tmp_path, adjudicators=("eve@mill.example",))
        assert adjudicate(at.folder, at.journal, pairs) == (4, [])


def test_what_an_adjudicator_skips_or_leaves_goes_to_another_one(tmp_path: Path) -> None:
    with desk(tmp_path, adjudicators=(DEE,)) as at:
        pairs = at.record.pairs["pair_id"].to_pylist()
        adjudicate(at.folder, at.journal, pairs)
        skipped, done, *_ = at.tasks("mill/a4", "adjudication")
        at.answer(skipped, skip=True)
        at.answer(done)
        others = [pair for pair in pairs if pair != done["pair_id"]]
        assert adjudicate(at.folder, at.journal, others) == (0, [skipped["pair_id"]])
        at.folder = campaign(tmp_path, adjudicators=("eve@mill.example",))
        assert adjudicate(at.folder, at.journal, others) == (3, [])
        tasks = at.tasks(round_="adjudication")
        assert Counter(task["annotator"] for task in tasks) == {"mill/a4": 2, "mill/a5": 3}, "open ones moved"


def test_adjudicators_that_disagree_are_followed_by_another_one(tmp_path: Path) -> None:
    with desk(tmp_path, prompts(range(1)), adjudicators=(DEE, "eve@mill.example", "fay@mill.example")) as at:
        [pair] = at.record.pairs["pair_id"].to_pylist()
        for task in at.tasks():
            at.answer(task, "a_better")
        adjudicate(at.folder, at.journal, [pair])
        for preferred in ("first", "second"):
            [task] = [each for each in at.tasks(round_="adjudication") if each["uid"] not in answered(at)]
            at.answer(task, "a_better" if (preferred == "first") != task["swapped"] else "b_better")
            adjudicate(at.folder, at.journal, [pair])
        unresolved = resolve(at.load()).unresolved
        assert unresolved["reason"].to_pylist() == ["tied"]
        assert find_disputed(unresolved) == [pair]
        [task] = [each for each in at.tasks(round_="adjudication") if each["uid"] not in answered(at)]
        at.answer(task)
        assert find_disputed(resolve(at.load()).unresolved) == []


def answered(at: Desk) -> set[str]:
    return set(at.load().judgments["uid"].to_pylist())


def test_without_adjudicators_nobody_decides(tmp_path: Path) -> None:
    with desk(tmp_path) as at, pytest.raises(UserError, match="names no adjudicators"):
        adjudicate(at.folder, at.journal, at.record.pairs["pair_id"].to_pylist())
