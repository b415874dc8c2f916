"""The settings of a campaign, and the files of its folder."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from annotation.journal.journal import STORE
from annotation.judgments.policy import Policy
from annotation.protocols import PROTOCOLS, Category
from schemas.errors import UserError
from schemas.named_files import read_named

MAX_GUIDELINES_BYTES = 4 << 20
"""The largest file of guidelines that is read."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_ATOM, _LABEL = r"(?:'?[a-z0-9!#$%&*+/=?^_`{|}~-])+", r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"(?=.{{1,254}}$){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[a-z][a-z0-9-]{{0,61}}[a-z0-9]")
"""The email addresses that Label Studio accepts, apart from quoted names and numbers of hosts."""


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """Which responses to a prompt are compared.

    ``policy``: ``all`` compares every two responses; ``new_vs_previous`` compares each response of the model ``new``
    with each response of the model ``previous``; ``random`` draws ``per_prompt`` of all pairs by the campaign's seed.
    ``prompts``: from how many prompts pairs are made, drawn by the campaign's seed; None means all of the file.
    ``self_naming``: ``keep`` (and report) or ``drop`` a response that names its own model.
    """

    policy: Literal["all", "new_vs_previous", "random"] = "all"
    per_prompt: int = 1
    prompts: int | None = None
    new: str | None = None
    previous: str | None = None
    self_naming: Literal["keep", "drop"] = "keep"

    def __post_init__(self) -> None:
        if self.per_prompt < 1:
            raise UserError(f"pairs.per_prompt is {self.per_prompt}: give at least 1")
        if self.prompts is not None and self.prompts < 1:
            raise UserError(f"pairs.prompts is {self.prompts}: draw at least 1 prompt, or leave it out for all")
        if self.policy == "new_vs_previous" and not (self.new and self.previous):
            raise UserError(
                'pairs.policy "new_vs_previous" needs pairs.new and pairs.previous, the names of two models'
            )
        if self.policy == "new_vs_previous" and self.new == self.previous:
            raise UserError(f"pairs.new and pairs.previous are both {self.new!r}: name two models")


@dataclass(frozen=True, kw_only=True)
class Gold:
    """Pairs with a known answer, hidden among each annotator's tasks: ``share`` of them, or fewer if pairs run out."""

    file: str
    share: float = 0.05

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 0.5:
            raise UserError(f"gold.share is {self.share}: give a share from 0 to 0.5")


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """The settings of a campaign, as campaign.toml holds them; paths are relative to its folder.

    ``version`` must grow when the guidelines or the categories change. Email addresses are stored in lower case, as in
    Label Studio.
    ``categories``: risk categories of the safety protocol, name to title; empty means the three of Llama 2.
    ``harmless``: whether the prompts of a safety rating are harmless, except prompts whose rows say so or otherwise.
    """

    name: str
    protocol: str
    version: int = 1
    batch: str
    responses: str
    annotators: tuple[str, ...]
    adjudicators: tuple[str, ...] = ()
    votes: int = 3
    seed: int = 0
    guidelines: str = "guidelines.md"
    pairs: Pairing = field(default_factory=Pairing)
    gold: Gold | None = None
    resolve: Policy = field(default_factory=Policy)
    categories: Mapping[str, str] = field(default_factory=dict)
    harmless: bool = False

    def __post_init__(self) -> None:
        for name, value in (("name", self.name), ("batch", self.batch)):
            if not _NAME.fullmatch(value):
                raise UserError(f"{name} is {value!r}: use up to 40 letters, digits, dots, dashes and underscores")
        if self.protocol not in PROTOCOLS:
            raise UserError(f"protocol is {self.protocol!r}: choose from {', '.join(PROTOCOLS)}")
        if self.version < 1:
            raise UserError(f"version is {self.version}: give at least 1")
        if not 0 <= self.seed < 1 << 63:
            raise UserError(f"seed is {self.seed}: give a whole number of 0 or more, below 2**63")
        for name in ("annotators", "adjudicators"):
            people = tuple(person.lower() for person in getattr(self, name))
            object.__setattr__(self, name, people)
            wrong = [person for person in people if not _EMAIL.fullmatch(person)]
            if wrong:
                raise UserError(f"{name} holds {wrong[0]!r}: name each person by an email address, in ASCII")
            twice = sorted({person for person in people if people.count(person) > 1})
            if twice:
                raise UserError(f"{name} holds {twice[0]} twice: name each person once")
        if not self.annotators:
            raise UserError("annotators is empty: give at least one email address")
        if self.votes < 1:
            raise UserError(f"votes is {self.votes}: ask for at least 1 vote on each pair")
        if self.resolve.min_votes is not None and not 1 <= self.resolve.min_votes <= self.votes:
            raise UserError(f"resolve.min_votes is {self.resolve.min_votes}: give 1 to {self.votes} (votes)")
        if self.categories and self.protocol != "safety":
            raise UserError(f"the protocol {self.protocol} takes no categories, which belong to safety: remove them")
        self._refuse_other_settings()

    def _refuse_other_settings(self) -> None:
        """Raises UserError for settings that belong to other protocols."""
        protocol = PROTOCOLS[self.protocol]
        uses = ["majority"]
        if protocol.scale.compares:
            uses.append("unanimous" if protocol.trains else "median")
        if self.resolve.use not in uses:
            choices = " or ".join(map(repr, uses))
            raise UserError(f"resolve.use is {self.resolve.use!r}: with the protocol {self.protocol}, use {choices}")
        if self.harmless and protocol.scale.compares:
            raise UserError(f"the protocol {self.protocol} asks about no refusals: remove harmless")
        if not protocol.scale.compares and self.gold:
            raise UserError(f"the protocol {self.protocol} shows single responses: remove [gold], whose pairs have two")
        if not protocol.scale.compares and self.pairs.policy != "all":
            raise UserError(f"the protocol {self.protocol} shows single responses: remove pairs.policy")

    @property
    def risk_categories(self) -> tuple[Category, ...]:
        """The campaign's own risk categories; empty if annotators see the protocol's categories."""
        return tuple(Category(name=name, title=title) for name, title in self.categories.items())


@dataclass(frozen=True)
class CampaignFolder:
    """A campaign and its folder: the argument of every step."""

    path: Path
    campaign: Campaign
    text: str
    """The text of campaign.toml, for the journal."""

    @property
    def store(self) -> Path:
        return self.path / STORE

    def file(self, name: str) -> Path:
        return self.path / name

    def guidelines(self) -> str:
        """The text of the guidelines, with line feeds as line ends. Raises UserError if the file cannot be read."""
        path = self.file(self.campaign.guidelines)
        try:
            text = read_named(path, MAX_GUIDELINES_BYTES, "a file of guidelines (Markdown)").decode("utf-8-sig")
        except (OSError, ValueError) as error:
            raise UserError(f"the guidelines {path} cannot be read ({error}): write them as UTF-8 Markdown") from error
        return text.replace("\r\n", "\n").replace("\r", "\n")
