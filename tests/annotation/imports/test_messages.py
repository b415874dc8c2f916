"""What a message holds beyond its words is never dropped in silence."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotation.imports.layout import Layout
from annotation.imports.outcomes import Pair
from annotation.imports.pairs import Reader
from annotation.rows.reading import rows

CALL = [{"id": "1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}]
USER = {"role": "user", "content": "Weather?"}


def answer(**changes: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": "Sunny.", **changes}


def outcome(chosen: list[Any], rejected: list[Any], ignore: tuple[str, ...] = (), **others: Any) -> Any:
    row = {"chosen": chosen, "rejected": rejected, **others}
    [found] = Reader([Layout(chosen="chosen", rejected="rejected", ignore=ignore)]).read(iter([(1, row)]))
    return found.outcome


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("tool_calls", CALL),
        ("function_call", {"name": "x"}),
        ("reasoning_content", "long thoughts"),
        ("thinking", "other thoughts"),
        ("images", ["x.png"]),
        ("name", "miller"),
        ("unheard_of", 0.5),
    ],
)
def test_a_message_with_more_than_words_is_a_reject_unless_that_is_ignored(key: str, value: Any) -> None:
    other = [USER, answer(content="Rain.")]
    for chosen in ([USER, answer(**{key: value})], [{**USER, key: value}, answer()]):
        found = outcome(chosen, other)
        assert (found.reason, found.message) == (
            "more_than_text",
            f"a message has {key!r}, which a comparison cannot hold",
        )
        pair = outcome(chosen, other, (key,))
        assert isinstance(pair, Pair)
        assert (pair.chosen, pair.rejected) == ("Sunny.", "Rain.")


@pytest.mark.parametrize("empty", [None, "", [], {}, False])
def test_an_empty_key_is_nothing(empty: Any) -> None:
    found = outcome([USER, answer(tool_calls=empty, thinking=empty)], [USER, answer(content="Rain.")])
    assert isinstance(found, Pair)


def test_answers_that_differ_in_their_calls_alone_are_no_equal_answers() -> None:
    found = outcome([USER, answer(tool_calls=CALL)], [USER, answer()])
    assert found.reason == "more_than_text"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ([{"type": "text", "text": "Weather?"}], "Weather?"),
        ([{"type": "text", "text": "Weather?", "image": None}], "Weather?"),
        ([{"type": "text", "text": "Weather?"}, {"type": "image"}], None),
        ([{"type": "text", "text": "Wea"}, {"type": "text", "text": "ther?"}], None),
        ([{"type": "image_url", "image_url": {"url": "x"}}], None),
        ([{"type": "text", "text": "Weather?", "cache": {"on": True}}], None),
        ([], None),
    ],
)
def test_a_list_of_one_text_is_that_text(content: list[Any], expected: str | None) -> None:
    asked = {"role": "user", "content": content}
    found = outcome([asked, answer()], [asked, answer(content="Rain.")])
    assert (found.prompt if expected else found.reason) == ((("user", expected),) if expected else "more_than_text")


@pytest.mark.parametrize("role", ["tool", "developer", "function", "USER"])
def test_another_role_is_named(role: str) -> None:
    before = [USER, {"role": role, "content": "22C"}]
    found = outcome([*before, answer()], [*before, answer(content="Rain.")])
    assert (found.reason, found.message) == (
        "other_role",
        f"the role of a message is {role!r}, not system, user or assistant",
    )


@pytest.mark.parametrize("name", ["images", "image", "videos", "audios", "tools", "functions", "tool_calls"])
def test_what_stands_in_the_row_counts_as_well(name: str) -> None:
    both = [USER, answer()], [USER, answer(content="Rain.")]
    assert outcome(*both, **{name: ["x"]}).reason == "more_than_text"
    assert isinstance(outcome(*both, **{name: []}), Pair)
    assert isinstance(outcome(*both, (name,), **{name: ["x"]}), Pair)


def test_parquet_has_every_key_in_every_message_and_null_is_none(tmp_path: Path) -> None:
    made = [
        {"chosen": [USER, answer(tool_calls=CALL)], "rejected": [USER, answer(content="Rain.")], "images": None},
        {"chosen": [USER, answer()], "rejected": [USER, answer(content="Rain.")], "images": None},
        {"chosen": [USER, answer()], "rejected": [USER, answer(content="Rain.")], "images": ["x.png"]},
    ]
    pq.write_table(pa.Table.from_pylist(made), tmp_path / "set.parquet")
    (tmp_path / "set.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made))
    for kind in ("parquet", "jsonl"):
        reader = Reader([Layout(chosen="chosen", rejected="rejected")])
        found = [each.outcome for each in reader.read(rows(tmp_path / f"set.{kind}", reader.columns))]
        reasons = [None if isinstance(each, Pair) else each.reason for each in found]
        assert reasons == ["more_than_text", None, "more_than_text"]


@pytest.mark.parametrize("own", ["Be kind.", "Be rude."])
def test_a_system_s_message_is_there_once(own: str) -> None:
    layout = Layout(system="system", chosen="chosen", rejected="rejected")
    before = [{"role": "system", "content": "Be kind."}, USER]
    row = {"chosen": [*before, answer()], "rejected": [*before, answer(content="Rain.")], "system": own}
    [found] = Reader([layout]).read(iter([(1, row)]))
    if own == "Be kind.":
        assert isinstance(found.outcome, Pair)
        assert found.outcome.prompt == (("system", own), ("user", "Weather?"))
    else:
        assert not isinstance(found.outcome, Pair)
        assert found.outcome.reason == "unreadable_dialogue"
