"""The bodies of the journal's rows, as records that are read from JSON and written as JSON.

Tables (pairs and tasks) are Arrow streams, see `fold`. The record of an annotation holds Label Studio's JSON unchanged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, get_type_hints

import orjson

from annotation.protocols import Page
from schemas.errors import CHANGED, DamagedError
from schemas.records import from_json, to_json

T = TypeVar("T")


@dataclass(frozen=True)
class Resolving:
    """The policy that turns votes into a verdict, from campaign.toml; see `Policy` for its meaning."""

    use: Literal["majority", "unanimous", "median"]
    min_votes: int | None


@dataclass(frozen=True)
class Settings:
    """The body of a ``settings`` row: the settings after a change. ``toml`` and ``guidelines`` are the texts of
    campaign.toml and of the guidelines file."""

    name: str
    protocol: str
    protocol_version: str
    votes: int
    resolve: Resolving
    toml: str
    guidelines: str


@dataclass(frozen=True)
class PairsAsked:
    """The policy by which responses were paired: the table ``pairs`` of campaign.toml."""

    policy: str
    per_prompt: int
    new: str | None
    previous: str | None
    self_naming: str
    prompts: int | None = None


@dataclass(frozen=True)
class Asked:
    """The settings and input files from which a batch was made.

    ``guidelines`` and ``responses`` are the SHA-256 of these files. ``gold`` is the SHA-256 of the file of gold pairs,
    and the share of gold pairs. ``categories`` are pairs of name and title.
    """

    protocol: str
    version: int
    guidelines: str
    categories: tuple[tuple[str, str], ...]
    votes: int
    responses: str
    gold: tuple[str, float] | None
    pairs: PairsAsked
    seed: int
    harmless: bool = False


@dataclass(frozen=True)
class Counted:
    """The numbers of pairs, gold pairs and tasks of a batch when it was made."""

    pairs: int
    gold: int
    tasks: int


@dataclass(frozen=True)
class Unanswered:
    """A prompt that a model did not answer. ``turns`` is the number of the user's turns; the other fields are the
    columns FACTS of the prompt."""

    model: str
    prompt_id: str
    turns: int
    category: str | None
    risk_category: str | None
    attack_vector: str | None
    harmless: bool | None


@dataclass(frozen=True)
class Batch:
    """The body of a ``batch`` row: what the batch was made from, and the page that its annotators see. ``categories``:
    name to title. ``dropped``: what was left out, by reason. ``unanswered``: what the models did not answer, in a
    campaign that measures models."""

    asked: Asked
    counted: Counted
    page: Page
    categories: Mapping[str, str]
    dropped: Mapping[str, int] = field(default_factory=dict)
    unanswered: tuple[Unanswered, ...] = ()


@dataclass(frozen=True)
class Guidelines:
    """The body of a ``guidelines`` row: another wording of a batch's guidelines. ``number`` counts the wordings of the
    batch; the first is that of its ``batch`` row. ``guidelines`` is the SHA-256 of the file."""

    number: int
    guidelines: str
    page: Page


@dataclass(frozen=True)
class Undone:
    """The body of an ``undone`` row: the batch was never begun, and is as if it was not made. ``places``: those of its
    projects, which were deleted from Label Studio."""

    places: tuple[str, ...]


@dataclass(frozen=True)
class AnnotationRow:
    """The body of an ``annotation`` row: an annotation as Label Studio returned it, with its project and task.

    ``uid`` is the task's, None if the task's data has no uid. ``shown`` is the digest, in hexadecimal digits, of what
    the task showed when it was pulled. ``author`` and ``editor`` are email addresses, None for a deleted account.
    """

    uid: str | None
    shown: str
    author: str | None
    editor: str | None
    project: int
    task: int
    annotation: Mapping[str, Any]


@dataclass(frozen=True)
class ServerNoted:
    """The body of a ``server`` row. ``identity`` is the same in each backup of the server, and on no other server;
    ``url`` is the address that push and pull use."""

    identity: str
    url: str


@dataclass(frozen=True)
class ProjectMade:
    """The body of a ``project`` row: the project of a place as it was pushed.

    ``created`` is the server's time of its creation: a number can be used again after a restore, the time cannot.
    ``page`` is the digest of the page that was sent; ``labels`` and ``instructions`` are the SHA-256 of what the server
    made of them. ``adopted``: an earlier version of Gristmill pushed the project, and noted none of this.
    """

    project: int
    created: str
    page: str
    labels: str
    instructions: str
    adopted: bool = False


ASKED = 0
"""The number of a task that a push asks for and that has none yet. Label Studio counts from 1."""


@dataclass(frozen=True)
class Numbers:
    """The body of a ``numbers`` row: the number of each task that was added to a project, by uid; ASKED before a push
    asks Label Studio for it."""

    project: int
    tasks: Mapping[str, int]


@dataclass(frozen=True)
class Seen:
    """The body of a ``seen`` row: how the project of a place differs from what was pushed. All empty: not at all.

    ``changed``: parts of the project, of PARTS of `made`. ``added``: tasks that Gristmill did not make.
    ``removed``: uids of tasks that are missing and have no vote. ``others``: further projects with the same marker.
    ``gone``: the project is missing. ``account``: the annotator's account is missing or another one. ``suggested``:
    tasks with a suggested answer.
    """

    changed: tuple[str, ...] = ()
    added: tuple[int, ...] = ()
    suggested: tuple[int, ...] = ()
    removed: tuple[str, ...] = ()
    others: tuple[int, ...] = ()
    gone: bool = False
    account: bool = False


@dataclass(frozen=True)
class Lost:
    """The body of a ``lost`` row: why Label Studio no longer has an annotation whose vote still counts.

    ``why``: ``deleted_by_other``, ``moved`` (to another task), ``task_gone``, ``forgotten`` (the server was restored
    from an older backup), or ``found`` if the annotation came back. ``by``: the email address of the last person who
    changed the task.
    """

    why: Literal["deleted_by_other", "moved", "task_gone", "forgotten", "found"]
    by: str | None
    project: int
    task: int


_ANNOTATION_TYPES: dict[str, Any] = {**get_type_hints(AnnotationRow), "annotation": dict}
"""The type of each field of AnnotationRow, for isinstance."""
_NOTED = frozenset({"id", "was_cancelled"})
_ANSWERED = _NOTED | {"completed_by", "updated_by", "updated_at", "lead_time"}
"""Fields of Label Studio's JSON that votes are read from: of a note that a task is unreadable, and of an annotation."""


def read(kind: type[T], body: bytes, place: str) -> T:
    """Parses a body as a record of class ``kind``. ``place`` names the row in messages.

    Raises DamagedError if the body is not JSON, or does not have the record's fields and types.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DamagedError(f"{place} is not JSON ({error}): {CHANGED}") from error
    return from_json(kind, value, place)


def read_annotation(body: bytes, place: str) -> AnnotationRow:
    """Same as ``read(AnnotationRow, body, place)``, but three times as fast: a campaign has a row for each vote. Also
    raises DamagedError if Label Studio's JSON lacks a field that votes are read from."""
    row = _read_quickly(body) or read(AnnotationRow, body, place)
    missing = (_ANSWERED if "result" in row.annotation else _NOTED) - row.annotation.keys()
    if missing:
        raise DamagedError(f"{place}: the annotation lacks {min(missing)}: {CHANGED}")
    return row


def _read_quickly(body: bytes) -> AnnotationRow | None:
    """The record of a sound body; None for any other."""
    try:
        value = orjson.loads(body)
        if all(isinstance(value[name], kind) for name, kind in _ANNOTATION_TYPES.items()):
            return AnnotationRow(**{name: value[name] for name in _ANNOTATION_TYPES})
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
        pass
    return None


def write(record: Any, *, sort: bool = False) -> bytes:
    """The body of a row: a record or a plain value as JSON. ``sort`` sorts the keys of each JSON object."""
    return orjson.dumps(to_json(record), option=orjson.OPT_SORT_KEYS if sort else None)


def write_annotation(row: AnnotationRow) -> bytes:
    """The body of an annotation's row, with sorted keys.

    Raises orjson.JSONEncodeError if the annotation nests too deeply for orjson.
    """
    return orjson.dumps(vars(row), option=orjson.OPT_SORT_KEYS)
