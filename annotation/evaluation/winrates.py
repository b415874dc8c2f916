"""Counts of a judge's verdicts: win rates, with bounds over what has no verdict, and the bias of position."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from annotation.evaluation.judging import Verdict
from annotation.evaluation.pairs import Pairs
from annotation.evaluation.verdicts import NO_VERDICT


@dataclass
class Matches:
    """The pairs of a model against an opponent, in numbers. ``inconsistent`` ties are among the ties; ``unanswered``
    prompts were not judged, as one of the two models did not answer them."""

    wins: int = 0
    losses: int = 0
    ties: int = 0
    inconsistent: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    """Pairs without a verdict, by outcome."""
    unanswered: int = 0

    @property
    def without(self) -> int:
        """Pairs without a verdict, and unanswered prompts."""
        return self.failed.total() + self.unanswered

    @property
    def total(self) -> int:
        return self.wins + self.losses + self.ties + self.without

    @property
    def rate(self) -> float | None:
        """win / (win + loss), None without either."""
        decided = self.wins + self.losses
        return self.wins / decided if decided else None

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The lowest and the highest rate that is possible, whatever the verdicts on the pairs without one: all of them
        losses, or all of them wins. None if no pair could have a winner."""
        counted = self.wins + self.losses + self.without
        return (self.wins / counted, (self.wins + self.without) / counted) if counted else None


@dataclass(frozen=True)
class Position:
    """How often the judge prefers the response that it sees first, over all answers that prefer one.

    ``compared`` pairs have a verdict in both orders; ``changed`` of them have another verdict after the swap."""

    first: int
    second: int
    compared: int
    changed: int

    @property
    def share(self) -> float | None:
        """The share of the response shown first; 0.5 is no bias if both orders are asked."""
        decided = self.first + self.second
        return self.first / decided if decided else None


def matches(
    verdicts: Iterable[Verdict], compared: Pairs, baseline: str | None = None
) -> dict[tuple[str, str], Matches]:
    """The matches of the models that are compared, by (model, opponent), sorted. A baseline is each opponent; without
    it the model is the first of the two by name. Pairs of responses of the same model are left out."""
    named = {_named(*models, baseline) for models in compared.models}
    found = {models: Matches() for models in sorted(named) if models[0] != models[1]}
    for verdict in verdicts:
        models = _named(verdict.pair.first_model, verdict.pair.second_model, baseline)
        if models in found:
            _count(verdict, found[models], models[0])
    silent: dict[str, set[str]] = {}
    for model, prompt_id in compared.unanswered:
        silent.setdefault(model, set()).add(prompt_id)
    for models, held in found.items():
        held.unanswered = len(set().union(*(silent.get(name, set()) for name in models)))
    return found


def _named(first: str, second: str, baseline: str | None) -> tuple[str, str]:
    if baseline is not None:
        return (second, first) if first == baseline else (first, second)
    return (first, second) if first <= second else (second, first)


def _count(verdict: Verdict, held: Matches, model: str) -> None:
    if verdict.outcome == "tie":
        held.ties += 1
        held.inconsistent += verdict.inconsistent
    elif verdict.outcome in NO_VERDICT:
        held.failed[verdict.outcome] += 1
    elif (verdict.pair.first_model if verdict.outcome == "first" else verdict.pair.second_model) == model:
        held.wins += 1
    else:
        held.losses += 1


def position(verdicts: Iterable[Verdict]) -> Position:
    """The bias of position over all answers."""
    said: Counter[str] = Counter()
    compared = changed = 0
    for verdict in verdicts:
        said.update(answer.reading.outcome for answer in verdict.answers)
        both = len(verdict.answers) == 2 and verdict.outcome not in NO_VERDICT
        compared, changed = compared + both, changed + verdict.inconsistent
    return Position(said["first"], said["second"], compared, changed)


def outcomes(verdicts: Iterable[Verdict]) -> Mapping[str, int]:
    """The number of pairs of each outcome."""
    return dict(sorted(Counter(verdict.outcome for verdict in verdicts).items()))
