"""The policy that turns the votes on a pair into a verdict."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Decides which response of a pair wins.

    ``majority``: the response with more votes wins. ``unanimous``: a response wins if it has all votes. In an
    evaluation, ``majority`` is the outcome (win, tie, loss) of more than half of the votes and, without one, the
    ``median``: the side of the median point. All need at least ``min_votes`` votes on the pair (1 or more; None: the
    number of votes that the pair was planned to get). If a pair has adjudicating votes, only these count: a majority of
    them decides, and one vote is enough.
    """

    use: Literal["majority", "unanimous", "median"] = "majority"
    min_votes: int | None = None
