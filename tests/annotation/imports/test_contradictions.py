"""Opposite verdicts on one pair are counted, whatever else the rows hold."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from annotation.imports.contradictions import contradictions

ROWS = st.lists(st.tuples(st.sampled_from("pq"), st.sampled_from("abc"), st.sampled_from("abc")), max_size=12)


@given(ROWS)
def test_contradictions_equal_a_search_of_all_pairs(drawn: list[tuple[str, str, str]]) -> None:
    rows = [row for row in drawn if row[1] != row[2]]
    columns = [pa.array([row[k] for row in rows], pa.large_string()) for k in range(3)]
    found = contradictions(pa.table(columns, ["prompt_id", "chosen", "rejected"]))
    assert found == len({row for row in rows if row[1] < row[2] and (row[0], row[2], row[1]) in rows})
