"""A dialogue and two responses as the data of a task: four fields of HTML."""

from collections.abc import Mapping, Sequence
from html import escape

from annotation.protocols.layout import read_resource
from annotation.protocols.rendering import render_model_text, render_responses, render_user_text

_OPEN_TURNS = 2
"""Up to this number of earlier turns, the page does not count them, since all are in view."""

_ROLES = {"system": "System", "user": "User", "assistant": "Assistant"}


_EMPTY = '<div class="gm-none"></div>'


class Dialogue:
    """The part of a protocol that shows a dialogue and two responses side by side, or a single response.

    The guidelines are the file ``guidelines/NAME.md``.
    """

    name: str
    trains = True

    @property
    def guidelines(self) -> str:
        """The default guidelines, as Markdown."""
        return read_resource(f"guidelines/{self.name}.md")

    def show(
        self, messages: Sequence[Mapping[str, str]], first: str, second: str | None, swapped: bool
    ) -> dict[str, str]:
        """The fields ``history``, ``prompt``, ``a`` and ``b``: earlier turns, the last user turn, the two responses.

        The prompt holds the last user turn and all turns after it; without a user turn, it holds the last turn. A
        single response is ``a``, and there is no ``b``.
        """
        turns = [_turn(message["role"], message["content"]) for message in messages]
        asked = [at for at, message in enumerate(messages) if message["role"] == "user"]
        begin = asked[-1] if asked else max(len(turns) - 1, 0)
        if second is None:
            shown = {"a": render_model_text(first)}
        else:
            shown = dict(zip("ab", render_responses(*((second, first) if swapped else (first, second))), strict=True))
        return {
            "history": _history(turns[:begin]),
            "prompt": "".join(turns[begin:]) or _EMPTY,
            **{side: f'<div class="gm-text">{text}</div>' for side, text in shown.items()},
        }


def _history(turns: Sequence[str]) -> str:
    if not turns:
        return _EMPTY
    count = f'<div class="gm-count">{len(turns)} earlier turns</div>' if len(turns) > _OPEN_TURNS else ""
    return f'<div class="gm-past">{count}{"".join(turns)}</div>'


def _turn(role: str, content: str) -> str:
    known = role if role in _ROLES else "other"
    text = render_model_text(content) if role == "assistant" else render_user_text(content)
    name = _ROLES.get(role) or escape(role)
    return f'<div class="gm-turn gm-{known}"><div class="gm-who">{name}</div><div class="gm-text">{text}</div></div>'
