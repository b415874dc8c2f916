"""Components: the forest names the best node of each component, whatever the order of the edges."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.components import forest

NODES = st.integers(0, 30)
LINKS = st.lists(st.tuples(NODES, NODES).filter(lambda pair: pair[0] != pair[1]), max_size=60)


def packed(links: list[tuple[int, int]], rank: dict[int, int]) -> np.ndarray:
    rows = [(rank[a], a, rank[b], b) if (rank[a], a) < (rank[b], b) else (rank[b], b, rank[a], a) for a, b in links]
    return np.array(rows, np.uint64).reshape(-1, 4)


def reachable(links: list[tuple[int, int]], start: int) -> set[int]:
    """The component of a node, by repeated looking at every edge."""
    found = {start}
    while True:
        more = {b for a, b in links if a in found} | {a for a, b in links if b in found}
        if more <= found:
            return found
        found |= more


@given(links=LINKS, ranks=st.lists(st.integers(0, 3), min_size=31, max_size=31))
def test_each_node_is_linked_to_the_best_of_its_component(links: list[tuple[int, int]], ranks: list[int]) -> None:
    rank = dict(enumerate(ranks))
    expected = set()
    for node in {node for link in links for node in link}:
        best = min(reachable(links, node), key=lambda other: (rank[other], other))
        if best != node:
            expected.add((rank[best], best, rank[node], node))
    found = [tuple(row) for row in forest(packed(links, rank)).tolist()]
    assert len(found) == len(set(found))
    assert set(found) == expected


@given(links=LINKS, cut=st.integers(0, 60))
def test_forests_of_parts_merge_to_the_forest_of_the_whole(links: list[tuple[int, int]], cut: int) -> None:
    rank = dict.fromkeys(range(31), 0)
    edges = packed(links, rank)
    parts = np.concatenate([forest(edges[cut:]), forest(edges[:cut])])
    assert forest(parts).tolist() == forest(edges).tolist()


def test_a_long_chain_is_one_component() -> None:
    ids = np.arange(50_000, dtype=np.uint64)
    zero = np.zeros(len(ids) - 1, np.uint64)
    chain = np.column_stack([zero, ids[:-1], zero, ids[1:]])
    found = forest(chain[::-1])
    assert set(found[:, 1].tolist()) == {0}
    assert found[:, 3].tolist() == list(range(1, 50_000))
