"""The ledger balances, or says where it does not."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.release.ledger import Ledger, LedgerReport
from schemas.balance import LedgerError
from schemas.records import from_json, to_json

ROW = st.tuples(st.sampled_from(["web", "wiki"]), st.integers(0, 2), st.integers(0, 1000), st.integers(0, 100))
REASONS = ["kept", "short", "long"]


def ledger_of(rows: list[tuple[str, int, int, int]]) -> Ledger:
    ledger = Ledger()
    source, outcome = pa.array([row[0] for row in rows], pa.string()), np.array([row[1] for row in rows], np.int64)
    sizes, words = (np.array([row[i] for row in rows], np.int64) for i in (2, 3))
    ledger.count("read", source, sizes, words)
    for index, reason in enumerate(REASONS):
        chosen = outcome == index
        sources = source.filter(pa.array(chosen, pa.bool_()))
        if reason == "kept":
            ledger.count("kept", sources, sizes[chosen], words[chosen])
        else:
            keys = [
                sources,
                pa.array(["filter"] * len(sources), pa.string()),
                pa.array([reason] * len(sources), pa.string()),
            ]
            ledger.count("rejected", keys, sizes[chosen], words[chosen])
    return ledger


@given(rows=st.lists(ROW, max_size=30), cut=st.integers(0, 30))
def test_parts_add_up_to_the_whole_and_balance(rows: list[tuple[str, int, int, int]], cut: int) -> None:
    whole, first = ledger_of(rows), ledger_of(rows[:cut])
    first.merge(ledger_of(rows[cut:]))
    assert first == whole
    assert Ledger.of(from_json(LedgerReport, to_json(whole.report()), "m")) == whole
    whole.check()
    assert whole.total("read") == (len(rows), sum(row[2] for row in rows), sum(row[3] for row in rows))


@given(rows=st.lists(ROW, min_size=1, max_size=10))
def test_a_document_lost_or_counted_twice_is_found(rows: list[tuple[str, int, int, int]]) -> None:
    ledger = ledger_of(rows)
    source = rows[0][0]
    documents, size, words = ledger.read[source]
    ledger.read[source] = (documents + 1, size, words)
    with pytest.raises(LedgerError, match=f"source {source}: {documents + 1} came in, and {documents} went"):
        ledger.check()
