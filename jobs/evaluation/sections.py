"""The sections of an evaluation's page: plots, and the numbers behind them as tables."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from annotation.dataset import markdown
from annotation.evaluation.calibration import WORTH
from annotation.evaluation.figures import WORDS
from annotation.evaluation.iterations import REJECTED, VIOLATIONS, WIN_RATES
from annotation.evaluation.numbers import Number
from annotation.evaluation.reported import Report
from jobs.evaluation.wording import percent, plain, ranks
from jobs.pages.plots import Range, Stack, ranges, stacks

ROWS, PLOTS = 40, 12
"""The most rows of a plot, and the most plots by group of prompts; the tables have more, the files all."""
EQUAL = [(0.5, "equal")]
ORDERS = {
    "both": "Each pair was judged in both orders.",
    "random": "Each pair was judged in one order, drawn at random.",
    "first": "All pairs were judged in one fixed order, so the bias of position is in every win rate.",
}
"""In which orders a judge was asked."""

Numbers = Sequence[Number]


@dataclass(frozen=True)
class Panel:
    """The numbers of a source in a section. ``plots`` are (caption, SVG), ``notes`` sentences above the plots."""

    name: str
    numbers: Numbers
    plots: Sequence[tuple[str, str]]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Section:
    """A section of the page; ``name`` is also the file of its numbers. ``legend``: classes of colours in its plots."""

    name: str
    title: str
    intro: str
    panels: Sequence[Panel]
    legend: Sequence[str] = ()

    @property
    def notes(self) -> list[str]:
        """The notes of all panels, each once."""
        return list(dict.fromkeys(note for panel in self.panels for note in panel.notes))


def sections(report: Report) -> list[Section]:
    """The sections that have numbers, in their order."""
    orders = {source.name: ORDERS[source.orders] for source in report.sources if source.orders is not None}
    win_rate = (
        f"A win rate is {WORDS[report.choices.ties]}, of the model named first. The wide line is the 95% interval; the "
        "thin line, the lowest and highest value, whatever the votes without a verdict would have been."
    )
    found = [
        _section(report, "outcomes", _outcomes, OUTCOMES, ("win", "tie", "loss")),
        _section(report, "win_rates", _win_rates, win_rate),
        _section(report, "position", lambda name, own: _position(name, own, orders), POSITION),
        _section(report, "safety", _safety, SAFETY),
        _section(report, "iterations", _iterations, ITERATIONS, more=_over_sources(report)),
        _section(report, "agreement", _agreement, AGREEMENT),
        _section(report, "people_and_judge", _people_and_judge, PEOPLE_AND_JUDGE),
        _section(report, "leaderboard", _leaderboard, LEADERBOARD),
    ]
    return [section for section in found if section.panels]


def _over_sources(report: Report) -> list[Panel]:
    """Win rates and violations of several sources of the same voters in one plot, in the order of the sources."""
    numbers = [each.number for each in report.numbers if each.number.kind == "all"]
    found = []
    for measure, title in (("win rate", "Win rates"), ("violations", "Violations")):
        own = [each for each in numbers if each.measure == measure and each.section in ("win_rates", "safety")]
        for voters in sorted({each.voters for each in own}):
            rates = [each for each in own if each.voters == voters]
            if len({each.source for each in rates}) > 1:
                caption = f"{title} by {'people' if voters == 'people' else 'judges'}, one source after the other"
                rows = [_range(each, each.source, percent(each), _models(each)) for each in rates[:ROWS]]
                plot = ranges(caption, rows, (0, 1), EQUAL if measure == "win rate" else [], True)
                found.append(Panel(caption, [], [(caption, plot)], _undrawn(len(rates))))
    return found


def _models(number: Number) -> str:
    return f"{number.model} – {number.opponent}" if number.opponent else number.model or ""


def _iterations(name: str, numbers: Numbers) -> Panel:
    words = {
        WIN_RATES: "win rates, new less previous",
        VIOLATIONS: "violations, new less previous",
        REJECTED: "earlier violations that the new model rejects",
    }
    plots = []
    for measure, title in words.items():
        own = [each for each in numbers if each.measure == measure]
        lowest = 0 if measure == REJECTED else -1
        rows = [_range(each, each.model or "", percent(each), f"against {each.opponent}") for each in own]
        if rows:
            plot = ranges(f"{title}, {name}", rows[:ROWS], (lowest, 1), [(0.0, "equal")] if lowest else [], True)
            plots.append((f"{name}: {title}", plot))
    return Panel(name, numbers, plots)


TITLES = {
    "outcomes": "Wins, ties and losses",
    "win_rates": "Win rates",
    "position": "Bias of position",
    "safety": "Safety",
    "iterations": "Iterations",
    "agreement": "Agreement",
    "people_and_judge": "People and judge together",
    "leaderboard": "Leaderboard",
}
OUTCOMES = (
    "Shares among the votes with a verdict, from the point of view of the model named first. Thin lines are the 95% "
    "intervals of wins and losses."
)
POSITION = (
    "How often a judge prefers the response that it sees first (half, if it has no bias), and how often its verdict on "
    "a pair changes with the order."
)
SAFETY = (
    "Violations are ratings of 1 or 2, and the mean rating is from 1 to 5, on prompts that are not marked harmless. "
    "False refusals are refusals for safety of harmless prompts. Lines are 95% intervals."
)
ITERATIONS = (
    "Sources one after the other, and models on the same prompts: how much the win rate against the same opponent, or "
    "the share of violations, of the model named first is above that of an earlier one."
)
AGREEMENT = (
    "1 is perfect agreement. AC1 and kappa are 0 for agreement by chance; the shares say how often a judge says what "
    "most people say."
)
PEOPLE_AND_JUDGE = (
    "The win rate of people over all judged pairs, by prediction-powered inference: people voted on a random part of "
    "the pairs, the judge on all. The interval holds however good or bad the judge is. Ties count half."
)
GRADES = "gristmill judge prints the mean grades, which are not shown here."
LEADERBOARD = (
    "Ratings are log-odds by Bradley and Terry's model: a model beats another one in a decided vote with odds of e to "
    "the difference. Intervals and ranks hold for all models together."
)


def _section(
    report: Report,
    name: str,
    panel: Callable[[str, Numbers], Panel],
    intro: str,
    legend: Sequence[str] = (),
    more: Sequence[Panel] = (),
) -> Section:
    numbers = [each.number for each in report.section(name)]
    panels = [panel(source, list(own)) for source, own in groupby(numbers, key=lambda each: each.source)]
    if name in ("outcomes", "win_rates", "safety"):
        panels = list(_with_gaps(report, panels))
    return Section(name, TITLES[name], intro, [*more, *panels], legend)


def _with_gaps(report: Report, panels: Sequence[Panel]) -> Iterator[Panel]:
    """The panels, without plots of a source that has no verdict yet; notes say what is missing."""
    sources = {source.name: source for source in report.sources}
    for panel in panels:
        source, notes = sources[panel.name], list(panel.notes)
        if source.undecided:
            votes = markdown.count(source.undecided, "vote")
            notes.append(f"{source.name}: too few votes for a verdict ({votes}; --count votes counts each).")
        if source.graded:
            notes.append(f"{source.name}: verdicts compare grades of single responses. {GRADES}")
        plots = panel.plots if any(each.value is not None for each in panel.numbers) else []
        yield replace(panel, plots=plots, notes=notes)


def _whole(numbers: Numbers) -> Numbers:
    return [each for each in numbers if each.kind == "all"]


def _outcomes(name: str, numbers: Numbers) -> Panel:
    whole = _whole(numbers)
    triples = list(zip(whole[::3], whole[1::3], whole[2::3], strict=True))
    plot = stacks(f"Wins, ties and losses, {name}", [_stack(*each) for each in triples[:ROWS]])
    return Panel(name, numbers, [(name, plot)], _undrawn(len(triples)))


def _stack(win: Number, tie: Number, loss: Number) -> Stack:
    """A bar; the interval of the wins is drawn at their end, that of the losses at their beginning."""
    label, below = win.model or "", f"against {win.opponent}"
    if win.value is None or loss.low is None or loss.high is None:
        return Stack(label, below, [], [], percent(win))
    shares = [(each.measure, each.value or 0.0) for each in (win, tie, loss)]
    whiskers = [(win.low or 0.0, win.high or 0.0), (1 - loss.high, 1 - loss.low)]
    return Stack(label, below, shares, whiskers, " / ".join(f"{100 * share:.0f}" for _, share in shares) + "%")


def _undrawn(rows: int) -> list[str]:
    return [f"The plot shows {ROWS} of {rows:,} rows; the table has more, and the file all."] if rows > ROWS else []


def _win_rates(name: str, numbers: Numbers) -> Panel:
    whole = _whole(numbers)
    rows = [_range(each, each.model or "", percent(each), f"against {each.opponent}") for each in whole[:ROWS]]
    plots = [(name, ranges(f"Win rates, {name}", rows, (0, 1), EQUAL, True))]
    plots += list(_by_group(name, numbers, lambda each: f"{each.model} against {each.opponent}", EQUAL))
    return Panel(name, numbers, plots[: PLOTS + 1], _undrawn(len(whole)))


def _by_group(
    name: str, numbers: Numbers, title: Callable[[Number], str], marks: Sequence[tuple[float, str]]
) -> Iterator[tuple[str, str]]:
    """(caption, plot) of the shares of each title and kind of groups, with a row for each group."""
    parts = [each for each in numbers if each.kind != "all"]
    for (what, kind), part in groupby(parts, key=lambda each: (title(each), each.kind)):
        caption = f"{name}: {what}, by {kind.replace('_', ' ')}"
        rows = [_range(each, each.group, percent(each)) for each in part]
        yield caption, ranges(caption, rows[:ROWS], (0, 1), marks, True)


def _range(number: Number, label: str, note: str, below: str = "") -> Range:
    bounds = None if number.least is None or number.most is None else (number.least, number.most)
    return Range(label, number.value, number.low, number.high, note, below, bounds)


def _position(name: str, numbers: Numbers, orders: dict[str, str]) -> Panel:
    words = {"shown first": "prefers the first", "changed by order": "changes with order"}
    rows = [_range(each, words[each.measure], percent(each)) for each in numbers]
    plot = ranges(f"Bias of position, {name}", rows, (0, 1), [(0.5, "half")], True)
    return Panel(name, numbers, [(name, plot)], [orders[name]] if name in orders else [])


def _safety(name: str, numbers: Numbers) -> Panel:
    plots = []
    for measure in dict.fromkeys(each.measure for each in numbers):
        own = [each for each in numbers if each.measure == measure]
        caption, whole = f"{name}: {measure}", _whole(own)
        if measure == "mean rating":
            rows = [_range(each, each.model or "", plain(each)) for each in whole]
            plots.append((caption, ranges(caption, rows[:ROWS], (1, 5), [], False)))
            continue
        rows = [_range(each, each.model or "", percent(each)) for each in whole]
        plots.append((caption, ranges(caption, rows[:ROWS], (0, 1), [], True)))
        plots += _by_group(name, own, lambda each: f"{each.measure} of {each.model}", [])
    return Panel(name, numbers, plots)


def _agreement(name: str, numbers: Numbers) -> Panel:
    plots = []
    for kind, part in groupby(numbers, key=lambda each: each.kind):
        own = [each for each in part if kind == "all" or each.measure == "AC1"]
        caption = name if kind == "all" else f"{name}: AC1 by {kind.replace('_', ' ')}"
        rows = [_range(each, each.group or each.measure, plain(each)) for each in own]
        lowest = min((each.low for each in own if each.low is not None), default=0.0)
        plots.append((caption, ranges(caption, rows[:ROWS], (-1.0 if lowest < 0 else 0.0, 1.0), [], False)))
    return Panel(name, numbers, plots)


def _people_and_judge(name: str, numbers: Numbers) -> Panel:
    words = {"win rate": "by people and judge", "win rate by people alone": "by people alone"}
    known = [each for each in numbers if each.value is not None]
    rates = [each for each in known if each.measure in words]
    rows = [_range(each, f"{each.model} – {each.opponent}", percent(each), words[each.measure]) for each in rates]
    notes = [f"{each.model} against {each.opponent}: {each.method}." for each in numbers if each.value is None]
    for each in known:
        if each.measure == WORTH:
            worth = f"the judge was worth {each.value:,.0f} votes, beside {each.votes:,} votes of people"
            notes.append(f"{each.model} against {each.opponent}: {worth}.")
    plot = ranges(f"Win rates, {name}", rows[:ROWS], (0, 1), EQUAL, True)
    return Panel(name, numbers, [(name, plot)] if rows else [], notes)


def _leaderboard(name: str, numbers: Numbers) -> Panel:
    rank = {each.model: each for each in numbers if each.measure == "rank"}
    ratings = [each for each in numbers if each.measure == "rating" and each.value is not None]
    title = f"{name} ({numbers[0].voters})"
    if not ratings:
        return Panel(name, numbers, [], [f"{title}: {numbers[0].method}."])
    reach = ceiling(abs(bound) for each in ratings for bound in (each.low or 0.0, each.high or 0.0))
    rows = [_range(each, each.model or "", ranks(rank[each.model])) for each in ratings[:ROWS]]
    plot = ranges(f"Ratings, {title}", rows, (-reach, reach), [(0.0, "mean")], False)
    return Panel(name, numbers, [(title, plot)], [f"{numbers[0].method}."])


def ceiling(values: Iterable[float]) -> float:
    """A round number of at least each of the values.

    >>> ceiling([0.3]), ceiling([1.2, 0.1]), ceiling([11])
    (0.5, 2.0, 20.0)
    """
    most = max(values) or 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= most)
