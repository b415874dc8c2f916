"""What the rows of the journal say, as records that are read from and written as JSON.

Tables are Arrow streams, and an annotation is what Label Studio gave: of these, only what is around them is here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_type_hints

import orjson

from annotation.protocols import Page
from schemas.errors import DamagedError
from schemas.records import from_json, to_json

T = TypeVar("T")


@dataclass(frozen=True)
class Resolving:
    """The policy by which votes become a verdict, as campaign.toml gives it."""

    use: Literal["majority", "unanimous"]
    min_votes: int | None


@dataclass(frozen=True)
class Settings:
    """``settings``: what the campaign was when it changed. ``toml`` and ``guidelines`` are the files' texts."""

    name: str
    protocol: str
    protocol_version: str
    votes: int
    resolve: Resolving
    toml: str
    guidelines: str


@dataclass(frozen=True)
class PairsAsked:
    """By which policy responses were paired: the table ``pairs`` of campaign.toml."""

    policy: str
    per_prompt: int
    new: str | None
    previous: str | None
    self_naming: str


@dataclass(frozen=True)
class Asked:
    """What a batch was asked to be. ``guidelines`` and ``responses`` are SHA-256 of the files; ``gold`` is that of its
    file and the share of gold pairs; ``categories`` are names and titles."""

    protocol: str
    version: int
    guidelines: str
    categories: tuple[tuple[str, str], ...]
    votes: int
    responses: str
    gold: tuple[str, float] | None
    pairs: PairsAsked
    seed: int


@dataclass(frozen=True)
class Counted:
    """How many pairs, gold pairs and tasks a batch got when it was made."""

    pairs: int
    gold: int
    tasks: int


@dataclass(frozen=True)
class Batch:
    """``batch``: what it was asked to be, and the page that its annotators see. ``categories``: name to title."""

    asked: Asked
    counted: Counted
    page: Page
    categories: Mapping[str, str]


@dataclass(frozen=True)
class AnnotationRow:
    """``annotation``: an annotation as Label Studio gave it, and where it lay.

    ``uid`` is that of the task, None where its data has none; ``shown`` is the digest of what the task shows now, in
    hexadecimal digits; ``author`` and ``editor`` are email addresses, None for an account that is gone.
    """

    uid: str | None
    shown: str
    author: str | None
    editor: str | None
    project: int
    task: int
    annotation: Mapping[str, Any]


_ANNOTATED: dict[str, Any] = {**get_type_hints(AnnotationRow), "annotation": dict}
"""What the values of its fields are instances of."""


def read(kind: type[T], body: bytes, place: str) -> T:
    """The record that a body holds. ``place`` is the row, for messages.

    Raises DamagedError for a body that is not what Gristmill writes.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DamagedError(f"{place} is not JSON ({error})") from error
    return from_json(kind, value, place)


def read_annotation(body: bytes, place: str) -> AnnotationRow:
    """As ``read`` for the row of an annotation, at about a third of the time: a campaign has one for each vote."""
    value = orjson.loads(body)
    if not isinstance(value, dict) or not all(isinstance(value.get(name), kind) for name, kind in _ANNOTATED.items()):
        return read(AnnotationRow, body, place)
    return AnnotationRow(**{name: value[name] for name in _ANNOTATED})


def write(record: Any, *, sort: bool = False) -> bytes:
    """A record, or a plain value, as the body of a row; ``sort``: with the keys of its tables sorted."""
    return orjson.dumps(to_json(record), option=orjson.OPT_SORT_KEYS if sort else None)


def write_annotation(row: AnnotationRow) -> bytes:
    """The body of the row of an annotation, with sorted keys. Raises orjson.JSONEncodeError where what Label Studio
    gave nests too deeply."""
    return orjson.dumps(vars(row), option=orjson.OPT_SORT_KEYS)
