"""What is planned stays as it was planned; what changed is told in one sentence that says what to do."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotation.campaign.moves import withdraw
from annotation.campaign.plan import plan, record_changes
from annotation.campaign.settings import Gold, Pairing
from annotation.campaign.tasks import shown_digest, task_data
from annotation.journal.journal import Journal
from annotation.judgments.policy import Policy
from curation.dedup.near import families
from schemas.errors import UserError
from tests.annotation.campaigns import PEOPLE, Desk, campaign, desk, golden, prompts, write_rows


def replan(at: Desk, **changes: Any) -> Any:
    at.folder = campaign(at.folder.path, **changes)
    return at.plan()


def test_twice_the_same_plan_changes_nothing(tmp_path: Path) -> None:
    with desk(tmp_path, seed=3) as at:
        before = at.journal.revision
        again = at.plan()
        assert (again.new, again.pairs, again.tasks, at.journal.revision) == (False, 4, 12, before)
        assert replan(at, seed=3, resolve=Policy(use="unanimous")).new is False
        assert at.journal.revision == before + 1, "the settings alone"


def test_the_same_seed_asks_the_same_of_the_same_people_in_secret_order_and_sides(tmp_path: Path) -> None:
    records = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with desk(tmp_path / name, prompts(range(30)), seed=3) as at:
            records.append(at.record)
    one, two = records
    assert one.pairs.equals(two.pairs)
    asked = [("annotator", "ascending"), ("pair_id", "ascending")]
    first, second = (each.tasks.sort_by(asked) for each in (one, two))
    columns = ["pair_id", "batch", "annotator", "round"]
    assert first.select(columns).equals(second.select(columns))
    assert not set(one.tasks["uid"].to_pylist()) & set(two.tasks["uid"].to_pylist())
    assert one.tasks["pair_id"] != two.tasks["pair_id"]
    assert first["swapped"] != second["swapped"]


def test_what_is_shown_is_what_was_planned(tmp_path: Path) -> None:
    write_rows(tmp_path / "gold.jsonl", golden(range(5)))
    with desk(tmp_path, gold=Gold(file="gold.jsonl", share=0.4)) as at:
        record = at.record
        shown = [shown_digest(data) for data in task_data(record.tasks, record.pairs)]
        assert shown == record.tasks["shown"].to_pylist()
        assert set(next(task_data(record.tasks, record.pairs))) == {"uid", "history", "prompt", "a", "b"}


CHANGES: dict[str, tuple[Callable[[Path], None], dict[str, Any], str]] = {
    "responses": (
        lambda path: write_rows(path / "b1.jsonl", prompts(range(5))),
        {},
        "the responses changed after batch b1",
    ),
    "votes": (lambda path: None, {"votes": 2}, "the votes changed after batch b1"),
    "seed": (lambda path: None, {"seed": 9}, "the seed changed after batch b1"),
    "pairs": (lambda path: None, {"pairs": Pairing(policy="random")}, "the pairs changed after batch b1"),
    "gold": (
        lambda path: write_rows(path / "gold.jsonl", golden([1])),
        {"gold": Gold(file="gold.jsonl")},
        "the gold changed after batch b1",
    ),
    "version": (lambda path: None, {"version": 2}, "the version changed after batch b1"),
    "guidelines": (lambda path: None, {"guidelines": "# Be kind\n"}, "the guidelines changed after batch b1"),
    "new guidelines": (
        lambda path: None,
        {"guidelines": "# New\n", "version": 2},
        "the version and guidelines changed after batch b1",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_batch_that_was_planned_takes_no_change(tmp_path: Path, change: str) -> None:
    spoil, settings, sentence = CHANGES[change]
    with desk(tmp_path, seed=1) as at:
        before = at.journal.revision
        spoil(tmp_path)
        at.folder = campaign(tmp_path, **{"seed": 1, **settings})
        with pytest.raises(UserError, match=sentence) as refused:
            at.plan()
        assert at.journal.revision == before
        assert "\n" not in str(refused.value)
        assert "new batch" in str(refused.value)


def test_guidelines_change_with_a_new_version_alone(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        write_rows(tmp_path / "b2.jsonl", prompts(range(4, 8)))
        later = {"batch": "b2", "responses": "b2.jsonl"}
        with pytest.raises(UserError, match=r"guidelines changed after batch b1: set version to 2 in campaign.toml"):
            replan(at, guidelines="# Be kind\n", **later)
        at.folder = campaign(tmp_path, "# Be kind\n", version=2, **later)
        assert at.plan().new
        versions = Counter(at.record.pairs["protocol_version"].to_pylist())
        assert versions == {"2.1": 4, "2.2": 4}


def test_categories_change_with_a_new_version_alone(tmp_path: Path) -> None:
    safety = {"protocol": "safety", "categories": {"rude": "Rude"}}
    with desk(tmp_path, **safety) as at:
        with pytest.raises(UserError, match="categories changed after batch b1"):
            replan(at, protocol="safety", categories={"rude": "Ruder"})
        with pytest.raises(UserError, match=r"categories changed after batch b1: set version to 2"):
            replan(at, protocol="safety", categories={"rude": "Ruder"}, batch="b2")


@pytest.mark.parametrize("change", [{"name": "weir"}, {"protocol": "safety"}])
def test_a_campaign_keeps_its_name_and_protocol(tmp_path: Path, change: dict[str, str]) -> None:
    with desk(tmp_path) as at, pytest.raises(UserError, match=f"the {next(iter(change))} of the campaign in"):
        record_changes(campaign(tmp_path, **change), at.journal)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"guidelines": "# Which is better\n\nStone 2 is the newer one.\n"}, "the file guidelines.md"),
        ({"name": "stone-2.test"}, "the campaign's name"),
        ({"batch": "STONE_2"}, "the batch's name"),
        ({"protocol": "safety", "categories": {"rude": "As rude as Stone-2"}}, "a risk category"),
    ],
)
def test_nothing_that_annotators_read_names_a_model(tmp_path: Path, changes: dict[str, Any], where: str) -> None:
    write_rows(tmp_path / "b1.jsonl", prompts(range(3), ("stone-2", "a")))
    folder = campaign(tmp_path, **changes)
    with Journal(folder.store, create=True) as journal, pytest.raises(UserError, match=f"^{where} holds 'stone-2'"):
        plan(folder, journal, families)


def test_every_pair_has_its_votes_and_every_annotator_the_share_of_gold(tmp_path: Path) -> None:
    write_rows(tmp_path / "gold.jsonl", golden(range(30)))
    with desk(tmp_path, prompts(range(30)), votes=2, gold=Gold(file="gold.jsonl", share=0.2)) as at:
        record = at.record
    gold = {row["pair_id"] for row in record.pairs.to_pylist() if row["gold"]}
    tasks = record.tasks.to_pylist()
    assert len({(task["annotator"], task["pair_id"]) for task in tasks}) == len(tasks)
    votes = Counter(task["pair_id"] for task in tasks if task["pair_id"] not in gold)
    assert len(votes) == 30
    assert set(votes.values()) == {2}
    for name in record.annotators.values():
        mine = [task["pair_id"] in gold for task in tasks if task["annotator"] == name]
        assert (len(mine), sum(mine)) == (25, 5)
        right = [task["swapped"] for task in tasks if task["annotator"] == name]
        assert abs(2 * sum(right) - len(right)) <= 1
        places = [place for place, is_gold in enumerate(mine) if is_gold]
        assert places != list(range(20, 25)), "gold is mixed in"


def test_gold_pairs_come_once_to_each_annotator_over_all_batches(tmp_path: Path) -> None:
    """Also under another seed, which leaves a gold pair's sides as they are; one with another answer is told."""
    write_rows(tmp_path / "gold.jsonl", golden(range(3)))
    share = Gold(file="gold.jsonl", share=0.3)
    with desk(tmp_path, gold=share) as at:
        assert at.record.tasks.num_rows == 3 * (4 + 2)
        flipped = {"prompt_id": "g0", "prompt": "0 + 1?", "chosen": "2.", "rejected": "1."}
        write_rows(tmp_path / "gold.jsonl", [flipped, *golden(range(1, 3))])
        write_rows(tmp_path / "b2.jsonl", prompts(range(10, 14)))
        planned = replan(at, gold=share, batch="b2", responses="b2.jsonl", seed=5)
        used = {row["prompt_id"] for row in at.record.pairs.to_pylist() if row["gold"]}
        assert [problem.reason for problem in planned.problems] == (["gold_changed"] if "g0" in used else [])
        record = at.record
        met = Counter(zip(record.tasks["annotator"].to_pylist(), record.tasks["pair_id"].to_pylist(), strict=True))
        assert set(met.values()) == {1}
        assert len(set(record.pairs["pair_id"].to_pylist())) == record.pairs.num_rows
        shown = [shown_digest(data) for data in task_data(record.tasks, record.pairs)]
        assert shown == record.tasks["shown"].to_pylist()


def test_a_second_batch_asks_nothing_again(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        write_rows(tmp_path / "b2.jsonl", prompts(range(2, 6)))
        planned = replan(at, batch="b2", responses="b2.jsonl")
        assert (planned.pairs, planned.dropped["in_an_earlier_batch"]) == (2, 2)
        write_rows(tmp_path / "b3.jsonl", prompts(range(3)))
        with pytest.raises(UserError, match=r"no new pair for batch b3 \(3 in an earlier batch\)"):
            replan(at, batch="b3", responses="b3.jsonl")


def test_fewer_pairs_than_people(tmp_path: Path) -> None:
    with desk(tmp_path, prompts([1]), votes=1) as at:
        assert at.record.tasks.num_rows == 1
        assert len(at.plan().without_tasks) == 2


def test_who_is_withdrawn_gets_no_new_batch(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        withdraw(at.journal, PEOPLE[0])
        assert at.plan().without_tasks == []
        write_rows(tmp_path / "b2.jsonl", prompts(range(5, 9)))
        with pytest.raises(UserError, match=f"the votes of {PEOPLE[0]} are withdrawn"):
            replan(at, batch="b2", responses="b2.jsonl")
        assert replan(at, batch="b2", responses="b2.jsonl", votes=2, annotators=PEOPLE[1:]).tasks == 8


def test_a_prompt_that_comes_again_keeps_its_side(tmp_path: Path) -> None:
    with desk(tmp_path, prompts(range(40))) as at:
        first = {row["prompt_id"]: row["split"] for row in at.record.pairs.to_pylist()}
        assert Counter(first.values()) == {"train": 36, "held_out": 4}
        write_rows(tmp_path / "b2.jsonl", prompts(range(50), ("alpha", "gamma")))
        replan(at, batch="b2", responses="b2.jsonl")
        later = {row["prompt_id"]: row["split"] for row in at.record.pairs.to_pylist() if row["batch"] == "b2"}
        assert {prompt: later[prompt] for prompt in first} == first


def test_policies_name_models_that_are_there(tmp_path: Path) -> None:
    write_rows(tmp_path / "b1.jsonl", prompts(range(3)))
    folder = campaign(tmp_path, pairs=Pairing(policy="new_vs_previous", new="alpha", previous="betta"))
    with Journal(folder.store, create=True) as journal:
        with pytest.raises(UserError, match=r"pairs.previous is 'betta', .* choose from alpha, beta"):
            plan(folder, journal, families)
        assert journal.revision == 1, "nothing is left of a plan that was refused"


def test_a_newcomer_has_no_tasks_until_some_pass_on(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        planned = replan(at, annotators=(*PEOPLE, "Dee@Mill.Example"))
        assert planned.without_tasks == ["dee@mill.example"]
        assert list(at.record.annotators.values()) == ["mill/a1", "mill/a2", "mill/a3", "mill/a4"]
        replan(at, annotators=("DEE@mill.example", *PEOPLE[::-1]))
        assert len(at.record.annotators) == 4, "neither order nor capitals make anybody new"


def test_assignments_do_not_depend_on_the_models(tmp_path: Path) -> None:
    """With the models exchanged, everybody gets the same pairs."""
    given = []
    for name, models in (("one", ("alpha", "beta")), ("two", ("beta", "alpha"))):
        (tmp_path / name).mkdir()
        with desk(tmp_path / name, prompts(range(30), models), votes=1) as at:
            prompt = dict(zip(*(at.record.pairs[each].to_pylist() for each in ("pair_id", "prompt_id")), strict=True))
            given.append({(prompt[task["pair_id"]], task["annotator"]) for task in at.tasks()})
    assert given[0] == given[1]
    assert len(given[0]) == 30
