"""The choice of survivors is the definition's, in whatever parts the sets are read and in whatever order links come."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.dedup import survivors
from curation.dedup.edges import edges
from curation.dedup.removal import STAGES
from curation.dedup.survivors import Order, SetReader, Sets, choose

REMOVED = 1
DOCUMENT = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 12), st.booleans())
"""Rank, depth, where the set starts, and whether a release removed the document."""
LEAST_LINK = 0.4


def definition(
    ranks: list[int],
    depths: list[int],
    lost: list[bool],
    sets: list[set[int]],
    links: list[tuple[str, int, int]],
    least: float,
) -> dict[int, int]:
    """The survivor of each removed document."""

    def order(number: int) -> tuple[int, int, int]:
        return depths[number], ranks[number], number

    def alike(one: int, other: int) -> float:
        return len(sets[one] & sets[other]) / len(sets[one] | sets[other])

    survivor: dict[int, int | None] = {}
    for number in sorted({end for _, *ends in links for end in ends}, key=order):
        better = [
            (stage, one + other - number)
            for stage, one, other in links
            if number in (one, other) and order(one + other - number) < order(number)
        ]
        hard = [
            survivor[each]
            for wanted in ("url", "exact")
            for each in sorted((each for stage, each in better if stage == wanted), key=order)
            if survivor[each] is not None
        ]
        near = {survivor[each] for stage, each in better if stage == "near"} - {None}
        enough = [each for each in near if alike(number, each) >= least]
        if hard:
            survivor[number] = hard[0]
        elif enough:
            survivor[number] = min(enough, key=lambda each: (-alike(number, each), order(each)))
        else:
            survivor[number] = None if lost[number] else number
    return {number: kept for number, kept in survivor.items() if kept not in (None, number)}


@settings(deadline=None)
@given(
    documents=st.lists(DOCUMENT, min_size=2, max_size=25),
    wanted=st.lists(st.tuples(st.sampled_from(STAGES[1:]), st.integers(0, 24), st.integers(0, 24)), max_size=80),
    urls=st.lists(st.tuples(st.integers(0, 24), st.integers(0, 24)), max_size=3),
    least=st.sampled_from([0.3, 0.5, 0.7]),
    most_bytes=st.sampled_from([1, 200, 1 << 20]),
    seed=st.integers(0, 99),
)
def test_survivors_are_those_of_the_definition(
    documents: list[tuple[int, int, int, bool]],
    wanted: list[tuple[str, int, int]],
    urls: list[tuple[int, int]],
    least: float,
    most_bytes: int,
    seed: int,
) -> None:
    ranks, depths, starts, lost = map(list, zip(*documents, strict=True))
    sets = [set(range(start, start + 10)) for start in starts]
    links = set()
    for stage, *ends in [*wanted, *(("url", *pair) for pair in urls)]:
        one, other = sorted(end % len(documents) for end in ends)
        alike = len(sets[one] & sets[other]) / len(sets[one] | sets[other])
        if one != other and (stage == "url" or alike >= (1 if stage == "exact" else LEAST_LINK)):
            links.add((stage, one, other, alike))
    classes = np.where(lost, REMOVED, 0).astype(np.uint64) << np.uint64(62)
    nodes = np.column_stack([classes | np.array(ranks, np.uint64), np.arange(len(documents), dtype=np.uint64)])
    records = [
        np.column_stack(
            [np.array([[STAGES.index(stage)]], np.uint64), edges(nodes[[one]], nodes[[other]], np.array([alike]))]
        )
        for stage, one, other, alike in links
    ]
    random.Random(seed).shuffle(records)
    order = Order(
        depth=lambda ids: np.array(depths)[ids.astype(np.int64)],
        plain_rank=lambda ranks: ranks & np.uint64((1 << 62) - 1),
        may_survive=lambda ranks: ranks >> np.uint64(62) != REMOVED,
    )
    reader = SetReader(
        sizes=lambda ids: np.array([len(sets[each]) for each in ids.tolist()], np.int64),
        fetch=lambda ids: Sets(
            np.array([value + 1 for each in ids.tolist() for value in sets[each]], np.uint64),
            np.cumsum([0, *(len(sets[each]) for each in ids.tolist())]),
        ),
        ordered=False,
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(survivors, "SETS_BYTES", most_bytes)
        found = choose(np.concatenate([np.empty((0, 6), np.uint64), *records]), order, reader, least)
    expected = definition(ranks, depths, lost, sets, [link[:3] for link in links], least)
    assert dict(found[:, :2].tolist()) == expected
    for number, survivor, matched, stage, *bits in found.tolist():
        to_matched, to_survivor = np.array(bits, np.uint64).view(np.float64)
        if STAGES[stage] == "near":
            assert to_survivor == len(sets[number] & sets[survivor]) / len(sets[number] | sets[survivor]) >= least
            assert to_matched >= LEAST_LINK
        assert matched == survivor or matched in expected
