"""Prints what a judge found."""

from collections import Counter

import pyarrow.compute as pc

from annotation.evaluation.asking import Progress
from annotation.evaluation.folder import counts
from annotation.evaluation.judging import Judge
from annotation.evaluation.replies import FAILURES
from annotation.evaluation.spending import Prices
from annotation.evaluation.tables import JudgeTables
from annotation.evaluation.winrates import Match, matches, position
from jobs.tables import Row, print_table
from jobs.terminal import say

COLUMNS = ("", "pairs", "wins", "ties", "losses", "no verdict", "win rate (95% interval)", "at least", "at most")


def print_warnings(judge: Judge) -> None:
    """Names, on standard error, settings that let a judge's verdicts mislead."""
    if judge.orders == "first":
        say("gristmill: warning: with one fixed order, the judge's bias of position is in every win rate", err=True)
    if not judge.template.guarded:
        say(
            f"gristmill: warning: template {judge.template.name}: without {{key}} in its delimiters and verdicts, a "
            "response can imitate them",
            err=True,
        )


def print_summary(tables: JudgeTables, baseline: str | None) -> None:
    """Prints a row for each two models that were compared, the bias of position, and what has no verdict."""
    found = matches(tables, baseline)
    print_table(COLUMNS, [Row(_cells(*models, held)) for models, held in found.items()])
    inconsistent, ties = (sum(getattr(held, name) for held in found.values()) for name in ("inconsistent", "ties"))
    if inconsistent:
        say(f"inconsistent: {inconsistent:,} of {ties:,} ties, where the two orders have different verdicts")
    where = position(tables)
    if where.share is not None:
        answers = where.first + where.second
        say(f"position: the response shown first is preferred in {where.share:.1%} of {answers:,} answers without ties")
    _say_failures(tables)


def _cells(model: str, opponent: str, held: Match) -> list[str]:
    numbers = (held.total, held.wins, held.ties, held.losses, sum(held.without.values()))
    rate = held.rate
    shown = "" if rate.value is None else f"{rate.value:.1%} ({rate.low:.1%} to {rate.high:.1%})"
    bounds = ("" if bound is None else f"{bound:.1%}" for bound in (held.bounds.low, held.bounds.high))
    return [f"{model} against {opponent}", *(f"{number:,}" for number in numbers), shown, *bounds]


def _say_failures(tables: JudgeTables) -> None:
    said, total = counts(tables.answers["outcome"]), len(tables.answers)
    for outcome in ("refused", "truncated", "unparsed"):
        if outcome in said:
            say(f"{outcome}: {said[outcome]:,} of {total:,} answers")
    failed = tables.answers.filter(pc.equal(tables.answers["outcome"], "error"))["reason"]
    for reason, count in sorted(Counter(failed.to_pylist()).items()):
        say(f"error: {count:,} of {total:,} requests: {FAILURES[reason]} ({reason})")
    for model, count in counts(tables.unanswered["model"]).items():
        say(f"unanswered: {model} has no response to {count:,} of the prompts")


def print_cost(progress: Progress, prices: Prices) -> None:
    """Prints how many requests were answered, and the tokens and cost of all answers."""
    again = f" ({progress.repeated:,} sent before, without an answer)" if progress.repeated else ""
    cost = f", cost {prices.cost(progress.spent):,.2f} in all" if prices != Prices() else ""
    say(
        f"requests: {progress.answered:,} answered now{again}, {progress.before:,} before; "
        f"{progress.spent.total:,.0f} tokens{cost}"
    )
