"""Dialogues out of the fields of open sets: lists of messages, a single text, or a text that holds turns."""

from typing import Any

from annotation.imports import hh
from annotation.responses import ROLES, Messages

TURN = "\n<extra_id_1>"
"""What begins a further turn in a prompt of HelpSteer 2: the role and a line feed follow."""

_NAMES = {"User": "user", "Assistant": "assistant"}


def messages_of(value: Any, form: str) -> Messages:
    """The messages of a field. A text is read in its ``form``: ``text`` is one turn of the user's, ``hh`` Anthropic's
    form, ``helpsteer`` that of HelpSteer 2's prompts; a list of {role, content} is the same in each.

    Raises TypeError for a value that is neither, hh.DialogueError for a text that does not parse.
    """
    if isinstance(value, str):
        if form == "hh":
            return hh.parse(value)
        if form == "helpsteer" and TURN in value:
            return _helpsteer(value)
        return (("user", value),)
    if not isinstance(value, list) or not value:
        raise TypeError("is neither a text nor a list of {role, content}")
    return tuple([_turn(message) for message in value])


def _turn(message: Any) -> tuple[str, str]:
    if isinstance(message, dict):
        role, content = message.get("role"), message.get("content")
        if role in ROLES and isinstance(content, str):
            return role, content
    raise TypeError(f"holds a message other than {{role, content}} with a role of {', '.join(ROLES)}")


def _helpsteer(text: str) -> Messages:
    r"""Turns that HelpSteer 2 writes one behind the other; the first one is the user's, without a mark.

    >>> _helpsteer("What is rye?\n<extra_id_1>Assistant\nA grain.\n<extra_id_1>User\nAnd oats?")
    (('user', 'What is rye?'), ('assistant', 'A grain.'), ('user', 'And oats?'))
    """
    first, *others = text.split(TURN)
    turns = [("user", first)]
    for other in others:
        name, found, content = other.partition("\n")
        if name not in _NAMES or not found:
            raise hh.DialogueError(f"a turn begins with <extra_id_1>User or <extra_id_1>Assistant, not {name[:20]!r}")
        turns.append((_NAMES[name], content))
    return tuple(turns)
