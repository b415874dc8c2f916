"""A protocol: what the page of a task shows, and how to read an answer. Data and two inverse functions."""

import hashlib
import re
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from schemas.errors import UserError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, kw_only=True)
class Category:
    """A kind of risk: ``name`` is stored, ``title`` is what the annotator sees.

    Label Studio replaces ``$field`` in a title by a field of the task, so a title has no ``$``. Raises `UserError` for
    an invalid name or title.
    """

    name: str
    title: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UserError(
                f"risk category {self.name!r}: a name has 1 to 40 of a-z, 0-9 and _, and begins with a letter"
            )
        if not self.title.isprintable() or not 1 <= len(self.title.strip()) <= 60 or "$" in self.title:
            raise UserError(
                f"risk category {self.name}: its title {self.title!r} needs 1 to 60 visible characters and no $"
            )


@dataclass(frozen=True)
class Page:
    """What a Label Studio project is given: the labelling config (XML) and the guidelines (HTML, its instruction)."""

    config: str
    instruction: str


@dataclass(frozen=True)
class AnnotationReading:
    """What an annotation says of a pair. Safety flags are None and risks empty where the protocol does not ask."""

    prefers: Literal["first", "second"]
    degree: str
    first_safe: bool | None
    second_safe: bool | None
    first_risks: tuple[str, ...]
    second_risks: tuple[str, ...]
    comment: str | None


@dataclass(frozen=True)
class Unreadable:
    """Why an annotation cannot be read: ``reason``, a word for the counters, and ``message``, a sentence for people."""

    reason: str
    message: str


class Protocol(typing.Protocol):
    """What is asked of annotators. ``version`` grows with every change that annotators would see."""

    @property
    def name(self) -> str:
        """Its name in campaign.toml."""

    @property
    def version(self) -> int:
        """From 1."""

    @property
    def guidelines(self) -> str:
        """The default guidelines, as Markdown."""

    def page(self, guidelines: str, categories: Sequence[Category]) -> Page:
        """The page of a project; no categories means the protocol's own. Raises `UserError` for unusable categories."""

    def show(self, messages: Sequence[Mapping[str, str]], first: str, second: str, swapped: bool) -> dict[str, str]:
        """The data of a task: escaped HTML only, with ``first`` as B where ``swapped``."""

    def read(
        self, result: Sequence[Mapping[str, Any]], swapped: bool, categories: Sequence[Category]
    ) -> AnnotationReading | Unreadable:
        """What the ``result`` of an annotation says of the pair that `show` showed; never raises."""


def digest(page: Page) -> str:
    """What an annotator sees, as 64 hexadecimal digits: equal for equal pages only."""
    sha = hashlib.sha256(len(page.config).to_bytes(8, "big"))
    sha.update(page.config.encode())
    sha.update(page.instruction.encode())
    return sha.hexdigest()
