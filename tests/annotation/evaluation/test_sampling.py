"""Pairs with votes are a random part only if every annotator answered in the random order of the tasks."""

from pathlib import Path

import pytest

from annotation.evaluation.pairs import of_campaign
from annotation.evaluation.sampling import Sampling, sampling_of
from annotation.evaluation.sources import of_people
from tests.annotation.campaigns import Desk, desk, prompts, write_rows


def sampling(mill: Desk) -> Sampling:
    return sampling_of(mill.record, mill.load())


def test_answers_in_order_are_a_random_part(tmp_path: Path) -> None:
    with desk(tmp_path, prompts(range(12))) as mill:
        for annotator in ("mill/a1", "mill/a2", "mill/a3"):
            for task in mill.tasks(annotator)[:5]:
                mill.answer(task)
        found = sampling(mill)
        assert found.flaw is None
        assert len(found.items) == 12
        judged = of_people(mill.load()).votes.select(["item", "prompt_id"])
        assert found.flaw_among(judged, frozenset()) is None


@pytest.mark.parametrize(
    ("places", "skipped", "flaw"),
    [((0, 2), (), "1 tasks were answered before others"), ((0, 2), (1,), "1 pairs were skipped")],
)
def test_chosen_pairs_are_no_random_part(
    places: tuple[int, ...], skipped: tuple[int, ...], flaw: str, tmp_path: Path
) -> None:
    with desk(tmp_path, prompts(range(12)), votes=1) as mill:
        tasks = mill.tasks("mill/a1")
        for place in places:
            mill.answer(tasks[place])
        for place in skipped:
            mill.answer(tasks[place], skip=True)
        found = sampling(mill).flaw
    assert found is not None
    assert flaw in found


def test_a_batch_without_votes_is_no_random_rest(tmp_path: Path) -> None:
    with desk(tmp_path) as mill:
        for task in mill.tasks():
            mill.answer(task)
        write_rows(tmp_path / "b2.jsonl", prompts(range(4, 8)))
        object.__setattr__(mill.folder.campaign, "batch", "b2")
        object.__setattr__(mill.folder.campaign, "responses", "b2.jsonl")
        mill.plan()
        assert "the batch b2 has no votes" in str(sampling(mill).flaw)


def test_pairs_of_a_judge_of_the_campaign_have_the_same_items(tmp_path: Path) -> None:
    with desk(tmp_path) as mill:
        for task in mill.tasks():
            mill.answer(task)
        snapshot = mill.load()
        known = sampling(mill).items
    assert len(of_campaign(snapshot).pairs) == len(known) == 4
    assert known == set(of_people(snapshot).votes["item"].to_pylist())
