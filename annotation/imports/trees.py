"""Reads trees of messages in OpenAssistant's form: each message has replies, and replies have ranks."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from annotation.campaign.responses import Messages
from annotation.imports.fields import RowError
from annotation.imports.fields import text as text_of

ROLES = {"prompter": "user", "assistant": "assistant"}
"""The roles of a tree's messages, and the same roles in a comparison."""


class Node(NamedTuple):
    """A user message with the dialogue before it, and the assistant's replies to it."""

    prompt: Messages
    replies: list[Any]


def nodes(root: Any, text: str, replies: str, path: str) -> Iterator[Node]:
    """The user messages of a tree that have an assistant's reply, in depth-first order.

    ``text`` and ``replies``: the names of a message's text and replies; ``path``: the path of the root, for messages.
    Raises RowError for a message that is not an object, or lacks its role or text.

    >>> reply = {"role": "assistant", "text": "A grain."}
    >>> [node] = nodes({"role": "prompter", "text": "What is rye?", "replies": [reply]}, "text", "replies", "prompt")
    >>> node.prompt, node.replies
    ((('user', 'What is rye?'),), [{'role': 'assistant', 'text': 'A grain.'}])
    """
    waiting: list[tuple[Messages, Any]] = [((), root)]
    while waiting:
        before, message = waiting.pop()
        role, listed = _role(message, path), _replies(message, replies, path)
        dialogue = (*before, (role, text_of(message.get(text), f"a message of {path}: {text}")))
        answers = [reply for reply in listed if _role(reply, path) == "assistant"]
        if role == "user" and answers:
            yield Node(dialogue, answers)
        waiting += [(dialogue, reply) for reply in reversed(listed) if _replies(reply, replies, path)]


def _role(message: Any, path: str) -> str:
    role = message.get("role") if isinstance(message, dict) else None
    if role not in ("prompter", "assistant"):
        raise RowError(f"a message of {path} is not an object with the role prompter or assistant")
    return ROLES[role]


def _replies(message: Any, replies: str, path: str) -> list[Any]:
    listed = message.get(replies) if isinstance(message, dict) else None
    if listed is not None and not isinstance(listed, list):
        raise RowError(f"{replies} of a message of {path} is not a list")
    return listed or []
