"""Prints what a judge found."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from annotation.evaluation.asking import Progress
from annotation.evaluation.judging import Judge, Verdict
from annotation.evaluation.pairs import Pairs
from annotation.evaluation.replies import FAILURES, Failure
from annotation.evaluation.spending import Prices
from annotation.evaluation.winrates import Matches, matches, position
from jobs.tables import Row, print_table
from jobs.terminal import say

COLUMNS = ("", "pairs", "wins", "ties", "losses", "no verdict", "win rate", "at least", "at most")


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


def print_summary(
    output: Path, verdicts: Sequence[Verdict], judged: Pairs, progress: Progress, baseline: str | None, prices: Prices
) -> None:
    """Prints a row for each two models that were compared, the bias of position, failures and cost."""
    found = matches(verdicts, judged, baseline)
    print_table(COLUMNS, [Row(_cells(*models, held)) for models, held in found.items()])
    _say_ties(found)
    _say_position(verdicts)
    _say_failures(verdicts, judged)
    _say_cost(progress, prices)
    say(f"{output}: the verdicts on {len(judged.pairs):,} pairs")


def _cells(model: str, opponent: str, held: Matches) -> list[str]:
    numbers = (held.total, held.wins, held.ties, held.losses, held.without)
    rates = (held.rate, *(held.bounds or (None, None)))
    return [
        f"{model} against {opponent}",
        *(f"{number:,}" for number in numbers),
        *("" if rate is None else f"{rate:.1%}" for rate in rates),
    ]


def _say_ties(found: dict[tuple[str, str], Matches]) -> None:
    ties, inconsistent = sum(held.ties for held in found.values()), sum(held.inconsistent for held in found.values())
    if inconsistent:
        say(f"inconsistent: {inconsistent:,} of {ties:,} ties, where the two orders have different verdicts")


def _say_position(verdicts: Sequence[Verdict]) -> None:
    found = position(verdicts)
    if found.share is not None:
        answers = found.first + found.second
        say(f"position: the response shown first is preferred in {found.share:.1%} of {answers:,} answers without ties")


def _say_failures(verdicts: Sequence[Verdict], judged: Pairs) -> None:
    answers = [answer for verdict in verdicts for answer in verdict.answers]
    for outcome, count in sorted(Counter(answer.outcome for answer in answers).items()):
        if outcome in ("unparsed", "refused", "truncated"):
            say(f"{outcome}: {count:,} of {len(answers):,} answers")
    failed = Counter(answer.reply.reason for answer in answers if isinstance(answer.reply, Failure))
    for reason, count in sorted(failed.items()):
        say(f"error: {count:,} of {len(answers):,} requests: {FAILURES[reason]} ({reason})")
    silent = Counter(model for model, _ in judged.unanswered)
    for model, count in sorted(silent.items()):
        say(f"unanswered: {model} has no response to {count:,} of the prompts")


def _say_cost(progress: Progress, prices: Prices) -> None:
    again = f" ({progress.repeated:,} sent before, without an answer)" if progress.repeated else ""
    cost = f", cost {prices.cost(progress.spent):,.2f} in all" if prices != Prices() else ""
    say(
        f"requests: {progress.answered:,} answered now{again}, {progress.before:,} before; "
        f"{progress.spent.total:,.0f} tokens{cost}"
    )
