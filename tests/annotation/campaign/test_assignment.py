"""Who judges what, on which side and in which order: fair, blind, and the same for the same seed."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annotation.campaign.assignment import choose_swaps, gold_share, shuffle, spread

PAIRS = st.lists(st.text("abcdef", min_size=1, max_size=6), max_size=40, unique=True)


@given(PAIRS, st.integers(1, 6), st.integers(1, 6), st.integers(0, 5))
def test_each_pair_gets_its_votes_from_different_people_evenly(
    pairs: list[str], crowd: int, votes: int, seed: int
) -> None:
    people, votes = [f"a{n}" for n in range(crowd)], min(votes, crowd)
    given_ = spread(pairs, people, votes, seed)
    assert set(given_) == set(pairs)
    assert all(len(set(each)) == votes for each in given_.values())
    loads = [sum(name in each for each in given_.values()) for name in people]
    assert max(loads) - min(loads) <= 1
    assert spread(pairs[::-1], people[::-1], votes, seed) == given_


def test_people_with_more_pairs_get_fewer_new_ones() -> None:
    given_ = spread([f"p{n}" for n in range(10)], ["ann", "bob"], 1, 1, {"ann": 6})
    assert Counter(name for [name] in given_.values()) == {"ann": 2, "bob": 8}


def secret(number: int) -> str:
    return f"{number:032x}"


def test_everybody_meets_everybody() -> None:
    given_ = spread([f"p{n}" for n in range(60)], ["a", "b", "c", "d"], 2, 1)
    assert len(set(given_.values())) == 6


@given(
    st.dictionaries(st.text("abcdef", min_size=1, max_size=6), st.sampled_from(["x", "y", "z"]), max_size=60),
    st.integers(0, 9).map(secret),
)
def test_sides_are_balanced_in_all_and_for_every_two_models(tasks: dict[str, str], key: str) -> None:
    right = choose_swaps(tasks, key)
    assert right == choose_swaps(dict(reversed(tasks.items())), key)
    for stratum in (None, "x", "y", "z"):
        sides = [right[uid] for uid, its in tasks.items() if stratum in (None, its)]
        assert abs(2 * sum(sides) - len(sides)) <= 1


def test_the_order_of_tasks_does_not_reveal_the_sides() -> None:
    """Over many secrets: neither the place, nor the side before, nor the first side foretells a side."""
    places, before, first = [], [], []
    for number in range(400):
        tasks = {f"t{n}": "xyz"[n % 3] for n in range(50)}
        right = choose_swaps(tasks, secret(number))
        sides = np.array([right[uid] for uid in shuffle(tasks, secret(number))]) * 2 - 1
        places.append(np.mean(sides * (-1) ** np.arange(50)))
        before.append(np.mean(sides[1:] * sides[:-1]))
        first.append(sides[0])
    # 20,000 sides: a fair coin strays by 0.007; two in a row differ a little more often, since their sum is fixed
    assert abs(np.mean(places)) < 0.03
    assert abs(np.mean(before) + 1 / 49) < 0.03
    assert abs(np.mean(first)) < 0.2


def test_the_same_secret_gives_the_same_and_another_one_does_not() -> None:
    uids = [f"t{n}" for n in range(20)]
    assert shuffle(uids, secret(1)) == shuffle(uids[::-1], secret(1)) != shuffle(uids, secret(2))
    tasks = dict.fromkeys(uids, "x")
    assert len({tuple(map(choose_swaps(tasks, secret(number)).get, uids)) for number in range(10)}) == 10


@given(st.integers(0, 500), st.floats(0, 0.5), st.integers(0, 500))
def test_the_share_of_gold_is_of_all_tasks(tasks: int, share: float, available: int) -> None:
    count = gold_share(tasks, share, available)
    assert count <= available
    assert count == available or abs(count - share * (tasks + count)) <= 0.5 + 1e-9
