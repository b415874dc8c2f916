"""Prompt templates of a judge, as data: the messages, and the form of the verdict that they ask for.

A template is filled in a single pass: placeholders that a response contains are never filled. ``{key}`` is a code
that is derived from everything that is filled in and that no filled-in text contains; delimiters with the code can
therefore not be closed or imitated by a response.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import orjson

from annotation.campaign.responses import Messages
from schemas.errors import UserError
from schemas.placeholders import fill_in, placeholders
from schemas.records import to_json
from schemas.settings import build, unknown
from schemas.toml_file import read_toml

FOLDER = Path(__file__).parent / "prompts"
BUILT_IN = ("pairwise", "single")
"""The names of the templates in FOLDER."""
KEY_DIGITS = 8
"""Length of ``{key}``, hexadecimal digits: short, as a judge has to copy it."""

RESERVED = ("messages", "model", "n", "stream")
"""Fields of a request that no template or user may set."""

_IN_MESSAGES = ("key", "conversation", "prompt", "first", "second", "response")
_TEXTS = {"first", "second", "response"}


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message to the judge. Placeholders are ``{conversation}`` (all turns, in tags with the key), ``{prompt}`` (the
    last turn alone), ``{first}`` and ``{second}`` or ``{response}``, and ``{key}``."""

    role: Literal["system", "user"]
    content: str


@dataclass(frozen=True, kw_only=True)
class VerdictForm:
    """Where a judge's verdict stands and which texts it can be.

    ``place``: ``last_line``, or ``json`` (the answer is one JSON object with the verdict in ``field``). A pairwise
    template gives ``first`` and ``second``, and ``tie`` unless the choice is forced; a template that grades single
    responses gives ``grade``, a text with ``{grade}``, and the ``lowest`` and ``highest`` whole number.
    """

    place: Literal["last_line", "json"] = "last_line"
    field: str = "verdict"
    first: str | None = None
    second: str | None = None
    tie: str | None = None
    grade: str | None = None
    lowest: int = 1
    highest: int = 10

    @property
    def texts(self) -> dict[str, str]:
        """The given texts of the verdict, by outcome."""
        held = {"first": self.first, "second": self.second, "tie": self.tie, "grade": self.grade}
        return {name: text for name, text in held.items() if text is not None}


@dataclass(frozen=True, kw_only=True)
class Template:
    """A prompt template. ``parameters`` are fields of the request, such as ``max_tokens``."""

    name: str
    version: int = 1
    messages: tuple[Message, ...]
    verdict: VerdictForm
    parameters: Mapping[str, int | float | bool | str] = field(default_factory=dict)

    @property
    def single(self) -> bool:
        """Whether the template grades single responses, and does not compare two."""
        return self.verdict.grade is not None

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the template's content."""
        return hashlib.sha256(orjson.dumps(to_json(self), option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def guarded(self) -> bool:
        """Whether every message that is filled in, and the verdict, carry the key."""
        exposed = [each.content for each in self.messages if placeholders(each.content) - {"key"}]
        return all("key" in placeholders(text) for text in (*exposed, *self.verdict.texts.values()))


@dataclass(frozen=True)
class Filled:
    """The messages of a request, and the key in them."""

    messages: tuple[dict[str, str], ...]
    key: str


def load(name: str) -> Template:
    """The built-in template of that name, or the template in a TOML file (a path that ends in ``.toml``).

    Raises UserError for an unknown name, an unreadable file, or a template with a fault.
    """
    if name in BUILT_IN:
        path = FOLDER / f"{name}.toml"
    elif name.endswith(".toml"):
        path = Path(name)
    else:
        raise UserError(unknown("there is no template", name, [*BUILT_IN, "the path of a template (.toml)"]))
    template = build(Template, read_toml(path), str(path))
    _check(template, str(path))
    return template


def fill(template: Template, messages: Messages, responses: Mapping[str, str]) -> Filled:
    """The template's messages about a dialogue and ``responses`` (``first`` and ``second``, or ``response``)."""
    texts = [*(content for _, content in messages), *responses.values()]
    key = _key(template.digest, messages, responses, texts)
    values = {
        **responses,
        "key": key,
        "prompt": messages[-1][1],
        "conversation": "\n".join(f"<{role} {key}>\n{content}\n</{role} {key}>" for role, content in messages),
    }
    return Filled(
        tuple({"role": each.role, "content": fill_in(each.content.strip(), values)} for each in template.messages), key
    )


def _key(digest: str, messages: Messages, responses: Mapping[str, str], texts: Sequence[str]) -> str:
    """The first code of a sequence, derived from all content, that none of the texts contains in any case."""
    content = hashlib.sha256(orjson.dumps([digest, messages, sorted(responses.items())]))
    number = 0
    while True:
        state = content.copy()
        state.update(number.to_bytes(8, "little"))
        key = state.hexdigest()[:KEY_DIGITS]
        if not any(key in text.lower() for text in texts):
            return key
        number += 1


def is_json(value: object) -> bool:
    """Whether a request can hold the value: numbers are finite, and whole numbers have 64 bits."""
    try:
        json.dumps(value, allow_nan=False)
        orjson.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def _check(template: Template, where: str) -> None:
    """Raises UserError if the template cannot be filled, or its verdicts cannot be told apart."""
    form, used = template.verdict, set[str]()
    for message in template.messages:
        used |= placeholders(message.content)
    for name in sorted(used - {*_IN_MESSAGES}):
        raise UserError(unknown(f"{where} has no placeholder", name, _IN_MESSAGES))
    for outcome, text in form.texts.items():
        allowed = ("key", "grade") if outcome == "grade" else ("key",)
        for name in sorted(placeholders(text) - {*allowed}):
            raise UserError(unknown(f"{where}: verdict.{outcome} has no placeholder", name, allowed))
        if not text.strip() or text.strip() != text or "\n" in text:
            raise UserError(f"{where}: verdict.{outcome} is not one line: give a text without surrounding spaces")
    wanted = {"response"} if template.single else {"first", "second"}
    if not wanted <= used or (_TEXTS - wanted) & used:
        names = " and ".join(f"{{{name}}}" for name in sorted(wanted))
        raise UserError(f"{where}: the messages must show {names} and no other text of a model")
    if not {"conversation", "prompt"} & used:
        raise UserError(f"{where}: the messages must show {{conversation}} or {{prompt}}")
    for name in sorted(template.parameters.keys() & {*RESERVED}):
        raise UserError(f"{where}: parameters cannot set {name}: leave it out")
    _check_verdict(form, where)


def _check_verdict(form: VerdictForm, where: str) -> None:
    texts = form.texts
    if form.grade is not None:
        if len(texts) > 1 or "grade" not in placeholders(form.grade) or form.lowest >= form.highest:
            raise UserError(
                f"{where}: a template that grades gives verdict.grade with {{grade}}, lowest below highest, and no "
                "first, second or tie"
            )
    elif not {"first", "second"} <= texts.keys() or len(set(texts.values())) < len(texts):
        raise UserError(f"{where}: verdict needs first and second, or grade; all texts must differ")
