"""Whether the side on which a response stands makes it win."""

from collections.abc import Mapping
from dataclasses import dataclass

from annotation.judgments.snapshot import Snapshot
from annotation.quality.distributions import fair_coin
from annotation.quality.shares import Share
from annotation.quality.votes import Votes


@dataclass(frozen=True)
class Lean:
    """``left``: votes for the response on the left, of all. ``p``: of the exact two-sided binomial test that either
    side is chosen as often; sides are drawn evenly, so a small p speaks of the annotator, not of the responses."""

    left: Share
    p: float


@dataclass(frozen=True)
class Leans:
    overall: Lean
    by_annotator: Mapping[str, Lean]
    by_batch: Mapping[str, Lean]


def leans(snapshot: Snapshot) -> Leans:
    """The share of left choices among all votes, including gold pairs and adjudication."""
    votes = Votes.of(snapshot)
    return Leans(
        _lean(votes),
        {name: _lean(own) for name, own in votes.group_by("annotator")},
        {name: _lean(own) for name, own in votes.group_by("batch")},
    )


def _lean(votes: Votes) -> Lean:
    left = int(votes.left.sum())
    return Lean(Share(left, len(votes)), fair_coin(left, len(votes)))
