"""The interface of a protocol: the page of a project, and two inverse functions that show a pair and read an answer."""

import hashlib
import re
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.protocols.scale import Scale
from schemas.errors import UserError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, kw_only=True)
class Category:
    """A kind of risk: Gristmill stores ``name``, and annotators see ``title``.

    A title has no ``$``, because Label Studio replaces ``$field`` with a field of the task. Raises `UserError` for an
    invalid name or title.
    """

    name: str
    title: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UserError(f"risk category {self.name!r}: use 1 to 40 of a-z, 0-9 and _, and begin with a letter")
        if not self.title.isprintable() or not 1 <= len(self.title.strip()) <= 60 or "$" in self.title:
            raise UserError(
                f"risk category {self.name}: its title is {self.title!r}: give 1 to 60 visible characters, without $"
            )


@dataclass(frozen=True)
class Page:
    """The settings of a Label Studio project: its labelling config (XML) and its instruction (guidelines in HTML)."""

    config: str
    instruction: str


@dataclass(frozen=True)
class AnnotationReading:
    """The answers of an annotation. A protocol that does not ask about safety gives None as flags and no risks.

    ``prefers`` is None if the protocol shows a single response, which then has a ``rating`` and a ``refusal``.
    """

    prefers: str | None
    degree: str
    first_safe: bool | None
    second_safe: bool | None
    first_risks: tuple[str, ...]
    second_risks: tuple[str, ...]
    comment: str | None
    rating: int | None = None
    refusal: str | None = None


@dataclass(frozen=True)
class Unreadable:
    """Why an annotation cannot be read: ``reason`` is one word, for counters; ``message`` is a sentence for people."""

    reason: str
    message: str


class Protocol(typing.Protocol):
    """A set of questions for annotators. ``version`` grows with every change that annotators would see."""

    @property
    def name(self) -> str:
        """The protocol's name in campaign.toml."""

    @property
    def version(self) -> int:
        """The version of the page, from 1."""

    @property
    def guidelines(self) -> str:
        """The default guidelines, as Markdown."""

    @property
    def scale(self) -> Scale:
        """The points that annotators choose from."""

    @property
    def trains(self) -> bool:
        """Whether the votes become a dataset to train on; otherwise they measure models."""

    def page(self, guidelines: str, categories: Sequence[Category]) -> Page:
        """The page of a project. No ``categories`` means the protocol's own; raises `UserError` if they are invalid."""

    def show(
        self, messages: Sequence[Mapping[str, str]], first: str, second: str | None, swapped: bool
    ) -> dict[str, str]:
        """The data of a task, all escaped HTML. ``swapped`` shows ``first`` as response B. ``second`` is None exactly
        if the scale rates a single response."""

    def read(
        self, result: Sequence[Mapping[str, Any]], swapped: bool, categories: Sequence[Category]
    ) -> AnnotationReading | Unreadable:
        """Reads the ``result`` of an annotation of the pair that `show` displayed; never raises."""


def digest(page: Page) -> str:
    """SHA-256 of a page in 64 hexadecimal digits, to notice that annotators see another page."""
    sha = hashlib.sha256(len(page.config).to_bytes(8, "big"))
    sha.update(page.config.encode())
    sha.update(page.instruction.encode())
    return sha.hexdigest()
