"""Counts by value are exact, whether they fit into memory or go to files."""

from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.reports import card_tallies
from curation.reports.card_tallies import TALLY, Tallies

ROWS = st.lists(
    st.tuples(st.sampled_from(["host", "year"]), st.text("ab\u00fc.", max_size=3), st.integers(1, 9)), max_size=60
)


@given(tables=st.lists(ROWS, max_size=6), most=st.integers(1, 40), parts=st.integers(1, 9))
def test_counts_are_those_of_a_naive_program(tables: list[list[tuple[str, str, int]]], most: int, parts: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in (("MOST_ROWS", most), ("PARTS", parts), ("MOST_VALUES", 4)):
            patched.setattr(card_tallies, name, value)
        found, expected = Tallies(), Counter[tuple[str, str]]()
        for rows in tables:
            found.add(pa.Table.from_pylist([dict(zip(TALLY.names, row, strict=True)) for row in rows], schema=TALLY))
            for table, value, documents in rows:
                expected[table, value] += documents
        columns = found.columns()
    assert sorted(columns) == sorted({table for table, _ in expected})
    for name, counted in columns.items():
        own = [(value, documents) for (table, value), documents in expected.items() if table == name]
        assert counted.different == len(own)
        assert counted.documents == sum(documents for _, documents in own)
        assert counted.most == sorted(own, key=lambda each: (-each[1], each[0]))[:4]


def test_many_values_are_held_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_tallies, "MOST_ROWS", 1000)
    found = Tallies()
    for start in range(0, 20_000, 500):
        values = [f"h{number}.example" for number in range(start, start + 1000)]
        found.add(pa.table([["host"] * 1000, values, [1] * 1000], schema=TALLY))
        assert sum(map(len, found._held)) <= 1000
    parts = list(found.parts())
    assert max(map(len, parts)) < 200
    assert sum(map(len, parts)) == found.columns()["host"].different == 20_500
    assert found.columns()["host"].documents == 40_000
