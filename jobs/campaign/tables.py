"""Prints a campaign's progress, agreement, concerns and verdicts."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten

import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.moves import find_disputed
from annotation.dataset import markdown
from annotation.judgments.resolve import FAILURES, Resolution, resolve
from annotation.judgments.snapshot import Snapshot
from annotation.quality import Agreement, Assessment, assess
from annotation.quality.agreement import Estimate
from annotation.quality.bias import Lean
from annotation.quality.pace import Pace
from annotation.quality.progress import STATES
from annotation.quality.reports import count_problems, reports
from annotation.statistics.shares import Share
from jobs.campaign.attention import earlier_version, items, p_value, quarantine
from jobs.campaign.wordings import print_wordings
from jobs.tables import Row, print_table
from jobs.terminal import say
from schemas import DEGREES
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


def print_status(snapshot: Snapshot, emails: Mapping[str, str], folder: Path | str = "DIR") -> None:
    """Prints progress, agreement, and what needs attention. ``emails`` gives the address of each pseudonym, and
    ``folder`` stands in the commands that help."""
    found = assess(snapshot)
    states: Counter[str] = Counter()
    for counts in found.progress.by_batch.values():
        states.update(counts)
    gold = int(snapshot.pairs["gold"].is_valid().to_numpy().sum())
    batches = len(found.progress.by_batch)
    pairs, tasks = markdown.count(len(snapshot.pairs) - gold, "pair"), markdown.count(_due(states), "task")
    pairs += f" and {markdown.count(gold, 'gold pair')}" if gold else ""
    say(
        f"{snapshot.name}: {snapshot.protocol} {snapshot.protocol_version}, {pairs} in "
        f"{markdown.count(batches, 'batch', 'batches')}; {states['done']:,} of {tasks} done"
    )
    print()
    _print_annotators(found, emails)
    if batches > 1:
        print()
        _print_batches(found)
    if found.agreements.overall.votes:
        print()
        _print_agreements(found)
        print()
        say(f"Left side chosen: {_lean(found.leans.overall)}.")
    _print_attention(snapshot, found, emails, str(folder))
    comments = snapshot.reports["comment"].drop_null()
    if len(comments):
        command = f"gristmill campaign status {shlex.quote(str(folder))} --csv comments"
        say(f"Annotators wrote {markdown.count(len(comments), 'comment')}: {command}")
    print_wordings(snapshot)
    if snapshot.before_provenance:
        say(earlier_version(snapshot.before_provenance))


def print_resolution(snapshot: Snapshot, folder: Path) -> None:
    """Prints the number of pairs with a verdict by degree, and of pairs without a verdict by reason. ``folder`` is the
    campaign's, which the next command names."""
    resolution = resolve(snapshot)
    resolved, unresolved = len(resolution.resolved), len(resolution.unresolved)
    total = resolved + unresolved
    degrees = Counter(resolution.resolved["degree"].to_pylist())
    reasons = Counter(resolution.unresolved["reason"].to_pylist())
    rows = [
        _share_row("resolved", resolved, total, "bold"),
        *(_share_row(f"  {name.replace('_', ' ')}", degrees[name], total) for name in DEGREES),
        _share_row("unresolved", unresolved, total, "bold"),
        *(_share_row(f"  {REASONS[name]} ({name})", reasons[name], total) for name in FAILURES if reasons[name]),
    ]
    least = snapshot.policy.min_votes
    asked = "all votes asked for" if least is None else f"{markdown.count(least, 'vote')} or more"
    say(f"{snapshot.name}: {snapshot.policy.use} of {asked}")
    print()
    print_table(("", "pairs", "share"), rows, least_width=LEAST_WIDTH)
    lines = _adjudication(snapshot, resolution, folder)
    if lines:
        print()
        for line in lines:
            say(line)


def _adjudication(snapshot: Snapshot, resolution: Resolution, folder: Path) -> list[str]:
    """Lines on the pairs that adjudicators decided, have open, and should get."""
    lines = []
    decided = sum(sum(rows["adjudicated"].to_pylist()) for rows in (resolution.resolved, resolution.unresolved))
    if decided:
        lines.append(f"Decided by adjudication: {markdown.count(decided, 'pair')}.")
    asked = _only(_only(snapshot.assignments, "round", "adjudication"), "state", "open")
    given = set(asked["pair_id"].to_pylist())
    wanted = set(find_disputed(resolution.unresolved))
    if wanted & given:
        lines.append(f"Open with adjudicators: {markdown.count(len(wanted & given), 'pair')}.")
    if wanted - given:
        pairs = markdown.count(len(wanted - given), "pair")
        lines.append(f"For adjudication: {pairs}. Next: gristmill campaign adjudicate {folder}")
    return lines


def _only(rows: pa.Table, column: str, value: str) -> pa.Table:
    return rows.filter(pc.equal(rows[column], value))


def _print_annotators(found: Assessment, emails: Mapping[str, str]) -> None:
    shown = [state for state in STATES if state in ("done", "open") or _any(found.progress.by_annotator, state)]
    rows = []
    for name in sorted(found.progress.by_annotator, key=lambda name: (len(name), name)):
        counts = found.progress.by_annotator[name]
        lean = found.leans.by_annotator.get(name)
        done = [f"{counts[state]:,}" for state in shown]
        peer = found.peers.get(name)
        agreement = _estimate(peer.agreement) if peer else "-"
        measured = (agreement, _pace(found.paces.get(name)), _side(lean), _of(found.accuracy.get(name)))
        rows.append(Row((_person(name, emails), *done, *measured)))
    columns = ("annotator", *shown, "agreement (AC1)", "seconds a pair", "left side", "gold right")
    print_table(columns, rows, least_width=LEAST_WIDTH)


def _print_batches(found: Assessment) -> None:
    shown = [state for state in STATES if state in ("done", "open") or _any(found.progress.by_batch, state)]
    rows = [
        Row((name, *(f"{counts[state]:,}" for state in shown), _side(found.leans.by_batch.get(name))))
        for name, counts in found.progress.by_batch.items()
    ]
    print_table(("batch", *shown, "left side"), rows, least_width=LEAST_WIDTH)


def _print_agreements(found: Assessment) -> None:
    groups: list[tuple[str, Mapping[str, Agreement]]] = [
        ("by degree", found.agreements.by_degree),
        ("by batch", found.agreements.by_batch if len(found.agreements.by_batch) > 1 else {}),
        ("by models", found.agreements.by_models if len(found.agreements.by_models) > 1 else {}),
    ]
    safety = found.agreements.overall.safety.value is not None
    columns = ["agreement", "pairs", "preferred (AC1)", "vote (AC2, ordinal)", "alpha (ordinal)"]
    columns += ["safety (AC1)"] if safety else []
    rows = [Row(("all", *_cells(found.agreements.overall, safety)), "bold")]
    for title, group in groups:
        rows += [Row((title,))] if group else []
        for name, agreement in group.items():
            shown = name.replace("_", " ") if name in DEGREES else name
            rows.append(Row((f"  {shown}", *_cells(agreement, safety))))
    print_table(columns, rows, least_width=LEAST_WIDTH)


def _cells(agreement: Agreement, safety: bool) -> Sequence[str]:
    estimates = [agreement.preferred, agreement.vote, agreement.alpha, *([agreement.safety] if safety else [])]
    return [f"{agreement.pairs:,}", *(_estimate(each) for each in estimates)]


def _print_attention(snapshot: Snapshot, found: Assessment, emails: Mapping[str, str], folder: str) -> None:
    print()
    listed, refused = items(snapshot, found, emails, folder), quarantine(snapshot, emails)
    problems = count_problems(snapshot)
    print("Needs attention:" if listed or refused or problems else "Nothing needs attention.")
    for number, item in enumerate(listed, 1):
        place = f"{item.batch} {_who(item.annotator, item.email)}".strip()
        where = f"{place}: " if place else ""
        say(f"- {where}{item.message}" + (f" ({item.link})" if item.link else ""))
        if item.help and item.help not in [following.help for following in listed[number : number + 1]]:
            say(f"    {item.help}")
    _print_reports(snapshot, problems, emails)
    if refused:
        say(f"- {markdown.count(len(refused), 'annotation')} in quarantine, not counted:")
    for each in refused[:SHOWN_REFUSED]:
        person = _who(each.annotator, each.email) or "an unknown account"
        link = f", {each.link}" if each.link else ""
        say(f"    {each.annotation}, {each.reason}: {each.message} ({person}{link})")
    if len(refused) > SHOWN_REFUSED:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in found.progress.refused.items())
        say(f"    ... and {len(refused) - SHOWN_REFUSED:,} more; in all {counts}")


def _print_reports(snapshot: Snapshot, problems: Mapping[str, int], emails: Mapping[str, str]) -> None:
    """The problems that annotators reported: how many of each kind, and the first ones."""
    total = sum(problems.values())
    if not total:
        return
    kinds = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in problems.items())
    say(f"- {markdown.count(total, 'problem')} reported by annotators: {kinds}")
    rows = reports(snapshot)
    for row in rows.filter(pc.is_valid(rows["reason"])).slice(0, SHOWN_REPORTS).to_pylist():
        skipped = ", skipped" if row["skipped"] else ""
        comment = f": {shorten(visible(row['comment']), COMMENT_WIDTH, placeholder=' ...')}" if row["comment"] else ""
        where = (
            f"{_person(row['annotator'], emails)}, {row['link']}" if row["link"] else _person(row["annotator"], emails)
        )
        say(f"    {row['batch']} {row['pair_id']}, {row['reason'].replace('_', ' ')}{skipped}{comment} ({where})")
    if total > SHOWN_REPORTS:
        say(f"    ... and {total - SHOWN_REPORTS:,} more")


def _person(name: str, emails: Mapping[str, str]) -> str:
    return _who(name, emails.get(name, ""))


def _who(name: str, email: str) -> str:
    return visible(f"{name} {email}".strip())


def _lean(lean: Lean) -> str:
    low, high = lean.left.interval or (0.0, 1.0)
    votes = markdown.count(lean.left.total, "vote")
    return f"{_percent(lean.left)} of {votes} ({low:.1%} to {high:.1%}; exact binomial test, {p_value(lean.p)})"


def _side(lean: Lean | None) -> str:
    return "-" if lean is None else f"{_percent(lean.left)} ({p_value(lean.p)})"


def _pace(pace: Pace | None) -> str:
    if pace is None or pace.quartiles is None:
        return "-"
    low, middle, high = pace.quartiles
    return f"{middle:,.0f} ({low:,.0f} to {high:,.0f})"


def _percent(share: Share | None) -> str:
    return "-" if share is None or share.value is None else f"{share.value:.1%}"


def _of(share: Share | None) -> str:
    return "-" if share is None else f"{share.count:,} of {share.total:,}"


def _estimate(estimate: Estimate) -> str:
    if estimate.value is None:
        return "-"
    return f"{estimate.value:.2f}" + ("" if estimate.low is None else f" ({estimate.low:.2f} to {estimate.high:.2f})")


def _any(counted: Mapping[str, Mapping[str, int]], state: str) -> bool:
    return any(counts[state] for counts in counted.values())


def _due(states: Mapping[str, int]) -> int:
    return sum(count for state, count in states.items() if state != "withdrawn")


def _share_row(name: str, count: int, total: int, style: str = "") -> Row:
    return Row((name, f"{count:,}", f"{count / total:.1%}" if total else "-"), style)
