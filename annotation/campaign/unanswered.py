"""What a compared model did not answer: named in a campaign that measures models, since a missing answer is no tie."""

from collections.abc import Iterable, Sequence

from annotation.campaign.facts import known_facts
from annotation.campaign.pairing import PairingResult
from annotation.campaign.responses import Problem, Prompt
from annotation.campaign.settings import Pairing
from annotation.journal.bodies import Unanswered


def list_unanswered(prompts: Sequence[Prompt], pairing: Pairing, harmless: bool) -> tuple[Unanswered, ...]:
    """The prompts that a compared model did not answer: without a response of the model, or with an empty one.

    Sorted by model and prompt. ``harmless`` is the campaign's setting.
    """
    models = {response.model for prompt in prompts for response in prompt.responses}
    if pairing.policy == "new_vs_previous":
        models &= {pairing.new, pairing.previous}
    found = []
    for prompt in prompts:
        answered = {response.model for response in prompt.responses if response.text.strip()}
        facts = vars(known_facts(prompt.facts, harmless))
        turns = sum(role == "user" for role, _ in prompt.messages)
        found += [Unanswered(model, prompt.prompt_id, turns, **facts) for model in models - answered]
    return tuple(sorted(found, key=lambda each: (each.model, each.prompt_id)))


def name_unanswered(paired: PairingResult, unanswered: Iterable[Unanswered]) -> None:
    """Notes what was not answered, in place of the empty responses, which are a part of it."""
    del paired.counts["empty"]
    paired.problems = [problem for problem in paired.problems if problem.reason != "empty"]
    for each in unanswered:
        paired.counts["unanswered"] += 1
        paired.problems.append(Problem(f"prompt {each.prompt_id}", "unanswered", f"{each.model} gave no response"))
