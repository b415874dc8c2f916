r"""Dialogues in the form of Anthropic's HH: one text, each turn after ``\n\nHuman: `` or ``\n\nAssistant: ``.

``parse`` and ``render`` are exact inverses: each accepts every output of the other, and undoes it.
"""

import re

from annotation.campaign.responses import Messages

_MARK = re.compile(r"\n\n(Human|Assistant): ")
_OPEN = re.compile(r"\n\nAssistant:\s*\Z")
_ROLES = {"Human": "user", "Assistant": "assistant"}
_NAMES = {role: name for name, role in _ROLES.items()}


class DialogueError(ValueError):
    """A dialogue that HH's form cannot hold, or a text that is not a dialogue; the text says why."""


def parse(text: str) -> Messages:
    r"""The messages of a text, with their contents verbatim: ``render`` returns exactly this text.

    Raises DialogueError for a text that does not begin with a turn.

    >>> parse("\n\nHuman: What is rye?\n\nAssistant: A grain.")
    (('user', 'What is rye?'), ('assistant', 'A grain.'))
    """
    before, *parts = _MARK.split(text)
    if before or not parts:
        raise DialogueError("a dialogue begins with two line feeds and 'Human: ' or 'Assistant: '")
    return tuple(zip(map(_ROLES.__getitem__, parts[::2]), parts[1::2], strict=True))


def parse_prompt(text: str) -> Messages:
    r"""The messages of a text that may end with an empty assistant turn, where the answer would begin.

    >>> parse_prompt("\n\nHuman: What is rye?\n\nAssistant: ")
    (('user', 'What is rye?'),)
    """
    return parse(_OPEN.sub("", text))


def parse_both(one: str, other: str) -> tuple[Messages, Messages]:
    r"""The messages of two texts, as from ``parse``; faster if only the last turns differ.

    >>> parse_both("\n\nHuman: a\n\nAssistant: b", "\n\nHuman: a\n\nAssistant: c")[1]
    (('user', 'a'), ('assistant', 'c'))
    """
    first = parse(one)
    *before, (role, content) = first
    start = len(one) - len(content)
    if other.startswith(one[:start]) and not _MARK.search(other, start):
        return first, (*before, (role, other[start:]))
    return first, parse(other)


def render(messages: Messages) -> str:
    r"""The text of a dialogue, from which ``parse`` reads exactly these messages.

    Raises DialogueError for an empty dialogue, for roles other than user and assistant (HH has no system turn), and
    for content that holds the beginning of another turn.

    >>> render((("user", "What is rye?"), ("assistant", "A grain.")))
    '\n\nHuman: What is rye?\n\nAssistant: A grain.'
    """
    for role, _ in messages:
        if role not in _NAMES:
            raise DialogueError(f"HH has turns of a user and an assistant only, not of {role!r}")
    text = "".join(f"\n\n{_NAMES[role]}: {content}" for role, content in messages)
    if not messages or parse(text) != tuple(messages):
        raise DialogueError("a message holds what begins another turn in HH")
    return text
