"""Large-star and small-star find what union-find finds, whatever the graph and the partitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.components import LINK_WIDTH, forest
from curation.dedup.edges import Records, distinct, unpack
from curation.dedup.stars import by_worse, large_star, small_star, spread

RANKS = np.random.default_rng(3).integers(0, 50, 20_000).astype(np.uint64)


def links_of(pairs: list[tuple[int, int]]) -> Records:
    """Links between nodes by number; a node's rank is fixed, and many are equal."""
    found = []
    for left, right in pairs:
        if left != right:
            better, worse = sorted([(int(RANKS[left]), left), (int(RANKS[right]), right)])
            found.append([*better, *worse])
    return np.array(found, np.uint64).reshape(-1, LINK_WIDTH)


def gathered(links: list[Records], route, partitions: int) -> dict[int, Records]:  # type: ignore[no-untyped-def]
    blobs: dict[int, list[bytes]] = {}
    for each in links:
        for partition, blob in route(each, partitions):
            blobs.setdefault(partition, []).append(blob)
    return {partition: unpack(each, LINK_WIDTH) for partition, each in blobs.items()}


def by_rounds(links: Records, partitions: int) -> tuple[Records, int]:
    """The links at the end, and the rounds it took."""
    state, rounds = [links], 0
    while True:
        rounds += 1
        large = [large_star(each) for each in gathered(state, spread, partitions).values()]
        small = [small_star(each) for each in gathered([found for found, _ in large], by_worse, partitions).values()]
        state = [found for found, _ in small] or [links]
        if not sum(changed for _, changed in [*large, *small]):
            return np.concatenate(state), rounds
        assert rounds < 100


def components(pairs: list[tuple[int, int]]) -> dict[int, int]:
    """The best node of each node's component, by search."""
    near: dict[int, set[int]] = {}
    for left, right in pairs:
        near.setdefault(left, set()).add(right)
        near.setdefault(right, set()).add(left)
    best: dict[int, int] = {}
    for start in near:
        if start in best:
            continue
        seen, waiting = {start}, [start]
        while waiting:
            for other in near[waiting.pop()] - seen:
                seen.add(other)
                waiting.append(other)
        root = min(seen, key=lambda node: (int(RANKS[node]), node))
        best |= dict.fromkeys(seen, root)
    return best


def same(pairs: list[tuple[int, int]], partitions: int) -> int:
    links = links_of(pairs)
    found, rounds = by_rounds(links, partitions)
    assert distinct(found).tolist() == distinct(forest(links)).tolist()
    expected = {node: root for node, root in components(pairs).items() if node != root}
    assert {int(row[3]): int(row[1]) for row in found} == expected
    assert len(found) == len(expected)
    return rounds


NODE = st.integers(0, 40)


@given(pairs=st.lists(st.tuples(NODE, NODE), max_size=80), partitions=st.integers(1, 9))
def test_any_graph(pairs: list[tuple[int, int]], partitions: int) -> None:
    same(pairs, partitions)


@pytest.mark.parametrize("partitions", [1, 7])
@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param([(0, node) for node in range(1, 500)], id="star"),
        pytest.param([(left, right) for left in range(40) for right in range(left)], id="clique"),
        pytest.param([(node, node + 1) for node in range(0, 3000, 2)], id="pairs"),
        pytest.param([(node, (node * 7 + 3) % 2000) for node in range(2000)], id="tangle"),
    ],
)
def test_well_known_graphs(pairs: list[tuple[int, int]], partitions: int) -> None:
    assert same(pairs, partitions) <= 12


def test_a_long_chain_takes_few_rounds() -> None:
    assert same([(node, node + 1) for node in range(10_000)], 5) <= 16


def test_no_links() -> None:
    found, changed = large_star(links_of([]))
    assert (found.shape, changed) == ((0, LINK_WIDTH), 0)
    found, changed = small_star(links_of([]))
    assert (found.shape, changed) == ((0, LINK_WIDTH), 0)
