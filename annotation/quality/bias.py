"""Measures whether annotators prefer the left or the right side."""

from collections.abc import Mapping
from dataclasses import dataclass

from annotation.judgments.snapshot import Snapshot
from annotation.quality.votes import Votes
from annotation.statistics.distributions import binomial_p
from annotation.statistics.shares import Share


@dataclass(frozen=True)
class Lean:
    """``left``: the share of votes for the response on the left, among votes that prefer one of two responses. ``p``:
    the p-value of the exact two-sided binomial test that both sides are equally likely. Sides are drawn at random, so a
    small p is due to the annotator, not to the responses."""

    left: Share
    p: float


@dataclass(frozen=True)
class Leans:
    """The choice of sides in all votes, by annotator and by batch."""

    overall: Lean
    by_annotator: Mapping[str, Lean]
    by_batch: Mapping[str, Lean]


def leans(snapshot: Snapshot) -> Leans:
    """The share of left choices among all votes, including votes on gold pairs and adjudicating votes."""
    votes = Votes.of(snapshot)
    return Leans(
        _lean(votes),
        {name: _lean(own) for name, own in votes.group_by("annotator")},
        {name: _lean(own) for name, own in votes.group_by("batch")},
    )


def _lean(votes: Votes) -> Lean:
    share = votes.left_share
    return Lean(share, binomial_p(share.count, share.total))
