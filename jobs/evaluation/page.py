"""An evaluation's report as one page of HTML that needs nothing else, with equal bytes for an equal report."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from annotation.evaluation.figures import WORDS
from annotation.evaluation.numbers import Number
from annotation.evaluation.reported import Report
from annotation.evaluation.sources import Source
from jobs.pages.plots import Range, Stack, ranges, stacks
from jobs.pages.template import environment

FILE = "report.html"
SHOWN_ROWS, SHOWN_CELLS, SHOWN_PLOTS = 40, 400, 10
"""The most rows of a plot and of a table, and the most plots by category; the files beside the page have all."""
EQUAL = [(0.5, "equal")]
VOTERS = {"people": "Votes of people", "judge": "Verdicts of a judge", "imported": "Imported judgments"}
ORDERS = {
    "": "the order is not known",
    "both": "each pair in both orders",
    "random": "each pair in one order, drawn at random",
    "first": "all pairs in one fixed order, so the bias of position is in every win rate",
}
"""In which orders a judge was asked."""


def render(report: Report) -> str:
    """The page. All text of others is escaped."""
    template = environment(__package__).get_template("evaluation.html.j2")
    parts = [_part(report, source) for source in report.sources]
    text: str = template.render(
        title=_title(report),
        parts=parts,
        sources=report.sources,
        definition=WORDS[report.choices.ties],
        cards=list(_cards(report)),
        orders=ORDERS,
        leaders=list(_leaders(report)),
        shown=SHOWN_CELLS,
        files=files(report),
    )
    return f"<!doctype html>\n{text}\n"


def files(report: Report) -> list[str]:
    """The names of the sections, each of which is a file of CSV, in the order of the numbers."""
    return list(dict.fromkeys(each.number.section for each in report.numbers))


def _title(report: Report) -> str:
    names = models(report.sources)
    shown = names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} other models"]
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else "".join(shown)


def models(sources: Iterable[Source]) -> list[str]:
    """The names of all models, sorted."""
    held = {name for source in sources for column in ("model", "opponent") for name in source.votes[column].to_pylist()}
    return sorted(held)


def _cards(report: Report) -> Iterable[tuple[str, str, str]]:
    """The figures at the top: name, value, and a note."""
    yield "Models", f"{len(models(report.sources)):,}", ""
    for source in report.sources:
        prompts = len(source.votes["prompt_id"].unique())
        yield VOTERS[source.voters], f"{len(source.votes):,}", f"{source.name}, {prompts:,} prompts"


def _part(report: Report, source: Source) -> dict[str, Any]:
    """What the page shows of a source."""
    numbers = [each.number for each in report.numbers if each.number.source == source.name]
    outcomes, rates, where = (
        [each for each in numbers if each.section == name] for name in ("outcomes", "win_rates", "position")
    )
    return {
        "source": source,
        "outcomes": outcomes,
        "outcomes_plot": _outcomes_plot(source, [each for each in outcomes if each.kind == "all"]),
        "rates": rates,
        "rates_plot": _rates_plot(f"Win rates, {source.name}", [each for each in rates if each.kind == "all"]),
        "categories_plots": _categories_plots(source, [each for each in rates if each.kind != "all"]),
        "position": where,
        "position_plot": _position_plot(where),
        "undrawn": max(sum(each.kind == "all" for each in rates) - SHOWN_ROWS, 0),
    }


def _leaders(report: Report) -> Iterable[dict[str, Any]]:
    """What the page shows of each leaderboard."""
    numbers = [each.number for each in report.section("leaderboard")]
    for source, part in groupby(numbers, key=lambda each: each.source):
        own = list(part)
        ranks = {each.model: each for each in own if each.measure == "rank"}
        ratings = [each for each in own if each.measure == "rating" and each.value is not None]
        reach = max((abs(bound) for each in ratings for bound in (each.low, each.high) if bound is not None), default=1)
        rows = [
            Range(each.model or "", each.value, each.low, each.high, _ranks(ranks[each.model]))
            for each in ratings[:SHOWN_ROWS]
        ]
        title = f"Ratings, {source}"
        plot = ranges(title, rows, (-_ceiling(reach), _ceiling(reach)), [(0.0, "mean")], False) if rows else ""
        yield {"source": source, "numbers": own, "plot": plot, "first": own[0]}


def _ranks(rank: Number) -> str:
    low, high = f"{rank.low:.0f}", f"{rank.high:.0f}"
    return f"rank {rank.value:.0f}" + (f" ({low} to {high})" if low != high else "")


def _ceiling(reach: float) -> float:
    """A round number of at least ``reach``.

    >>> _ceiling(0.3), _ceiling(1.2), _ceiling(11)
    (0.5, 2.0, 20.0)
    """
    power = 10.0 ** math.floor(math.log10(reach))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= reach)


def _outcomes_plot(source: Source, numbers: Sequence[Number]) -> str:
    """Stacked bars; the range of the wins is drawn at their end, that of the losses at their beginning."""
    rows = []
    for win, tie, loss in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
        if win.value is None:
            rows.append(Stack(win.model or "", f"against {win.opponent}", [], [], "no votes"))
            continue
        shares = [(each.measure, each.value or 0.0) for each in (win, tie, loss)]
        whiskers = [(win.low or 0.0, win.high or 0.0), (1 - (loss.high or 0.0), 1 - (loss.low or 0.0))]
        note = " / ".join(f"{100 * share:.0f}" for _, share in shares) + "%"
        rows.append(Stack(win.model or "", f"against {win.opponent}", shares, whiskers, note))
    return stacks(f"Wins, ties and losses, {source.name}", rows[:SHOWN_ROWS])


def _rates_plot(title: str, numbers: Sequence[Number]) -> str:
    rows = [_rate(each, each.model or "", f"against {each.opponent}") for each in numbers[:SHOWN_ROWS]]
    return ranges(title, rows, (0, 1), EQUAL, True)


def _categories_plots(source: Source, numbers: Sequence[Number]) -> list[tuple[str, str]]:
    """(caption, plot) for each two models, with a row for each category."""
    found = []
    for (model, opponent), part in groupby(numbers, key=lambda each: (each.model, each.opponent)):
        caption = f"{source.name}: {model} against {opponent}, by category"
        rows = [_rate(each, each.group) for each in part]
        found.append((caption, ranges(caption, rows[:SHOWN_ROWS], (0, 1), EQUAL, True)))
    return found[:SHOWN_PLOTS]


def _rate(number: Number, label: str, below: str = "") -> Range:
    bounds = None if number.least is None or number.most is None else (number.least, number.most)
    return Range(label, number.value, number.low, number.high, percent(number), below, bounds)


def _position_plot(numbers: Sequence[Number]) -> str:
    names = {"shown first": "prefers the first", "changed by order": "changes with order"}
    rows = [Range(names[each.measure], each.value, each.low, each.high, percent(each)) for each in numbers]
    return ranges("Bias of position", rows, (0, 1), [(0.5, "half")], True)


def percent(number: Number) -> str:
    """A share in percent, with its interval.

    >>> percent(Number(section="", source="", voters="", measure="", value=0.5, low=0.25, high=1.0, votes=3, method=""))
    '50.0% (25.0 to 100.0)'
    """
    if number.value is None:
        return "no votes"
    bounds = (
        "" if number.low is None or number.high is None else f" ({100 * number.low:.1f} to {100 * number.high:.1f})"
    )
    return f"{100 * number.value:.1f}%{bounds}"
