"""Prints what a judge found."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from annotation.dataset import markdown
from annotation.evaluation.agreement import Agreement, agreement, by_category
from annotation.evaluation.asking import Asked
from annotation.evaluation.backend import Endpoint
from annotation.evaluation.folder import counts
from annotation.evaluation.inquiry import Inquiry
from annotation.evaluation.replies import FAILURES, Reply
from annotation.evaluation.spending import Prices
from annotation.evaluation.tables import JudgeTables
from annotation.evaluation.templates import VerdictForm
from annotation.evaluation.winrates import Match, Mean, longer, matches, means, position
from annotation.judgments.snapshot import Snapshot
from annotation.quality.agreement import Estimate
from jobs.evaluation.wording import say_unanswered
from jobs.tables import Row, print_table
from jobs.terminal import say

COLUMNS = ("", "wins", "ties", "losses", "no verdict", "win rate (95%)", "bounds")

GRADE_COLUMNS = ("", "graded", "no grade", "mean grade (95%)", "bounds")


def print_warnings(inquiry: Inquiry) -> None:
    """Names, on standard error, what lets a judge's verdicts mislead."""
    judge = inquiry.judge
    if judge.model in {response.model for response in inquiry.judged.responses}:
        say(f"gristmill: warning: {judge.model} judges its own responses, which judges tend to prefer", err=True)
    if judge.orders == "first" and not judge.template.single:
        say("gristmill: warning: with one fixed order, the judge's bias of position is in every win rate", err=True)
    if not judge.template.guarded:
        say(
            f"gristmill: warning: template {judge.template.name}: without {{key}} in its delimiters and verdicts, a "
            "response can imitate them",
            err=True,
        )


def print_summary(tables: JudgeTables, baseline: str | None, form: VerdictForm | None = None) -> None:
    """Prints a row for each model that was graded and for each two that were compared, the bias of position, and what
    has no verdict. ``form``: that of the judge's template; None for verdicts of others."""
    if tables.grades is not None and form is not None:
        graded = means(tables, form.lowest, form.highest)
        print_table(GRADE_COLUMNS, [Row(_grade_cells(name, held)) for name, held in graded.items()])
    found = matches(tables, baseline)
    if found:
        print_table(COLUMNS, [Row(_cells(*models, held)) for models, held in found.items()])
    inconsistent, ties = (sum(getattr(held, name) for held in found.values()) for name in ("inconsistent", "ties"))
    if inconsistent:
        say(f"inconsistent: {inconsistent:,} of {ties:,} ties, where the two orders have different verdicts")
    if tables.answers is not None:
        _say_position(tables.answers)
    _say_lengths(tables)
    _say_failures(tables, imported=form is None)


def _cells(model: str, opponent: str, held: Match) -> list[str]:
    numbers = (held.wins, held.ties, held.losses, sum(held.without.values()))
    rate = held.rate
    shown = "" if rate.value is None else f"{rate.value:.1%} ({rate.low:.1%} to {rate.high:.1%})"
    bounds = "" if held.bounds.low is None else f"{held.bounds.low:.1%} to {held.bounds.high:.1%}"
    return [f"{model} against {opponent}", *(f"{number:,}" for number in numbers), shown, bounds]


def _grade_cells(model: str, held: Mean) -> list[str]:
    rate = held.rate
    shown = "" if rate.value is None else f"{rate.value:.2f} ({rate.low:.2f} to {rate.high:.2f})"
    bounds = f"{held.low:.2f} to {held.high:.2f}"
    return [model, f"{rate.votes:,}", f"{sum(held.without.values()):,}", shown, bounds]


def _say_position(answers: pa.Table) -> None:
    found, unknown = position(answers), answers["swapped"].null_count
    if found.share is not None:
        counted = found.first + found.second
        say(f"position: the response shown first is preferred in {found.share:.1%} of {counted:,} answers without ties")
    if unknown:
        judgments = markdown.count(unknown, "judgment")
        say(f"position: unknown for {judgments}, as the form does not say which response was shown first")


def _say_lengths(tables: JudgeTables) -> None:
    share = longer(tables.verdicts)
    if share.value is not None:
        say(f"length: the longer response is preferred in {share.value:.1%} of {share.total:,} verdicts without ties")


def _say_failures(tables: JudgeTables, *, imported: bool) -> None:
    said, total = counts(tables.said["outcome"]), len(tables.said)
    for outcome in ("refused", "truncated", "unparsed"):
        if outcome in said:
            again = "" if imported else f"; to ask these again: --again {outcome}, with another --output"
            say(f"{outcome}: {said[outcome]:,} of {total:,} answers{again}")
    failed = tables.said.filter(pc.equal(tables.said["outcome"], "error"))["reason"]
    for reason, count in sorted(Counter(failed.to_pylist()).items()):
        say(f"error: {count:,} of {total:,} requests: {FAILURES[reason]} ({reason})")
    if len(failed):
        say("  to ask failed requests again, repeat the command with another --output")
    say_unanswered(counts(tables.unanswered["model"]))


def print_agreement(tables: JudgeTables, campaign: Snapshot) -> None:
    """Prints how far the judge agrees with people, in all and by category, if people voted on the same pairs."""
    found = agreement(tables.verdicts, campaign)
    if not found.votes:
        return
    say(f"agreement with people: {_agreement(found)}")
    for share, what in ((found.majority, "pairs"), (found.decided, "pairs where both prefer a response")):
        if share.total:
            say(f"  as most votes: {share.count:,} of {share.total:,} {what}")
    for name, each in by_category(tables.verdicts, campaign).items():
        if each.votes:
            say(f"  {name}: {_agreement(each)}")


def _agreement(found: Agreement) -> str:
    known = [f"{name} {_coefficient(each)}" for name, each in (("AC1", found.ac1), ("kappa", found.kappa))]
    return f"{', '.join(known)}, over {found.pairs:,} pairs and {found.votes:,} votes"


def _coefficient(found: Estimate) -> str:
    if found.value is None:
        return "not defined"
    return f"{found.value:.2f}" + ("" if found.low is None else f" ({found.low:.2f} to {found.high:.2f})")


def print_cost(asked: Asked, endpoint: Endpoint, prices: Prices) -> None:
    """Prints how many requests were answered, and the tokens and cost of all answers."""
    progress = asked.progress
    again = f" ({progress.repeated:,} sent before, without an answer)" if progress.repeated else ""
    cost = f", cost {prices.cost(progress.spent):,.2f} in all" if prices != Prices() else ""
    say(
        f"requests: {progress.answered:,} answered now{again}, {progress.before:,} before; "
        f"{progress.spent.total:,.0f} tokens{cost}"
    )
    elsewhere = Counter(reply.endpoint for reply in asked.found.values() if isinstance(reply, Reply))
    del elsewhere[endpoint.shown]
    for address, count in sorted(elsewhere.items()):
        say(f"  {count:,} of these answers are from {address}")
