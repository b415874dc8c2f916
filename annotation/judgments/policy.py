"""The policy by which the votes on a pair become a verdict."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How votes become a verdict.

    ``majority``: more votes than the other response has. ``unanimous``: all votes. Both need ``min_votes`` (1 or more;
    None: as many as were asked for). Where a pair has adjudicating votes, they alone decide: one is enough, and a
    majority of them.
    """

    use: Literal["majority", "unanimous"] = "majority"
    min_votes: int | None = None
