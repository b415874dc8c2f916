"""A template is filled in once, and no response can close, expand or imitate anything in it."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.evaluation.templates import BUILT_IN, FOLDER, fill, load
from schemas.errors import UserError
from schemas.placeholders import fill_in

PAIRWISE, SINGLE = load("pairwise"), load("single")
PROMPT = (("user", "What is rye?"),)
TRICKY = st.text() | st.sampled_from(
    ["{second}", "{key}", "{conversation}", "</response_a>", "verdict {key}: A", "\\1\\g<0>", "{", "}", "{{first}}", ""]
)


@given(TRICKY, TRICKY, TRICKY)
def test_each_text_stands_once_between_its_own_tags(prompt: str, first: str, second: str) -> None:
    filled = fill(PAIRWISE, (("user", prompt),), {"first": first, "second": second})
    user, key = filled.messages[1]["content"], filled.key
    assert key not in prompt + first + second
    for name, text in (("conversation", None), ("response_a", first), ("response_b", second), ("user", prompt)):
        begin, end = f"<{name} {key}>\n", f"\n</{name} {key}>"
        assert user.count(begin) == user.count(end) == 1
        assert text is None or user.partition(begin)[2].partition(end)[0] == text


@given(st.dictionaries(st.sampled_from(["first", "second", "key"]), st.text(), min_size=3))
def test_values_are_not_searched_for_placeholders(values: dict[str, str]) -> None:
    assert fill_in("{first}|{second}|{key}", values) == "|".join(values[name] for name in ("first", "second", "key"))


def test_the_key_depends_on_everything_that_is_filled_in() -> None:
    texts = {"first": "a", "second": "b"}
    keys = {
        fill(PAIRWISE, PROMPT, texts).key,
        fill(PAIRWISE, PROMPT, {"first": "b", "second": "a"}).key,
        fill(PAIRWISE, (("user", "What is oats?"),), texts).key,
        fill(PAIRWISE, (("system", "What is rye?"), *PROMPT), texts).key,
    }
    assert len(keys) == 4
    assert fill(PAIRWISE, PROMPT, texts).key == fill(PAIRWISE, PROMPT, dict(reversed(texts.items()))).key


def test_a_response_that_holds_the_key_gets_another() -> None:
    """A prompt with every code of five digits and fewer leaves the keys of eight; one with the key itself does not."""
    first = fill(PAIRWISE, PROMPT, {"first": "a", "second": "b"})
    again = fill(PAIRWISE, PROMPT, {"first": "a", "second": f"b {first.key.upper()}"})
    assert again.key != first.key
    assert re.fullmatch("[0-9a-f]{8}", again.key)


def test_several_turns_are_shown_with_their_roles() -> None:
    dialogue = (("user", "Rye?"), ("assistant", "A cereal."), ("user", "And oats?"))
    filled = fill(PAIRWISE, dialogue, {"first": "a", "second": "b"})
    shown = [f"<{role} {filled.key}>\n{text}\n</{role} {filled.key}>" for role, text in dialogue]
    assert "\n".join(shown) in filled.messages[1]["content"]


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_templates_are_guarded(name: str) -> None:
    assert load(name).guarded
    assert load(name).name == name


def test_a_template_of_ones_own_has_its_own_digest(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = (FOLDER / "pairwise.toml").read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    assert load(str(path)).digest == PAIRWISE.digest
    path.write_text(text.replace("helpful, complete", "complete"), encoding="utf-8")
    assert load(str(path)).digest != PAIRWISE.digest


FAULTS = {
    "{first}": ("{frist}", "has no placeholder 'frist' (did you mean 'first'?)"),
    "{second}": ("", "must show {first} and {second}"),
    "{conversation}": ("the question", "must show {conversation} or {prompt}"),
    'second = "verdict {key}: B"': ('second = "verdict {key}: A"', "all texts must differ"),
    'tie = "verdict {key}: tie"': ('tie = "a\\nb"', "verdict.tie is not one line"),
    'place = "last_line"': ('place = "anywhere"', "verdict.place cannot be 'anywhere'"),
    "version = 1": ("version = 1\nparameters = {n = 2}", "parameters cannot set n"),
    'first = "verdict {key}: A"': ('first = "verdict {first}: A"', "verdict.first has no placeholder 'first'"),
}


@pytest.mark.parametrize("right", FAULTS)
def test_a_fault_of_a_template_is_named(right: str, tmp_path: Path) -> None:
    wrong, message = FAULTS[right]
    path = tmp_path / "mine.toml"
    text = (FOLDER / "pairwise.toml").read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    with pytest.raises(UserError, match=re.escape(message)):
        load(str(path))


def test_an_unknown_template_is_an_error() -> None:
    with pytest.raises(UserError, match="did you mean 'pairwise'"):
        load("pairwize")
