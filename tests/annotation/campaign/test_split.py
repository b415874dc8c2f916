"""Held out: whole families of prompts, a tenth at most, once and for all."""

import random
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.campaign.split import OldPrompt, assign_splits, find_families, prompt_text, quota
from curation.dedup.near import families

WORDS = [
    "mill",
    "wheel",
    "grain",
    "river",
    "flour",
    "bread",
    "oven",
    "sluice",
    "gear",
    "stone",
    "sack",
    "cart",
    "frost",
    "barley",
]
PROMPT = st.tuples(st.integers(0, 5), st.integers(0, 13), st.sampled_from(["", "!", "?"]))


def text(number: tuple[int, int, str]) -> str:
    """One of few sentences of fourteen words, with one of them changed: many are nearly the same."""
    base, change, end = number
    words = [f"{word}{base}" for word in WORDS]
    words[change % 7] = WORDS[change]
    return " ".join(words).capitalize() + end


def near(one: str, other: str) -> bool:
    first, second = families(pa.array([one, other], pa.large_string())).tolist()
    return bool(first == second)


@settings(max_examples=40)
@given(st.lists(st.lists(PROMPT, min_size=1, max_size=12, unique=True), min_size=1, max_size=4), st.integers(0, 9))
def test_near_duplicates_are_never_in_two_splits_however_many_batches(
    batches: list[list[tuple[int, int, str]]], seed: int
) -> None:
    earlier: list[OldPrompt] = []
    for number, batch in enumerate(batches):
        prompts = {f"{number}/{place}": text(each) for place, each in enumerate(batch)}
        weights = dict.fromkeys(prompts, 3)
        chosen = assign_splits(prompts, weights, earlier, families, seed)
        backwards = dict(reversed(prompts.items()))
        assert assign_splits(backwards, weights, earlier[::-1], families, seed) == chosen
        for prompt, split in chosen.items():
            alike = {each.split for each in earlier if each.text == prompts[prompt]}
            assert alike <= {split}, "a prompt that came before keeps its split"
        numbers = families(
            pa.array([each.text for each in earlier] + list(prompts.values()), pa.large_string())
        ).tolist()
        known = set(numbers[: len(earlier)])
        held = [
            number in known
            for number, prompt in zip(numbers[len(earlier) :], prompts, strict=True)
            if chosen[prompt] == "held_out"
        ]
        assert 3 * held.count(False) <= max(0, quota(3 * len(prompts)) - 3 * held.count(True))
        earlier += [OldPrompt(prompts[prompt], split) for prompt, split in chosen.items()]
    for one, other in combinations(earlier, 2):
        if {one.split, other.split} == {"train", "held_out"}:
            assert not near(one.text, other.text)


def alone(texts: pa.Array) -> np.ndarray:
    """Every text is a family."""
    return np.unique(texts.to_pylist(), return_inverse=True)[1]


@pytest.mark.parametrize(("pairs", "held"), [(9, 0), (10, 1), (19, 1), (995, 99), (9_999, 999), (12_000, 1000)])
def test_a_tenth_is_held_out_and_a_thousand_at_most(pairs: int, held: int) -> None:
    prompts = {f"p{n}": f"text {n}" for n in range(pairs)}
    chosen = assign_splits(prompts, dict.fromkeys(prompts, 1), [], alone, 1)
    assert quota(pairs) == held == list(chosen.values()).count("held_out")


def test_a_family_is_held_out_as_a_whole_or_not_at_all() -> None:
    prompts = {f"p{n}": f"text {n}" for n in range(10)}
    weights = {**dict.fromkeys(prompts, 3), "p0": 4}
    for seed in range(20):
        chosen = assign_splits(prompts, weights, [], alone, seed)
        held = [prompt for prompt, split in chosen.items() if split == "held_out"]
        assert sum(weights[prompt] for prompt in held) <= 3 == quota(31)
        assert len(held) == 1


def test_a_prompt_that_links_both_splits_is_in_neither() -> None:
    def linked(texts: pa.Array) -> np.ndarray:
        found = texts.to_pylist()
        return np.zeros(len(found), int) if any("bridge" in each for each in found) else alone(texts)

    earlier = [OldPrompt("one", "train"), OldPrompt("two", "held_out")]
    assert assign_splits({"p": "bridge"}, {"p": 1}, earlier, linked, 1) == {"p": "neither"}
    earlier.append(OldPrompt("bridge", "neither"))
    assert assign_splits({"p": "near the bridge"}, {"p": 1}, earlier, linked, 1) == {"p": "neither"}
    assert assign_splits({"p": "one"}, {"p": 1}, earlier, alone, 1) == {"p": "train"}
    assert assign_splits({"p": "two"}, {"p": 1}, earlier, alone, 1) == {"p": "held_out"}


def test_what_came_in_counts_against_the_quota() -> None:
    prompts = {f"p{n}": f"text {n}" for n in range(20)}
    earlier = [OldPrompt("text 0", "held_out"), OldPrompt("text 1", "held_out")]
    chosen = assign_splits(prompts, dict.fromkeys(prompts, 1), earlier, alone, 1)
    assert [prompt for prompt, split in chosen.items() if split == "held_out"] == ["p0", "p1"]


def test_a_shared_system_turn_makes_no_family() -> None:
    assert (
        prompt_text((("system", "Be kind."), ("user", "Hi"), ("assistant", "Hello"), ("user", "?"))) == "Hi\nHello\n?"
    )


@given(st.lists(PROMPT, min_size=1, max_size=10, unique=True))
def test_another_order_of_rows_draws_the_same(batch: list[tuple[int, int, str]]) -> None:
    prompts = {str(place): text(each) for place, each in enumerate(batch)}
    again = dict(random.Random(1).sample(list(prompts.items()), len(prompts)))
    weights = dict.fromkeys(prompts, 10)
    assert assign_splits(again, weights, [], families, 1) == assign_splits(prompts, weights, [], families, 1)


def placed(prompts: dict[str, str], chosen: dict[str, str]) -> list[OldPrompt]:
    return [OldPrompt(prompts[each], split) for each, split in chosen.items()]


def test_a_bridge_between_two_splits_joins_no_families() -> None:
    """Real texts that do not all resemble each other: the ends of a chain keep their splits for ever."""
    middle = "mill by the river grind so much slower when grain is dry and wheels turn well, as all farmers here have"
    bridge = f"Tell me why our old {middle} told each other every spring?"
    left = f"Tell me why our old {middle} told each since last autumn?"
    right = f"Explain to us our old {middle} told each other every spring?"
    assert near(left, bridge)
    assert near(bridge, right)
    assert not near(left, right)
    earlier = [OldPrompt(left, "train"), OldPrompt(right, "held_out")]
    second = {"n": bridge}
    assert assign_splits(second, {"n": 1}, earlier, families, 1) == {"n": "neither"}
    earlier += placed(second, {"n": "neither"})
    third = {"a": left, "b": right, "n": bridge}
    assert assign_splits(third, dict.fromkeys(third, 1), earlier, families, 1) == {
        "a": "train",
        "b": "held_out",
        "n": "neither",
    }
    apart = {"a": left}, {"b": right}
    assert [assign_splits(each, dict.fromkeys(each, 1), earlier, families, 1) for each in apart] == [
        {"a": "train"},
        {"b": "held_out"},
    ]


@given(st.lists(st.lists(st.sampled_from(["Hi", "Hi there", "Go on", "Why"]), min_size=1, max_size=3), max_size=12))
def test_a_dialogue_is_of_the_family_of_what_it_goes_on_from(dialogues: list[list[str]]) -> None:
    texts = ["\n".join(turns) for turns in dialogues]
    column = pa.array(texts, pa.large_string())
    alone = find_families(column, lambda each: np.unique(each.to_pylist(), return_inverse=True)[1])
    for one, other in combinations(range(len(texts)), 2):
        short, long = sorted((dialogues[one], dialogues[other]), key=len)
        if long[: len(short)] == short:
            assert alone[one] == alone[other]
        if not set(short) & set(long):
            assert alone[one] != alone[other]
