"""Anthropic's dialogues: parse and render undo each other."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from annotation.imports.hh import DialogueError, parse, parse_both, render

pieces = st.sampled_from(["\n\nHuman: ", "\n\nAssistant: ", "\n\nHuman:", "\n", " ", "Human: ", "rye", "é"])
texts = st.lists(pieces | st.text(max_size=5), max_size=12).map("".join)
contents = st.lists(pieces | st.text(max_size=5), max_size=4).map("".join)
dialogues = st.lists(st.tuples(st.sampled_from(["user", "assistant"]), contents), max_size=5).map(tuple)


@given(texts)
@example("\n\nHuman: \n\nAssistant: ")
@example("\n\nHuman: a\n\n\nHuman: b")
def test_what_is_parsed_is_rendered_to_the_same_text(text: str) -> None:
    try:
        messages = parse(text)
    except DialogueError:
        assert not text.startswith(("\n\nHuman: ", "\n\nAssistant: "))
    else:
        assert render(messages) == text


@given(texts, texts, texts)
@example("\n\nHuman: a\n\nAssistant: ", "b", "b\n\nHuman: c")
@example("\n\nHuman: a\n", "\nHuman: b", "c")
def test_two_texts_are_parsed_as_each_alone(before: str, one: str, other: str) -> None:
    try:
        expected = parse(before + one), parse(before + other)
    except DialogueError:
        with pytest.raises(DialogueError):
            parse_both(before + one, before + other)
    else:
        assert parse_both(before + one, before + other) == expected


@given(dialogues)
@example((("user", "a\n"), ("assistant", "\nb")))
def test_what_is_rendered_is_parsed_to_the_same_messages(messages: tuple[tuple[str, str], ...]) -> None:
    try:
        text = render(messages)
    except DialogueError:
        marks = ("\n\nHuman: ", "\n\nAssistant: ")
        assert not messages or any(mark in f"\n{content}" for _, content in messages for mark in marks)
    else:
        assert parse(text) == messages


@pytest.mark.parametrize("text", ["", "Human: a", "\n\nHuman:a", " \n\nHuman: a", "\n\nSystem: a"])
def test_texts_that_are_no_dialogue(text: str) -> None:
    with pytest.raises(DialogueError, match="begins with two line feeds"):
        parse(text)


def test_hh_has_no_system() -> None:
    with pytest.raises(DialogueError, match="not of 'system'"):
        render((("system", "Be kind."), ("user", "a")))
