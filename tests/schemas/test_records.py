"""JSON is read as a record, or the sentence names the place where it is not of its type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import DamagedError
from schemas.records import from_json, other_keys, to_json


@dataclass(frozen=True)
class Sack:
    a: str


@dataclass(frozen=True)
class Mill:
    name: str
    rows: int
    share: float
    signals: bool
    near: Mapping[str, int] | None
    kind: Literal["wind", "water"] = "wind"
    sacks: tuple[Sack, ...] = ()
    others: Mapping[str, Any] = other_keys()


WHOLE: dict[str, Any] = {"name": "x", "rows": 0, "share": 0.5, "signals": True, "near": None, "sacks": [{"a": ""}]}


def test_a_record_is_written_as_it_was_read() -> None:
    for whole in (WHOLE, {**WHOLE, "later": [1]}, {**WHOLE, "share": 3, "near": {"bands": 2}, "kind": "water"}):
        assert to_json(from_json(Mill, whole, "m")) == whole


def test_a_default_is_not_written_and_need_not_be_there() -> None:
    without = {name: value for name, value in WHOLE.items() if name != "sacks"}
    assert from_json(Mill, without, "m").sacks == ()
    assert to_json(from_json(Mill, {**without, "sacks": [], "kind": "wind"}, "m")) == without


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": 1}, "m: name is not a text"),
        ({"name": "\ud800"}, "m: name is not valid Unicode"),
        ({"rows": -1}, "m: rows is not a whole number from 0 up"),
        ({"rows": True}, "m: rows is not a whole number"),
        ({"rows": 2**63}, "m: rows is not a whole number"),
        ({"rows": 1.0}, "m: rows is not a whole number"),
        ({"share": float("nan")}, "m: share is not a number"),
        ({"share": 10**400}, "m: share is not a number"),
        ({"signals": 1}, "m: signals is not true or false"),
        ({"near": {"bands": None}}, "m: near.bands is not a whole number"),
        ({"near": []}, "m: near is not a table"),
        ({"near": {"\x1b\ud800": 1}}, "m: near is not valid Unicode"),
        ({"kind": "steam"}, "m: kind is not wind or water"),
        ({"kind": ["wind"]}, "m: kind is not wind or water"),
        ({"sacks": {}}, "m: sacks is not a list"),
        ({"sacks": [{"a": "x"}, {}]}, r"m lacks sacks\[1\].a"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DamagedError, match=said):
        from_json(Mill, {**WHOLE, **changes}, "m")


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)
CHANGES = st.dictionaries(st.sampled_from([*WHOLE, "kind", "later"]), JSON)


@given(value=st.one_of(JSON, CHANGES.map(lambda changes: WHOLE | changes)))
def test_any_value_is_read_or_is_one_sentence(value: Any) -> None:
    said = "m"
    try:
        from_json(Mill, value, "m")
    except DamagedError as error:
        said = str(error)
    assert said.startswith("m")
    assert "\n" not in said
