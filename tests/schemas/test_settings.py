"""A wrong setting is one sentence that names the place, the fault and the choices."""

from dataclasses import dataclass, field
from datetime import date, time
from typing import Literal

import pytest

from schemas.errors import UserError
from schemas.settings import build
from schemas.toml_file import parse_toml


@dataclass(frozen=True, kw_only=True)
class Wheel:
    spokes: int = 8


@dataclass(frozen=True, kw_only=True)
class Mill:
    stones: int
    speed: float = 1.0
    use: Literal["mill"] = "mill"
    kind: Literal["water", "wind"] = "water"
    names: tuple[str, ...] = ()
    wheel: Wheel | None = field(default_factory=Wheel)
    running: bool = False


def test_a_table_becomes_a_dataclass() -> None:
    table = {"stones": 2, "speed": 3, "kind": "wind", "names": ["a", "b"], "wheel": {"spokes": 4}, "running": True}
    assert build(Mill, table, "mill") == Mill(
        stones=2, speed=3.0, kind="wind", names=("a", "b"), wheel=Wheel(spokes=4), running=True
    )
    assert build(Mill, {"stones": 1, "wheel": "none", "names": "one"}, "mill") == Mill(
        stones=1, wheel=None, names=("one",)
    )


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"stone": 2}, "mill has no field 'stone' (did you mean 'stones'?): choose from stones, speed"),
        ({}, "mill: the field stones is missing: add stones = ..."),
        ({"stones": "two"}, "mill.stones is 'two': give a whole number"),
        ({"stones": date(2024, 1, 2)}, "mill.stones is 2024-01-02: give a whole number"),
        ({"stones": [time(1, 2)]}, "mill.stones is [01:02:00]: give a whole number"),
        ({"stones": True}, "mill.stones is True: give a whole number"),
        ({"stones": 1.5}, "mill.stones is 1.5: give a whole number"),
        ({"stones": 1, "running": 1}, "mill.running is 1: give true or false"),
        ({"stones": 1, "kind": "winds"}, "mill.kind cannot be 'winds' (did you mean 'wind'?): choose from water, wind"),
        ({"stones": 1, "names": [1]}, "mill.names is 1: give a text"),
        ({"stones": 1, "wheel": {"spoke": 1}}, "mill.wheel has no field 'spoke' (did you mean 'spokes'?)"),
        ({"stones": 1, "wheel": 3}, "mill.wheel is 3: give a table with its fields"),
    ],
)
def test_a_mistake_is_one_sentence(table: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError) as error:
        build(Mill, table, "mill")
    assert str(error.value).startswith(sentence)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"stones = {'1' * 5000}", "a whole number has more than 4,300 digits"),
        ("[mill.wheel]\n[mill.wheel]", "Cannot declare mill.wheel twice (at line 2, column 12)"),
        ("mill = {stones = 1}\n[mill.wheel]", "Cannot declare mill.wheel twice (at line 2, column 12)"),
        ("mill = [1]\n[[mill]]", "Cannot mutate immutable namespace mill (at line 2, column 7)"),
    ],
)
def test_the_reason_for_invalid_toml_names_nothing_of_python(text: str, reason: str) -> None:
    with pytest.raises(UserError) as error:
        parse_toml(text, "mill.toml")
    assert str(error.value) == f"mill.toml is not valid TOML: {reason}"


def test_all_missing_fields_are_named() -> None:
    @dataclass(frozen=True)
    class Sack:
        weight: float
        flour: str

    with pytest.raises(UserError, match="sack: the fields weight and flour are missing: add weight"):
        build(Sack, {}, "sack")
