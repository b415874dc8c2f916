"""Candidates: what any earlier run compared is compared again, whatever stands between the two now."""

from itertools import accumulate

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.bands import candidates
from curation.dedup.edges import units_of

BUCKETS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=2, max_size=40)
"""(band key, unit) of each row; the units are those of five releases and of new documents."""
UNITS = (1, 1, 1, 1, 1)
FIRSTS = tuple(accumulate(UNITS, initial=0))


def blobs(rows: list[tuple[int, int]]) -> list[bytes]:
    """What the units send: unit, band keys, rows in the unit."""
    found = []
    for unit in sorted({unit for _, unit in rows}):
        keys = np.array([key for key, of in rows if of == unit], np.uint64)
        head = np.uint64(unit).tobytes()
        found.append(head + keys.tobytes() + np.arange(len(keys), dtype=np.uint32).tobytes())
    return found


def closed(wanted: list[set[int]]) -> list[list[int]]:
    """Which releases each one knew: whoever knew another one knew what that one knew."""
    known: list[set[int]] = []
    for index, drawn in enumerate(wanted):
        earlier = {each for each in drawn if each < index}
        known.append(earlier.union({index}, *(known[each] for each in earlier)))
    return [sorted(each) for each in known]


@given(rows=BUCKETS, wanted=st.lists(st.sets(st.integers(0, 4), max_size=3), min_size=5, max_size=5))
def test_all_pairs_of_each_releases_own_run_are_compared_again(
    rows: list[tuple[int, int]], wanted: list[set[int]]
) -> None:
    known = closed(wanted)
    now = {(int(one), int(other)) for one, other in candidates(blobs(rows), FIRSTS, known)}
    for index, part in enumerate(known):
        there = [(key, unit) for key, unit in rows if unit in part]
        firsts = [0, *(unit + 1 for unit in part[:-1])]
        own = [[each for each in known[of] if each in part] for of in part[:-1]]
        places = [[part.index(each) for each in each_known] for each_known in own]
        then = candidates(blobs(there), firsts, places)
        assert {(int(one), int(other)) for one, other in then} <= now, index


def test_a_pair_is_two_documents_of_one_bucket_and_the_first_meets_all() -> None:
    found = candidates(blobs([(7, 0), (7, 1), (7, 1), (8, 1), (8, 1), (9, 5)]))
    assert [units_of(pair).tolist() for pair in found] == [[0, 1], [0, 1], [1, 1], [1, 1]]
