"""Pairs are read from a journal in whatever version of their table they were written."""

from pathlib import Path

import pyarrow as pa
import pytest

from annotation.journal.fold import fold, pack
from annotation.journal.journal import Journal
from schemas import FACTS, PAIRS
from schemas.errors import UserError
from tests.annotation.written import pair, table

ROWS = [pair("p"), pair("q", split="held_out"), pair("r", gold="first")]
MORE = [pair("s"), pair("t", gold="second")]


def in_version(rows: pa.Table, version: int) -> pa.Table:
    return rows.replace_schema_metadata({"gristmill.table": PAIRS.name, "gristmill.version": str(version)})


def test_pairs_of_all_versions_are_read_as_the_current_one(tmp_path: Path) -> None:
    first, second, current = (table(PAIRS, rows) for rows in (ROWS[:1], ROWS[1:], MORE))
    of_version_2 = in_version(second.drop_columns(FACTS), 2)
    of_version_1 = in_version(first.drop_columns(FACTS).rename_columns({"split": "side"}), 1)
    with Journal(tmp_path / "campaign.db", create=True) as journal:
        for rows in (of_version_1, of_version_2, current):
            for body in pack(rows):
                journal.append("pairs", "b1", body)
        found = fold(journal).pairs
    assert PAIRS.version_of(found) == PAIRS.version
    assert found == pa.concat_tables([first, second, current])


def test_pairs_of_a_newer_version_are_refused(tmp_path: Path) -> None:
    newer = in_version(table(PAIRS, ROWS), PAIRS.version + 1)
    with Journal(tmp_path / "campaign.db", create=True) as journal:
        for body in pack(newer):
            journal.append("pairs", "b1", body)
        with pytest.raises(UserError, match=r"campaign\.db: pairs version \d is newer .* upgrade Gristmill"):
            fold(journal)
