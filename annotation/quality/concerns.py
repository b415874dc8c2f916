"""Named rules that find annotators who need attention."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from annotation.quality.bias import Lean, Leans
from annotation.quality.pace import Pace
from annotation.quality.shares import Share

Rule = Literal["too_fast", "always_one_side", "leans", "often_wrong"]


@dataclass(frozen=True)
class Concern:
    """A rule that an annotator breaks. ``share``: hasty votes, left choices, or right answers on gold pairs."""

    annotator: str
    rule: Rule
    share: Share


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The thresholds of the rules. Annotators with fewer than ``min_votes`` votes are not judged.

    ``too_fast``: more than ``max_hasty`` of the votes are hasty. ``always_one_side``: one side has at least
    ``max_side`` of the votes. ``leans``: one side has less than ``max_side``, but the test of equal sides gives a p
    below ``min_p``. ``often_wrong``: the upper bound of the 95% interval of the accuracy on gold pairs is below
    ``min_accuracy``; this rule needs only ``min_gold`` votes on gold pairs.
    """

    min_votes: int = 20
    max_hasty: float = 0.1
    max_side: float = 0.9
    min_p: float = 0.001
    min_accuracy: float = 0.7
    min_gold: int = 5

    def concerns(self, accuracy: Mapping[str, Share], paces: Mapping[str, Pace], leans: Leans) -> tuple[Concern, ...]:
        """The concerns, sorted by annotator and then in the order of the rules."""
        found = [*self._pace(paces), *self._sides(leans.by_annotator), *self._gold(accuracy)]
        return tuple(sorted(found, key=lambda concern: (len(concern.annotator), concern.annotator)))

    def _pace(self, paces: Mapping[str, Pace]) -> Iterator[Concern]:
        for name, pace in paces.items():
            if pace.hasty.total >= self.min_votes and pace.hasty.count > self.max_hasty * pace.hasty.total:
                yield Concern(name, "too_fast", pace.hasty)

    def _sides(self, leans: Mapping[str, Lean]) -> Iterator[Concern]:
        for name, lean in leans.items():
            left = lean.left
            if left.total < self.min_votes:
                continue
            if max(left.count, left.total - left.count) >= self.max_side * left.total:
                yield Concern(name, "always_one_side", left)
            elif lean.p < self.min_p:
                yield Concern(name, "leans", left)

    def _gold(self, accuracy: Mapping[str, Share]) -> Iterator[Concern]:
        for name, right in accuracy.items():
            if right.total >= self.min_gold and right.interval and right.interval[1] < self.min_accuracy:
                yield Concern(name, "often_wrong", right)
