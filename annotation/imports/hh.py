r"""Dialogues as Anthropic's HH writes them: one text, each turn behind ``\n\nHuman: `` or ``\n\nAssistant: ``.

``parse`` and ``render`` are inverses: what one of them accepts, the other undoes, to the letter.
"""

import re

from annotation.campaign.responses import Messages

_MARK = re.compile(r"\n\n(Human|Assistant): ")
_OPEN = re.compile(r"\n\nAssistant:\s*\Z")
_ROLES = {"Human": "user", "Assistant": "assistant"}
_NAMES = {role: name for name, role in _ROLES.items()}


class DialogueError(ValueError):
    """A dialogue that HH's form cannot hold, or a text that is none; the message says why."""


def parse(text: str) -> Messages:
    r"""The messages of a text, their contents verbatim: ``render`` gives back the very same text.

    Raises DialogueError for a text that does not begin with a turn.

    >>> parse("\n\nHuman: What is rye?\n\nAssistant: A grain.")
    (('user', 'What is rye?'), ('assistant', 'A grain.'))
    """
    before, *parts = _MARK.split(text)
    if before or not parts:
        raise DialogueError("a dialogue begins with two line feeds and 'Human: ' or 'Assistant: '")
    return tuple(zip(map(_ROLES.__getitem__, parts[::2]), parts[1::2], strict=True))


def parse_prompt(text: str) -> Messages:
    r"""The messages of a text that may end where an answer begins, with a turn of the assistant's that is empty.

    >>> parse_prompt("\n\nHuman: What is rye?\n\nAssistant: ")
    (('user', 'What is rye?'),)
    """
    return parse(_OPEN.sub("", text))


def parse_both(one: str, other: str) -> tuple[Messages, Messages]:
    r"""The messages of two texts, as ``parse`` gives them; quicker where the texts differ in the last turn only.

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
    r"""The text of a dialogue, which ``parse`` reads back to the very same messages.

    Raises DialogueError for no messages, for roles other than user and assistant (HH has no system turn), and for a
    content that holds the beginning of another turn.

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
