"""Counts what a batch leaves out of its files, by reason."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from annotation.campaign.responses import GoldPair, Problem

DROPPED = {
    "unusable_row": "unusable rows of responses",
    "single": "prompts without two responses to compare",
    "unanswered": "responses that are missing, as a model did not answer the prompt",
    "empty": "empty responses",
    "names_its_model": 'responses that name their own model (pairs.self_naming is "drop")',
    "repeated_response": "responses that repeat a response of the same model to the same prompt",
    "identical": "pairs of identical responses",
    "repeated": "pairs with the same content as a pair of another prompt_id",
    "prompt_not_drawn": "prompts not drawn (pairs.prompts)",
    "not_drawn": "pairs not drawn (pairs.per_prompt)",
    "in_an_earlier_batch": "pairs of an earlier batch",
    "unusable_gold": "unusable rows of gold pairs",
    "repeated_gold": "rows that repeat a gold pair",
    "gold_changed": "gold pairs with another answer than in an earlier batch",
    "gold_not_drawn": "gold pairs not drawn (gold.share)",
    "gold_missing": "tasks with gold pairs that gold.share asks for, beyond the usable gold pairs",
}
"""What is left out, by reason, in the order in which it is printed."""


def count_drops(
    paired: Mapping[str, int], unusable: int, gold: Sequence[GoldPair], gold_problems: Iterable[Problem]
) -> Counter[str]:
    """What a batch leaves out, by reason of DROPPED.

    ``paired`` are the counts of a PairingResult, ``unusable`` the number of rows of responses that were skipped,
    ``gold_problems`` the problems of the gold file.
    """
    found = Counter({reason: paired[reason] for reason in DROPPED.keys() & paired.keys()})
    found["unusable_row"] = unusable
    found["repeated_gold"] = sum(pair.repeated for pair in gold)
    for problem in gold_problems:
        found["gold_changed" if problem.reason == "gold_changed" else "unusable_gold"] += 1
    return found
