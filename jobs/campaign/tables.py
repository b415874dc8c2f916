"""Prints a campaign's progress, agreement, concerns and verdicts."""

import shlex
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from textwrap import shorten

import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.moves import find_disputed
from annotation.dataset import markdown
from annotation.evaluation.decisions import Question
from annotation.judgments.resolve import FAILURES, Resolution, resolve
from annotation.judgments.snapshot import Snapshot
from annotation.protocols import PROTOCOLS
from annotation.protocols.scale import Scale
from annotation.quality import Agreement
from annotation.quality.bias import Lean
from annotation.statistics.anytime import FALSE_DECISIONS
from annotation.statistics.shares import Share
from jobs.campaign.attention import Item, Refused, earlier_version, p_value
from jobs.campaign.overview import Annotator, Batch, Overview, Remark
from jobs.campaign.wordings import print_wordings
from jobs.tables import Row, print_table
from jobs.terminal import say
from schemas.visible import visible

LEAST_WIDTH = 130
"""The least width of each table, in characters, so that no table is cut on a narrow terminal."""
SHOWN_REFUSED = SHOWN_REPORTS = 5
COMMENT_WIDTH = 80
"""Most characters of a comment in a list."""

REASONS = {
    "too_few_votes": "too few votes so far",
    "tied": "equal votes for both responses",
    "no_majority": "not unanimous",
    "unsafe_chosen": "chose an unsafe response over a safe one",
}
OBSTACLES = {
    "even": "so far too even to say how many votes",
    "raters": "so far annotators differ so much that only more of them can decide",
    "no votes": "no votes yet",
}


def reason(name: str, scale: Scale) -> str:
    """Why a pair or response has no verdict, in words."""
    return "as many votes for a violation as against it" if name == "tied" and not scale.compares else REASONS[name]


def print_status(of: Overview) -> None:
    """Prints progress, agreement, and what needs attention."""
    snapshot = of.snapshot
    gold = f" and {markdown.count(of.gold_pairs, 'gold pair')}" if of.gold_pairs else ""
    batches = markdown.count(len(of.batches), "batch", "batches")
    asked = f"{markdown.count(of.pairs, of.scale.unit)}{gold}"
    say(
        f"{snapshot.name}: {snapshot.protocol} {snapshot.protocol_version}, {asked} "
        f"in {batches}; {of.tasks['done']:,} of {markdown.count(of.due, 'task')} done"
    )
    print()
    _print_annotators(of)
    if len(of.batches) > 1:
        print()
        _print_batches(of)
    if of.agreements:
        print()
        _print_agreements(of)
        if of.scale.compares:
            print()
            say(f"Left side chosen: {_lean(of.assessment.leans.overall)}.")
    if of.decisions:
        print()
        _print_decisions(of.decisions)
    _print_attention(of)
    if of.comments:
        command = f"gristmill campaign status {shlex.quote(of.folder)} --csv comments"
        say(f"Annotators wrote {markdown.count(len(of.comments), 'comment')}: {command}")
    print_wordings(of.wordings)
    if snapshot.before_provenance:
        say(earlier_version(snapshot.before_provenance))


def _print_decisions(found: Sequence[Question]) -> None:
    rows = [Row((f"{each.model_a} against {each.model_b}", f"{each.votes:,}", _decision(each))) for each in found]
    print_table(("which model people prefer", "votes", "preferred"), rows)
    say(f"However often you look, at most {FALSE_DECISIONS:.0%} of these decisions are false.")


def _decision(question: Question) -> str:
    if question.verdict != "open":
        return f"{question.model_a if question.verdict == 'above' else question.model_b}, decided"
    if question.obstacle is not None:
        return f"open: {OBSTACLES[question.obstacle]}"
    return f"open: about {question.more_votes:,} more votes"


def print_resolution(snapshot: Snapshot, folder: Path) -> None:
    """Prints the number of pairs with a verdict by degree, and of pairs without a verdict by reason. ``folder`` is the
    campaign's, which the next command names."""
    resolution, scale = resolve(snapshot), PROTOCOLS[snapshot.protocol].scale
    resolved, unresolved = len(resolution.resolved), len(resolution.unresolved)
    total = resolved + unresolved
    degrees = Counter(resolution.resolved["degree"].to_pylist())
    reasons = Counter(resolution.unresolved["reason"].to_pylist())
    chosen = Counter(resolution.resolved["chosen"].to_pylist())
    lead = "" if scale.compares else "median: "
    outcomes = {} if scale.compares else {name: chosen[name] for name in scale.outcomes}
    rows = [
        _share_row("resolved", resolved, total, "bold"),
        *(_share_row(f"  {name.replace('_', ' ')}", outcomes[name], total) for name in outcomes),
        *(_share_row(f"  {lead}{name.replace('_', ' ')}", degrees[name], total) for name in scale.degrees),
        _share_row("unresolved", unresolved, total, "bold"),
        *(_share_row(f"  {reason(name, scale)} ({name})", reasons[name], total) for name in FAILURES if reasons[name]),
    ]
    least = snapshot.policy.min_votes
    asked = "all votes asked for" if least is None else f"{markdown.count(least, 'vote')} or more"
    say(f"{snapshot.name}: {snapshot.policy.use} of {asked}")
    print()
    print_table(("", f"{scale.unit}s", "share"), rows, least_width=LEAST_WIDTH)
    lines = _adjudication(snapshot, resolution, folder)
    if not PROTOCOLS[snapshot.protocol].trains:
        lines.append(f"Results of the models: gristmill evaluation results {folder}")
    if lines:
        print()
        for line in lines:
            say(line)


def _adjudication(snapshot: Snapshot, resolution: Resolution, folder: Path) -> list[str]:
    """Lines on the pairs that adjudicators decided, have open, and should get."""
    lines, unit = [], PROTOCOLS[snapshot.protocol].scale.unit
    decided = sum(sum(rows["adjudicated"].to_pylist()) for rows in (resolution.resolved, resolution.unresolved))
    if decided:
        lines.append(f"Decided by adjudication: {markdown.count(decided, unit)}.")
    asked = _only(_only(snapshot.assignments, "round", "adjudication"), "state", "open")
    given = set(asked["pair_id"].to_pylist())
    wanted = set(find_disputed(resolution.unresolved))
    if wanted & given:
        lines.append(f"Open with adjudicators: {markdown.count(len(wanted & given), unit)}.")
    if wanted - given:
        pairs = markdown.count(len(wanted - given), unit)
        lines.append(f"For adjudication: {pairs}. Next: gristmill campaign adjudicate {folder}")
    return lines


def _only(rows: pa.Table, column: str, value: str) -> pa.Table:
    return rows.filter(pc.equal(rows[column], value))


def _print_annotators(of: Overview) -> None:
    rows = []
    for each in of.annotators:
        counts = [f"{getattr(each, state):,}" for state in of.shown_states]
        agreement = _interval(each.agreement, each.agreement_low, each.agreement_high)
        compared = (_side(each), _gold(each)) if of.scale.compares else ()
        rows.append(Row((_who(each), *counts, agreement, _pace(each), *compared)))
    columns = ["annotator", *of.shown_states, "agreement (AC1)", f"seconds a {of.scale.unit}"]
    columns += ["left side", "gold right"] if of.scale.compares else []
    print_table(columns, rows, least_width=LEAST_WIDTH)


def _print_batches(of: Overview) -> None:
    rows = []
    for each in of.batches:
        side = (_side(each),) if of.scale.compares else ()
        rows.append(Row((each.batch, *(f"{getattr(each, state):,}" for state in of.shown_states), *side)))
    columns = ("batch", *of.shown_states, *(("left side",) if of.scale.compares else ()))
    print_table(columns, rows, least_width=LEAST_WIDTH)


def _print_agreements(of: Overview) -> None:
    outcome = "preferred" if of.scale.compares else "violation"
    columns = ["agreement", f"{of.scale.unit}s", f"{outcome} (AC1)", "vote (AC2, ordinal)", "alpha (ordinal)"]
    columns += ["safety (AC1)"] if of.measures_safety else []
    rows = []
    for group, named in groupby(of.agreements, lambda row: row[0]):
        if group != "all":
            rows.append(Row((f"by {group}",)))
        for _, name, agreement in named:
            shown = "all" if group == "all" else f"  {name.replace('_', ' ') if group == 'degree' else name}"
            cells = _cells(agreement, of.measures_safety)
            rows.append(Row((shown, *cells), "bold" if group == "all" else ""))
    print_table(columns, rows, least_width=LEAST_WIDTH)


def _cells(agreement: Agreement, safety: bool) -> Sequence[str]:
    estimates = [agreement.preferred, agreement.vote, agreement.alpha, *([agreement.safety] if safety else [])]
    return [f"{agreement.preferred.units:,}", *(_interval(each.value, each.low, each.high) for each in estimates)]


def _print_attention(of: Overview) -> None:
    print()
    listed, refused = of.attention, of.quarantine
    print("Needs attention:" if listed or refused or of.reports else "Nothing needs attention.")
    for number, item in enumerate(listed, 1):
        place = f"{item.batch} {_who(item)}".strip()
        where = f"{place}: " if place else ""
        say(f"- {where}{item.message}" + (f" ({item.link})" if item.link else ""))
        if item.help and item.help not in [following.help for following in listed[number : number + 1]]:
            say(f"    {item.help}")
    _print_reports(of)
    if refused:
        say(f"- {markdown.count(len(refused), 'annotation')} in quarantine, not counted:")
    for each in refused[:SHOWN_REFUSED]:
        person = _who(each) or "an unknown account"
        link = f", {each.link}" if each.link else ""
        say(f"    {each.annotation}, {each.reason}: {each.message} ({person}{link})")
    if len(refused) > SHOWN_REFUSED:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in of.assessment.progress.refused.items())
        say(f"    ... and {len(refused) - SHOWN_REFUSED:,} more; in all {counts}")


def _print_reports(of: Overview) -> None:
    """The problems that annotators reported: how many of each kind, and the first reports."""
    total = len(of.reports)
    if not total:
        return
    kinds = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in of.problems.items())
    say(f"- {markdown.count(total, 'problem')} reported by annotators: {kinds}")
    for each in of.reports[:SHOWN_REPORTS]:
        skipped = ", skipped" if each.skipped else ""
        comment = f": {shorten(visible(each.comment), COMMENT_WIDTH, placeholder=' ...')}" if each.comment else ""
        where = f"{_who(each)}, {each.link}" if each.link else _who(each)
        say(f"    {each.batch} {each.pair_id}, {(each.reason or '').replace('_', ' ')}{skipped}{comment} ({where})")
    if total > SHOWN_REPORTS:
        say(f"    ... and {total - SHOWN_REPORTS:,} more")


def _who(of: Annotator | Remark | Item | Refused) -> str:
    """The person's pseudonym and email address; either may be empty."""
    return visible(f"{of.annotator} {of.email}".strip())


def _lean(lean: Lean) -> str:
    low, high = lean.left.interval or (0.0, 1.0)
    votes = markdown.count(lean.left.total, "vote")
    return f"{_percent(lean.left)} of {votes} ({low:.1%} to {high:.1%}; exact binomial test, {p_value(lean.p)})"


def _side(of: Annotator | Batch) -> str:
    return f"{_percent(Share(of.left, of.votes))} ({p_value(of.left_p)})" if of.votes else "-"


def _pace(of: Annotator) -> str:
    if of.seconds_median is None:
        return "-"
    return f"{of.seconds_median:,.0f} ({of.seconds_low:,.0f} to {of.seconds_high:,.0f})"


def _gold(of: Annotator) -> str:
    return f"{of.gold_right:,} of {of.gold_votes:,}" if of.gold_votes else "-"


def _percent(share: Share) -> str:
    return "-" if share.value is None else f"{share.value:.1%}"


def _interval(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" + ("" if low is None else f" ({low:.2f} to {high:.2f})")


def _share_row(name: str, count: int, total: int, style: str = "") -> Row:
    return Row((name, f"{count:,}", f"{count / total:.1%}" if total else "-"), style)
