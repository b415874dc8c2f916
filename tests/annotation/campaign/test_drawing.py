"""Prompts that are drawn from a larger file depend on the seed and their ids alone."""

from pathlib import Path

import pytest

from annotation.campaign.drawing import draw_prompts
from annotation.campaign.pairing import Pairing
from annotation.campaign.responses import Prompt
from annotation.campaign.settings import Campaign
from schemas.errors import UserError
from tests.annotation.campaigns import PEOPLE, desk, prompts


def drawn(count: int | None, of: int, seed: int = 0) -> list[str]:
    campaign = Campaign(
        name="mill",
        protocol="preference",
        batch="b1",
        responses="b1.jsonl",
        annotators=PEOPLE,
        seed=seed,
        pairs=Pairing(prompts=count),
    )
    whole = [Prompt(f"p{n}", (("user", f"{n}?"),), ()) for n in range(of)]
    return [prompt.prompt_id for prompt in draw_prompts(whole, campaign)]


def test_the_same_seed_draws_the_same_and_more_contain_fewer() -> None:
    assert drawn(5, 40) == drawn(5, 40)
    assert {*drawn(5, 40)} < {*drawn(12, 40)}
    assert drawn(5, 40) != drawn(5, 40, seed=1)
    assert drawn(None, 40) == [f"p{n}" for n in range(40)] == drawn(40, 40)


def test_every_prompt_is_drawn_as_often() -> None:
    """Of 10 prompts 3 are drawn with each of 2,000 seeds: 600 times each, with a standard deviation of 20."""
    counts = dict.fromkeys([f"p{n}" for n in range(10)], 0)
    for seed in range(2000):
        for name in drawn(3, 10, seed):
            counts[name] += 1
    assert all(520 < count < 680 for count in counts.values())


def test_a_batch_names_what_it_did_not_draw(tmp_path: Path) -> None:
    with desk(tmp_path, prompts(range(12)), pairs=Pairing(prompts=5)) as mill:
        batch = mill.record.batches["b1"]
        assert (batch.counted.pairs, batch.dropped, batch.asked.pairs.prompts) == (5, {"prompt_not_drawn": 7}, 5)
        assert not mill.plan().new, "the same settings name the same batch"


def test_more_prompts_than_there_are_is_one_sentence() -> None:
    with pytest.raises(UserError, match=r"pairs.prompts is 5, but b1.jsonl has only 4 prompts: draw fewer"):
        drawn(5, 4)
    with pytest.raises(UserError, match="draw at least 1 prompt"):
        Pairing(prompts=0)
