"""How often a judge is right where the better response is known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from annotation.evaluation.judging import Verdict


@dataclass(frozen=True)
class Accuracy:
    """Pairs in numbers, as LLMBar counts them (Zeng et al. 2023, Evaluating Large Language Models at Evaluating
    Instruction Following): right when the pair is shown as given, when it is swapped, and both times; ``equal`` have
    the same outcome in both orders, also where the outcome is no verdict."""

    pairs: int
    given: int
    swapped: int
    both: int
    equal: int


def accuracy(verdicts: Iterable[Verdict], better: Mapping[str, str]) -> Accuracy:
    """The accuracy over the pairs in ``better``, by pair_id ``first`` or ``second``. Both orders must be asked."""
    pairs = given = swapped = both = equal = 0
    for verdict in verdicts:
        right = better.get(verdict.pair.pair_id)
        if right is not None:
            said = {answer.question.swapped: answer.outcome for answer in verdict.answers}
            pairs, given, swapped = pairs + 1, given + (said[False] == right), swapped + (said[True] == right)
            both, equal = both + (said[False] == said[True] == right), equal + (said[False] == said[True])
    return Accuracy(pairs, given, swapped, both, equal)
