"""The manifest of a folder of verdicts. Nothing in it depends on the run: equal answers give equal bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotation.dataset.manifest import Manifest
from schemas.records import other_keys

FORMAT = "gristmill.verdicts"
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class JudgeEntry:
    """The judge: the model, the fields of each request, the template and its SHA-256, and the orders that were asked.
    ``answered_by``: answers by the name of the model as the endpoint gave it."""

    model: str
    parameters: Mapping[str, Any]
    template: Mapping[str, Any]
    template_sha256: str
    orders: str
    seed: int
    answered_by: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class SourceEntry:
    """What was judged. ``files``: the SHA-256 of each file of responses, by name; or the campaign and its revision.
    ``compared``: the models that are compared, first and second of each pair."""

    files: Mapping[str, str]
    compared: tuple[tuple[str, str], ...]
    campaign: str | None = None
    revision: int | None = None
    baseline: str | None = None


@dataclass(frozen=True, kw_only=True)
class VerdictsLedger:
    """Pairs by outcome, which add up to ``pairs``; inconsistent ties; questions to the judge; prompts that a model did
    not answer; tokens as the endpoint reports them."""

    pairs: int
    outcomes: Mapping[str, int]
    inconsistent: int
    questions: int
    unanswered: int
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, kw_only=True)
class VerdictsManifest(Manifest):
    """The manifest of a folder of verdicts. ``tables``: the version of each table. ``judge`` is null for imported
    verdicts, whose raters are in the table."""

    tables: Mapping[str, int]
    judge: JudgeEntry | None
    source: SourceEntry
    ledger: VerdictsLedger
    others: Mapping[str, Any] = other_keys()
