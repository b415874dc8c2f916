"""Reads dialogues from fields of open sets: lists of messages, a single text, or a text that holds turns."""

from collections.abc import Collection, Mapping
from typing import Any

from annotation.campaign.responses import ROLES, Messages, find_non_text
from annotation.imports import hh

TURN = "\n<extra_id_1>"
"""The separator before each further turn in a prompt of HelpSteer 2; the role and a line feed follow."""

_NAMES = {"User": "user", "Assistant": "assistant"}
_SHAREGPT = {"human": "user", "gpt": "assistant"} | {role: role for role in ROLES}
_KEYS = {"role", "content"}


class MessageError(ValueError):
    """A message that a comparison cannot hold. ``reason`` is a key of REASONS, the text is a sentence."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


def messages_of(value: Any, form: str, ignored: Collection[str] = ()) -> Messages:
    """The messages in a field.

    ``form`` says how to read a text: ``text`` is one user turn, ``hh`` is Anthropic's form, ``helpsteer`` the form of
    HelpSteer 2's prompts. With each of these, a value may also be a list of {role, content}, or a single
    {role, content}; with ``sharegpt`` the messages are {from, value}.

    ``ignored``: keys of a message that may hold anything. Raises TypeError for any other value, hh.DialogueError for a
    text that does not parse, MessageError for a message with another role or with more than one text.
    """
    if isinstance(value, str):
        if form == "hh":
            return hh.parse(value)
        if form == "helpsteer" and TURN in value:
            return _helpsteer(value)
        return (("user", value),)
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list) or not value:
        raise TypeError("is neither a text nor a list of {role, content}")
    if form == "sharegpt":
        value = [_rename(message) for message in value]
    return tuple([_turn(message, ignored) for message in value])


def _turn(message: Any, ignored: Collection[str]) -> tuple[str, str]:
    if isinstance(message, dict):
        role, content = message.get("role"), message.get("content")
        if role in ROLES and isinstance(content, str):
            if len(message) > 2:
                _check_keys(message, _KEYS, ignored)
            return role, content
        if isinstance(role, str) and role not in ROLES:
            raise MessageError("other_role", f"the role of a message is {role[:40]!r}, not {_list_names(ROLES)}")
        if isinstance(role, str) and isinstance(content, list):
            _check_keys(message, _KEYS, ignored)
            return role, _single_part(content)
        if isinstance(role, str) and content is None:
            _check_keys(message, _KEYS, ignored)
    raise TypeError(f"holds a message other than {{role, content}} with a role of {', '.join(ROLES)}")


def _check_keys(message: Mapping[str, Any], known: Collection[str], ignored: Collection[str]) -> None:
    """Raises MessageError for a message with other keys than ``known`` and ``ignored``, unless their values are null or
    empty."""
    key = find_non_text(message, message.keys() - set(known) - set(ignored))
    if key is not None:
        raise MessageError("more_than_text", f"a message has {key!r}, which a comparison cannot hold")


def _single_part(content: list[Any]) -> str:
    """The text of a message whose content is a list of one text part. Raises MessageError for other lists."""
    if len(content) == 1 and isinstance(content[0], dict) and content[0].get("type") == "text":
        [part] = content
        if isinstance(part.get("text"), str):
            _check_keys(part, {"type", "text"}, ())
            return str(part["text"])
    kinds = sorted({str(part.get("type")) for part in content if isinstance(part, dict)})
    raise MessageError("more_than_text", f"the content of a message is a list of {len(content)}, of type {kinds}")


def _rename(message: Any) -> Any:
    """A ShareGPT message as {role, content}. Raises TypeError for a message in another form."""
    if not isinstance(message, dict) or not isinstance(message.get("from"), str) or "value" not in message:
        raise TypeError("holds a message other than {from, value}")
    role = _SHAREGPT.get(message["from"], message["from"])
    rest = {key: value for key, value in message.items() if key not in ("from", "value") and value is not None}
    if not _KEYS.isdisjoint(rest):
        raise TypeError("holds a message with {role, content} beside {from, value}")
    return {"role": role, "content": message["value"], **rest}


def _list_names(names: Collection[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"


def _helpsteer(text: str) -> Messages:
    r"""The turns of a HelpSteer 2 prompt; the first turn is the user's and has no separator.

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
