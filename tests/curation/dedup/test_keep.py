"""Keep policies: a total order with missing values last."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.keep import Keep
from schemas import JUDGED
from schemas.errors import UserError

FLOATS = st.one_of(st.floats(width=32), st.sampled_from([0.0, -0.0, 1.0]))
"""Numbers that differ in more than the last two binary digits of float64, which ranks leave out."""


def documents(**columns: list[object]) -> pa.RecordBatch:
    rows = len(next(iter(columns.values())))
    defaults: dict[str, list[object]] = {
        "doc_id": [str(i) for i in range(rows)],
        "text": ["text"] * rows,
        "source": ["web"] * rows,
        "file": ["f"] * rows,
        "offset": list(range(rows)),
        "metadata": ["{}"] * rows,
    }
    return JUDGED.batch({**defaults, **columns})


def order(keep: Keep, rows: pa.RecordBatch, signals: pa.RecordBatch | None = None) -> list[int]:
    ranks = keep.ranks(rows, signals if signals is not None else rows)
    return sorted(range(len(rows)), key=lambda i: (ranks[i], i))


@given(values=st.lists(FLOATS, max_size=20), lowest=st.booleans())
def test_a_signal_orders_as_numbers_do_and_nan_comes_last(values: list[float], lowest: bool) -> None:
    rows = documents(text=["x"] * len(values))
    signals = pa.RecordBatch.from_arrays([pa.array(values, pa.float64())], ["score"])
    found = order(Keep(policy="signal", signal="score", lowest=lowest), rows, signals)
    key = (lambda v: v + 0.0) if lowest else (lambda v: -(v + 0.0))
    expected = sorted(
        range(len(values)), key=lambda i: (math.isnan(values[i]), 0.0 if math.isnan(values[i]) else key(values[i]), i)
    )
    assert found == expected


def test_the_newest_date_wins_in_any_notation_and_unreadable_ones_come_last() -> None:
    dates = ["2020-01-02", None, "2021-05-05T10:00:00Z", "soon", "2021-05-05T12:30:00+02:00", "1600000000"]
    assert order(Keep(policy="newest"), documents(date=dates)) == [4, 2, 5, 0, 1, 3]


def test_the_longest_text_is_counted_in_characters() -> None:
    assert order(Keep(policy="longest"), documents(text=["ab", "ééé", "abcd"])) == [2, 1, 0]


def test_sources_win_in_the_order_given_and_unknown_ones_come_last() -> None:
    keep = Keep(policy="source", sources=("wiki", "books"))
    assert order(keep, documents(source=["web", "books", "wiki", "web"])) == [2, 1, 0, 3]


def test_first_leaves_the_listing_to_decide() -> None:
    assert Keep().ranks(documents(text=["a", "b"]), documents(text=["a", "b"])).tolist() == [0, 0]
    assert np.uint64 == Keep().ranks(documents(text=["a"]), documents(text=["a"])).dtype


@pytest.mark.parametrize(
    "fields",
    [{"policy": "signal"}, {"signal": "words"}, {"policy": "source"}, {"sources": ("a",)}, {"lowest": True}],
)
def test_contradictory_fields_are_the_users_mistake(fields: dict[str, object]) -> None:
    with pytest.raises(UserError, match="keep"):
        Keep(**fields)  # type: ignore[arg-type]
