"""Recognizes scores that look like ranks, where the lowest value may be the best."""

from collections.abc import Sequence
from dataclasses import dataclass

SHARE = 0.9
"""The share of prompts that must look ranked, among prompts whose answers have different scores. It is below 1 because
a prompt that lacks an answer has a gap in its ranks."""


@dataclass
class Ranks:
    """Counts the prompts whose answers have different scores, and those in which the scores look like ranks."""

    prompts: int = 0
    ranked: int = 0

    def count(self, scores: Sequence[float]) -> None:
        """Counts the scores of one prompt's answers.

        >>> ranks = Ranks()
        >>> for scores in ([2.0, 1.0, 3.0], [1.0, 0.0], [4.0, 2.0], [1.0, 1.0]):
        ...     ranks.count(scores)
        >>> ranks
        Ranks(prompts=3, ranked=2)
        """
        different = sorted(set(scores))
        if len(different) < 2:
            return
        self.prompts += 1
        first = different[0]
        self.ranked += first in (0.0, 1.0) and different == [first + k for k in range(len(different))]

    def add(self, other: "Ranks") -> None:
        self.prompts += other.prompts
        self.ranked += other.ranked

    def are_ranks(self) -> bool:
        """Whether the scores look like ranks: whole numbers from 0 or 1 without a gap, for nearly all prompts."""
        return self.ranked > 0 and self.ranked >= SHARE * self.prompts
