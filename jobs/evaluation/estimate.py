"""Prints what a run of the judge would ask and cost."""

from collections import Counter

from annotation.dataset.markdown import count
from annotation.evaluation.asking import Progress
from annotation.evaluation.inquiry import Inquiry
from annotation.evaluation.spending import Budget, Prices, Tokens, prompt_tokens
from jobs.evaluation.wording import say_unanswered
from jobs.terminal import say


def print_estimate(inquiry: Inquiry, progress: Progress, budget: Budget) -> None:
    """Prints requests, tokens and cost, and whether the budget allows them. Tokens of prompts are estimated from their
    length, tokens of answers from the answers in the book."""
    left = progress.total - progress.before
    share = left / progress.total if progress.total else 0.0
    prompts = sum(prompt_tokens(request.body) for request in inquiry.requests) * share
    tokens = Tokens(prompts, left * progress.usual_answer)
    say(f"{describe(inquiry)}, {progress.total:,} requests, {progress.before:,} already answered")
    say(f"to ask: {left:,} requests, about {tokens.prompt:,.0f} tokens in and {tokens.completion:,.0f} out")
    if budget.prices != Prices():
        say(f"cost: about {budget.prices.cost(tokens):,.2f}")
    if not budget.allows(progress.spent + tokens):
        say("the budget does not allow all of this: the run would stop when the budget is used up")
    say_unanswered(Counter(model for model, _ in inquiry.judged.unanswered))
    say("nothing was asked; leave out --dry-run to ask")


def describe(inquiry: Inquiry) -> str:
    """How many pairs are compared, or responses graded."""
    if inquiry.judge.template.single:
        return f"{count(len(inquiry.judged.responses), 'response')} graded"
    return f"{count(len(inquiry.judged.pairs), 'pair')} compared"
