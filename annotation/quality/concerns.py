"""Named rules that find annotators who need attention."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from annotation.quality.agreement import Estimate
from annotation.quality.bias import Lean
from annotation.quality.drift import Change
from annotation.quality.pace import Pace
from annotation.quality.stalls import Waiting
from annotation.statistics.shares import Share

Rule = Literal[
    "too_fast",
    "always_one_side",
    "leans",
    "often_wrong",
    "negative_agreement",
    "low_agreement",
    "agreement_drift",
    "side_drift",
    "stopped",
]
Measure = Share | Estimate | Change | Waiting


@dataclass(frozen=True)
class Concern:
    """A rule that an annotator breaks, and what was measured.

    A Share of hasty votes, left choices, or right answers on gold pairs; the Estimate of the agreement with others; the
    Change of agreement or left choices; or how long the annotator has been Waiting.
    """

    annotator: str
    rule: Rule
    measure: Measure


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What the rules judge, by annotator; see the modules of the classes."""

    accuracy: Mapping[str, Share] = field(default_factory=dict)
    paces: Mapping[str, Pace] = field(default_factory=dict)
    leans: Mapping[str, Lean] = field(default_factory=dict)
    agreement: Mapping[str, Estimate] = field(default_factory=dict)
    agreement_changes: Mapping[str, Change] = field(default_factory=dict)
    left_changes: Mapping[str, Change] = field(default_factory=dict)
    waiting: Mapping[str, Waiting] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The thresholds of the rules. Annotators with fewer than ``min_votes`` votes are not judged.

    ``too_fast``: more than ``max_hasty`` of the votes are hasty. ``always_one_side``: one side has at least
    ``max_side`` of the votes. ``leans``: one side has less than ``max_side``, but the test of equal sides gives a p
    below ``min_p``. ``often_wrong``: the upper bound of the 95% interval of the accuracy on gold pairs is below
    ``min_accuracy``; this rule needs only ``min_gold`` votes on gold pairs.

    ``negative_agreement``: the upper bound of the 95% interval of the agreement with others (AC1) is below 0, so the
    annotator prefers the opposite of others. ``low_agreement``: this bound is 0 or more, but below ``min_agreement``.
    Both rules need ``min_votes`` pairs that others voted on, too. ``agreement_drift`` and ``side_drift``: the share of
    pairs on which the annotator agrees with most others, or the share of left choices, differs between the latest batch
    and all earlier batches: Fisher's exact test gives a p below ``min_p``. Each of the two parts needs ``min_votes``.

    ``stopped``: the annotator has open tasks, and since the annotator's last vote others gave at least ``min_votes``
    votes, the newest of them at least ``max_idle_days`` days later. Before the annotator's first vote, the votes and
    days since the campaign's first vote count.
    """

    min_votes: int = 20
    max_hasty: float = 0.1
    max_side: float = 0.9
    min_p: float = 0.001
    min_accuracy: float = 0.7
    min_gold: int = 5
    min_agreement: float = 0.2
    max_idle_days: float = 2.0

    def concerns(self, of: Measures) -> tuple[Concern, ...]:
        """The concerns, sorted by annotator and then in the order of the rules."""
        found = [
            *self._pace(of.paces),
            *self._sides(of.leans),
            *self._gold(of.accuracy),
            *self._agreement(of.agreement),
            *self._drift("agreement_drift", of.agreement_changes),
            *self._drift("side_drift", of.left_changes),
            *self._stopped(of.waiting),
        ]
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

    def _agreement(self, agreement: Mapping[str, Estimate]) -> Iterator[Concern]:
        for name, estimate in agreement.items():
            if estimate.units < self.min_votes or estimate.high is None:
                continue
            if estimate.high < 0:
                yield Concern(name, "negative_agreement", estimate)
            elif estimate.high < self.min_agreement:
                yield Concern(name, "low_agreement", estimate)

    def _drift(
        self, rule: Literal["agreement_drift", "side_drift"], changes: Mapping[str, Change]
    ) -> Iterator[Concern]:
        for name, change in changes.items():
            if min(change.before.total, change.latest.total) >= self.min_votes and change.p < self.min_p:
                yield Concern(name, rule, change)

    def _stopped(self, waiting: Mapping[str, Waiting]) -> Iterator[Concern]:
        for name, wait in waiting.items():
            if wait.others >= self.min_votes and wait.days >= self.max_idle_days:
                yield Concern(name, "stopped", wait)
