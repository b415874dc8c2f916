"""Whatever a row holds, it costs no more than itself."""

import copy
import json
import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.imports.outcomes import Pair
from annotation.imports.pairs import Reader
from annotation.imports.sets import SETS
from annotation.imports.tables import tables
from annotation.rows.reading import rows
from tests.annotation.imports.published import EXPECTED

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.just(2**70) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["role", "content", "text"]), inner),
    max_leaves=4,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a value, with each of its keys."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


@settings(max_examples=300)
@given(st.sampled_from(sorted(SETS)), st.integers(0, 10**6), json_values)
def test_a_row_with_anything_in_it_is_a_pair_or_a_reject(name: str, seed: int, value: Any) -> None:
    draw = random.Random(seed)
    row = copy.deepcopy(draw.choice([row for row, _ in EXPECTED[name] if isinstance(row, dict)]))
    container, key = draw.choice(places(row))
    container[key] = value
    with TemporaryDirectory() as folder:
        path = Path(folder) / "set.jsonl"
        path.write_text(json.dumps(row))
        reader = Reader(SETS[name].layouts)
        read = tables(reader.read(rows(path, reader.columns)), "source", "file", "1")
    assert read.rows == 1
    assert read.pairs == len(read.comparisons) + len(read.rejects) >= 1


def one_type(candidates: list[Any]) -> list[Any]:
    """The rows that fit into one table with the first one."""
    kept: list[Any] = []
    for row in candidates:
        try:
            pa.array([*kept, row])
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            continue
        kept += [row] if set(row) == set(candidates[0]) else []
    return kept


@pytest.mark.parametrize("name", sorted(SETS))
def test_parquet_gives_the_same_pairs_as_json(name: str, tmp_path: Path) -> None:
    kept = one_type([row for row, _ in EXPECTED[name]])
    pq.write_table(pa.Table.from_struct_array(pa.array(kept)), tmp_path / "set.parquet")
    (tmp_path / "set.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in kept))
    reader = Reader(SETS[name].layouts)
    one, other = (list(reader.read(rows(tmp_path / f"set.{kind}", reader.columns))) for kind in ("jsonl", "parquet"))
    assert len(kept) > 1
    assert [found.outcome for found in one if isinstance(found.outcome, Pair)] == [
        found.outcome for found in other if isinstance(found.outcome, Pair)
    ]
    assert [getattr(found.outcome, "reason", None) for found in one] == [
        getattr(found.outcome, "reason", None) for found in other
    ]
