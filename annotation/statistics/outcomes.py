"""Outcomes of comparisons as columns, and the win rates that they give.

An outcome says how model A fared against model B in one vote: win, tie or loss. A vote without a verdict keeps its
reason and is never counted as any of the three.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int8]

WIN, TIE, LOSS = 0, 1, 2
OUTCOMES = ("win", "tie", "loss", "unparsed", "refused", "truncated", "error", "missing")
"""The words for the codes 0 to 7. From ``unparsed`` on there is no verdict."""
Definition = Literal["decided", "half"]
"""How ties enter a win rate. ``decided``: win / (win + loss), ties left out. ``half``: (win + tie / 2) / all three."""
_MIRRORED = np.array([LOSS, TIE, WIN, 3, 4, 5, 6, 7], np.int8)
_WORTH = np.array([1.0, 0.5, 0.0])


@dataclass(frozen=True)
class Outcomes:
    """A row for each vote. ``prompt``, ``rater``, ``model_a`` and ``model_b`` are indices into the names below them;
    ``outcome`` is an index into OUTCOMES, from model A's point of view."""

    prompt: Ints
    rater: Ints
    model_a: Ints
    model_b: Ints
    outcome: Codes
    prompts: tuple[str, ...]
    raters: tuple[str, ...]
    models: tuple[str, ...]

    @classmethod
    def of(
        cls,
        prompt: Sequence[str],
        rater: Sequence[str],
        model_a: Sequence[str],
        model_b: Sequence[str],
        outcome: Sequence[str],
    ) -> "Outcomes":
        """Builds outcomes from a name for each vote in every column. Names are sorted, so their order has no effect.

        Raises ValueError for a word that is not in OUTCOMES, and for columns of different lengths.
        """
        if len({len(column) for column in (prompt, rater, model_a, model_b, outcome)}) > 1:
            raise ValueError("the columns of outcomes have different lengths")
        prompts, prompt_codes = coded(prompt)
        raters, rater_codes = coded(rater)
        models, model_codes = coded([*model_a, *model_b])
        words, word_codes = coded(outcome)
        if unknown := sorted(set(words) - set(OUTCOMES)):
            raise ValueError(f"{unknown[0]!r} is not an outcome: use one of {', '.join(OUTCOMES)}")
        codes = np.array([OUTCOMES.index(word) for word in words], np.int8)[word_codes]
        sides = model_codes[: len(model_a)], model_codes[len(model_a) :]
        return cls(prompt_codes, rater_codes, *sides, codes, prompts, raters, models)

    def __len__(self) -> int:
        return len(self.outcome)

    def filter(self, kept: Flags) -> "Outcomes":
        """The votes where ``kept`` is true. Names and their indices stay."""
        return self.take(np.flatnonzero(kept))

    def take(self, places: Ints) -> "Outcomes":
        """The votes at these places, in that order. Names and their indices stay."""
        columns = ("prompt", "rater", "model_a", "model_b", "outcome")
        return replace(self, **{column: getattr(self, column)[places] for column in columns})

    def mirrored(self) -> "Outcomes":
        """The same votes with models A and B exchanged."""
        return replace(self, model_a=self.model_b, model_b=self.model_a, outcome=_MIRRORED[self.outcome])

    def of_model(self, model: str, other: str | None = None) -> "Outcomes":
        """The votes on a model (against ``other``, if given), mirrored where needed so that the model is A.

        Votes on the model against itself are left out: they say nothing about other models.
        """
        own = self.models.index(model)
        there = self.model_b == own
        model_b = np.where(there, self.model_a, self.model_b)
        turned = replace(
            self,
            model_a=np.where(there, self.model_b, self.model_a),
            model_b=model_b,
            outcome=np.where(there, _MIRRORED[self.outcome], self.outcome).astype(np.int8),
        )
        rivals = model_b != own if other is None else model_b == self.models.index(other)
        return turned.filter((turned.model_a == own) & rivals & (self.model_a != self.model_b))

    def counts(self) -> dict[str, int]:
        """How often each outcome occurs, for all words of OUTCOMES."""
        return dict(zip(OUTCOMES, np.bincount(self.outcome, minlength=len(OUTCOMES)).tolist(), strict=True))

    @property
    def decided(self) -> Flags:
        """Whether each vote has a verdict: a win, a tie or a loss."""
        return self.outcome <= LOSS


def coded(names: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """The distinct names, sorted, and the index of each given name among them."""
    distinct = sorted(set(names))
    place = {name: number for number, name in enumerate(distinct)}
    return tuple(distinct), np.fromiter((place[name] for name in names), np.int64, len(names))


def parts(outcome: Codes, definition: Definition) -> tuple[Floats, Floats]:
    """What each vote adds to the numerator and to the denominator of a win rate; 0 and 0 for votes left out."""
    counted = outcome <= LOSS
    if definition == "decided":
        counted &= outcome != TIE
    worth = np.where(counted, _WORTH[np.minimum(outcome, LOSS)], 0.0)
    return worth, counted.astype(np.float64)


@dataclass(frozen=True)
class Bounds:
    """The win rate, and the win rates if all votes without a verdict were losses (``low``) or wins (``high``).

    ``value`` is None if no vote counts; the bounds are then 0 and 1 if votes lack a verdict, else None.
    """

    value: float | None
    low: float | None
    high: float | None
    without_verdict: int


def bounds(outcome: Codes, definition: Definition = "decided") -> Bounds:
    """The win rate of outcomes with its worst-case bounds over votes without a verdict (Manski 1989).

    >>> bounds(np.array([WIN, WIN, LOSS, TIE, OUTCOMES.index("unparsed")], np.int8))
    Bounds(value=0.6666666666666666, low=0.5, high=0.75, without_verdict=1)
    """
    won, counted = (float(part.sum()) for part in parts(outcome, definition))
    unknown = int((outcome > LOSS).sum())
    total = counted + unknown
    if not total:
        return Bounds(None, None, None, 0)
    return Bounds(won / counted if counted else None, won / total, (won + unknown) / total, unknown)


def majority(outcomes: Outcomes) -> Outcomes:
    """One row for each prompt and pair of models: the outcome that more than half of its votes with a verdict share.

    Without such an outcome the row is a tie; without a vote that has a verdict it is ``missing``. Models are ordered by
    index, and the rater of each row is the single name ``majority``.
    """
    back = outcomes.model_a > outcomes.model_b
    first, second = np.minimum(outcomes.model_a, outcomes.model_b), np.maximum(outcomes.model_a, outcomes.model_b)
    turned = np.where(back, _MIRRORED[outcomes.outcome], outcomes.outcome)
    size = max(len(outcomes.models), 1)
    items, item = np.unique((outcomes.prompt * size + first) * size + second, return_inverse=True)
    votes = np.zeros((len(items), len(OUTCOMES)), np.int64)
    np.add.at(votes, (item, turned), 1)
    verdicts = votes[:, : LOSS + 1]
    given = verdicts.sum(axis=1)
    most = verdicts.argmax(axis=1)
    held = 2 * verdicts.max(axis=1, initial=0) > given
    outcome = np.where(given == 0, OUTCOMES.index("missing"), np.where(held, most, TIE)).astype(np.int8)
    pair = items % (size * size)
    rater = np.zeros(len(items), np.int64)
    return replace(
        outcomes,
        prompt=items // (size * size),
        rater=rater,
        model_a=pair // size,
        model_b=pair % size,
        outcome=outcome,
        raters=("majority",),
    )
