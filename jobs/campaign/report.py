"""The command ``gristmill campaign report``: a campaign on one page of HTML that needs nothing else."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

from jinja2 import Template

from annotation.dataset import markdown
from annotation.quality.agreement import Estimate
from annotation.quality.progress import STATES
from annotation.quality.timeline import Timeline, timeline
from annotation.statistics.shares import Share
from jobs.campaign.attention import earlier_version, p_value
from jobs.campaign.overview import Annotator, Overview, overview
from jobs.campaign.status import open_campaign
from jobs.campaign.tables import reason
from jobs.pages.page_file import write_page
from jobs.pages.plots import Bar, Range, bars, columns, curve, ranges
from jobs.pages.template import environment
from jobs.terminal import say

FILE = "report.html"
SHOWN_REMARKS = 500
_BEGINNING = "<!doctype html>\n<!-- gristmill campaign report -->\n"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def report(folder: Path, output: Path | None, names: bool) -> None:
    """Writes the page of a campaign to ``output`` (default: FILE in the folder). An earlier report is replaced.

    Raises UserError if another file has that name, or the place cannot be written to.
    """
    snapshot, emails = open_campaign(folder)
    path = output or folder / FILE
    text = render(overview(snapshot, emails, str(folder), names=names))
    write_page(path, text, mark=_BEGINNING, kind="report", option="--output")
    say(f"{path}: the campaign as of revision {snapshot.revision}, {'with' if names else 'without'} email addresses")


def render(of: Overview) -> str:
    """The page as HTML, with equal bytes for an equal overview. All text of others is escaped."""
    text: str = _template().render(
        campaign=of.snapshot,
        attention=of.attention,
        quarantine=of.quarantine,
        remarks=of.remarks,
        shown_remarks=SHOWN_REMARKS,
        problems=of.problems,
        annotators=of.annotators,
        batches=of.batches,
        states=of.shown_states,
        cards=list(_cards(of)),
        agreement=of.agreements,
        safety=of.measures_safety,
        compares=of.scale.compares,
        unit=of.scale.unit,
        wordings=of.wordings,
        earlier=sum(row.votes for row in of.wordings if row.first < row.newest),
        verdicts=list(_verdict_rows(of)),
        newest=_minute(max((each.last_vote for each in of.annotators if each.last_vote), default=None)),
        **_plots(of),
    )
    return _BEGINNING + text + "\n"


def _template() -> Template:
    templates = environment(__package__)
    templates.filters |= {"p": p_value, "earlier_version": earlier_version}
    return templates.get_template("report.html.j2")


def _cards(of: Overview) -> Iterable[tuple[str, str, str]]:
    """The figures at the top: name, value, and a note."""
    done = of.tasks["done"]
    yield "Tasks done", _percent(Share(done, of.due)), f"{done:,} of {of.due:,}"
    decided, pairs = sum(of.verdicts.values()), sum(of.verdicts.values()) + sum(of.unresolved.values())
    yield f"{of.scale.unit.capitalize()}s with a verdict", _percent(Share(decided, pairs)), f"{decided:,} of {pairs:,}"
    overall = of.assessment.agreements.overall
    yield (
        "Agreement (AC1)",
        "-" if overall.preferred.value is None else f"{overall.preferred.value:.2f}",
        _interval(overall.preferred, of.scale.unit),
    )
    lean = of.assessment.leans.overall
    if of.scale.compares:
        yield "Left side chosen", _percent(lean.left), f"{lean.left.count:,} of {lean.left.total:,}, {p_value(lean.p)}"
    gold = Share(sum(each.gold_right for each in of.annotators), sum(each.gold_votes for each in of.annotators))
    if gold.total:
        yield "Right on gold pairs", _percent(gold), f"{gold.count:,} of {gold.total:,}"
    attention = len(of.attention) + len(of.quarantine) + len(of.reports)
    yield "Needs attention", f"{attention:,}", f"{len(of.quarantine):,} in quarantine, {len(of.reports):,} reported"


def _plots(of: Overview) -> dict[str, Any]:
    overall = of.assessment.agreements.overall.preferred
    marks = [(0.0, "chance")] + ([] if overall.value is None else [(overall.value, f"all {overall.value:.2f}")])
    if len(marks) > 1 and abs(marks[1][0]) < 0.35:  # the names would overlap
        marks = marks[:1]
    people, steps, unit = of.annotators, timeline(of.snapshot), of.scale.unit
    labels = [_step_name(start, steps.step) for start in steps.starts]
    groups = [_group(name, each.preferred, of.scale.unit) for _, name, each in of.agreements]
    ends = _ends([*(each.agreement_low for each in people), *(each.low for each in groups)])
    slowest = max((each.seconds_high for each in people if each.seconds_high is not None), default=1.0)
    return {
        "progress_plot": bars("Tasks of each annotator by state", [_progress(each.annotator, each) for each in people]),
        "batch_plot": bars("Tasks of each batch by state", [_progress(each.batch, each) for each in of.batches]),
        "votes_plot": columns(f"Votes per {_length(steps)}", labels, steps.votes, "votes"),
        "total_plot": curve("Votes in all", labels, list(accumulate(steps.votes)), of.due, "votes"),
        "seconds_plot": curve(
            f"Median seconds a {unit}, per {_length(steps)}", labels, list(steps.seconds), None, "seconds"
        ),
        "step": _length(steps) if steps.starts else "",
        "steps": list(zip(steps.starts, steps.votes, accumulate(steps.votes), steps.seconds, strict=True)),
        "pace_plot": ranges(f"Seconds a {unit} of each annotator", list(map(_pace, people)), (0, slowest), [], False),
        "agreement_plot": ranges(
            "Agreement of each annotator with the others (AC1)",
            [_agreement(each, unit) for each in people],
            ends,
            marks,
            False,
        ),
        "groups_plot": ranges(
            "Agreement of all annotators (AC1)",
            groups,
            ends,
            marks[:1],
            False,
        ),
        "side_plot": ranges(
            "Share of votes for the left side",
            [_share_range(each.annotator, Share(each.left, each.votes)) for each in people],
            (0, 1),
            [(0.5, "half")],
            True,
        ),
        "gold_plot": ranges(
            "Share of gold pairs answered right",
            [_share_range(each.annotator, Share(each.gold_right, each.gold_votes)) for each in people],
            (0, 1),
            [],
            True,
        ),
        "verdict_plot": bars(
            f"{unit.capitalize()}s by verdict",
            [Bar(name, [(kind, count)], f"{count:,}") for name, count, kind in _verdict_rows(of)],
        ),
    }


def _progress(name: str, row: Any) -> Bar:
    counts = {state: getattr(row, state) for state in STATES}
    due = sum(count for state, count in counts.items() if state != "withdrawn")
    return Bar(name, list(counts.items()), f"{counts['done']:,} of {due:,}")


def _pace(row: Annotator) -> Range:
    note = "-" if row.seconds_median is None else f"{row.seconds_median:,.0f} s"
    return Range(row.annotator, row.seconds_median, row.seconds_low, row.seconds_high, note)


def _agreement(row: Annotator, unit: str) -> Range:
    note = "-" if row.agreement is None else f"{row.agreement:.2f}, {markdown.count(row.agreement_pairs, unit)}"
    return Range(row.annotator, row.agreement, row.agreement_low, row.agreement_high, note)


def _group(name: str, estimate: Estimate, unit: str) -> Range:
    note = "-" if estimate.value is None else f"{estimate.value:.2f}, {markdown.count(estimate.units, unit)}"
    return Range(name.replace("_", " "), estimate.value, estimate.low, estimate.high, note)


def _ends(lows: Iterable[float | None]) -> tuple[float, float]:
    """The ends of a scale of agreement: to 1, from 0 or from as far below as an interval goes."""
    lowest = min((low for low in lows if low is not None), default=0.0)
    return (0.0 if lowest >= 0 else -0.5 if lowest >= -0.5 else -1.0), 1.0


def _minute(moment: str | None) -> str:
    return "" if moment is None else f"{moment[:10]} {moment[11:16]} UTC"


def _share_range(name: str, share: Share) -> Range:
    low, high = share.interval or (None, None)
    return Range(name, share.value, low, high, f"{share.count:,} of {share.total:,}" if share.total else "-")


def _verdict_rows(of: Overview) -> Iterable[tuple[str, int, str]]:
    """Name, number of pairs, and class of the bar."""
    for name, count in of.verdicts.items():
        yield name.replace("_", " "), count, "done"
    for name, count in of.unresolved.items():
        if count:
            yield reason(name, of.scale), count, "open" if name == "too_few_votes" else "refused"


def _percent(share: Share) -> str:
    return "-" if share.value is None else f"{share.value:.0%}"


def _interval(estimate: Estimate, unit: str) -> str:
    pairs = markdown.count(estimate.units, unit)
    return pairs if estimate.low is None else f"{estimate.low:.2f} to {estimate.high:.2f}, {pairs}"


def _length(steps: Timeline) -> str:
    hours = steps.step / timedelta(hours=1)
    if hours < 1:
        return f"{hours * 60:.0f} minutes"
    names = {1: "hour", 6: "6 hours", 24: "day", 168: "week", 672: "4 weeks"}
    return names[round(hours)]


def _step_name(start: datetime, step: timedelta) -> str:
    day = f"{start.day} {_MONTHS[start.month - 1]}"
    return day if step >= timedelta(days=1) else f"{day} {start:%H:%M}"
