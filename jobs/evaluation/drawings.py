"""The plots of each section of an evaluation's page. Plots of one section have one axis."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from annotation.evaluation.calibration import WORTH
from annotation.evaluation.iterations import REJECTED, VIOLATIONS, WIN_RATES
from annotation.evaluation.numbers import Number
from jobs.evaluation.wording import percent, plain, ranks
from jobs.pages.plots import Range, Stack, ranges, stacks

ROWS, PLOTS = 60, 12
"""The most rows of a plot, and the most plots below a heading; the tables have more, the files all."""
EQUAL = [(0.5, "equal")]

Numbers = Sequence[Number]
Plot = tuple[str, str]
Row = TypeVar("Row", Range, Stack)


@dataclass(frozen=True)
class Group:
    """Plots below a heading, each a caption and an SVG. Of many, the first PLOTS are shown, and ``note`` says so."""

    title: str
    plots: Sequence[Plot]
    note: str = ""

    @classmethod
    def of(cls, title: str, plots: Sequence[Plot]) -> "Group":
        note = f"The first {PLOTS} of {len(plots):,} plots; the tables have more, the file all."
        return cls(title, plots[:PLOTS], note if len(plots) > PLOTS else "")


def outcomes(numbers: Numbers) -> Iterator[Group]:
    """One bar for each pair of models and source."""
    whole = [each for each in numbers if each.kind == "all"]
    wins = whole[::3]
    shares = {win.number: (win, tie, loss) for win, tie, loss in zip(wins, whole[1::3], whole[2::3], strict=True)}
    rows = _blocks(
        wins, pair, lambda win, label: _stack(label, *shares[win.number]), lambda text: Stack(text, "", [], [], "")
    )
    if rows:
        yield Group("", [(_caption("", rows), stacks("Wins, ties and losses", rows[:ROWS]))])


def _stack(label: str, win: Number, tie: Number, loss: Number) -> Stack:
    """A bar; the interval of the wins is drawn at their end, that of the losses at their beginning."""
    if win.value is None or loss.low is None or loss.high is None:
        return Stack(label, "", [], [], percent(win))
    shares = [(each.measure, each.value or 0.0) for each in (win, tie, loss)]
    whiskers = [("win", win.low or 0.0, win.high or 0.0), ("loss", 1 - loss.high, 1 - loss.low)]
    return Stack(label, "", shares, whiskers, " / ".join(f"{100 * share:.0f}" for _, share in shares) + "%")


def win_rates(numbers: Numbers) -> Iterator[Group]:
    """A plot of all prompts with a row for each pair and source, then one of each kind of prompts and pair."""
    whole = [each for each in numbers if each.kind == "all"]
    if whole:
        yield Group("", [_shares("Win rates", "All prompts", whole, pair, EQUAL)])
    for kind in _distinct(each.kind for each in numbers if each.kind != "all"):
        own = [each for each in numbers if each.kind == kind]
        parts = [(name, [each for each in own if pair(each) == name]) for name in _distinct(map(pair, own))]
        plots = [_shares(f"Win rates, {name}", name, part, lambda each: each.group, EQUAL) for name, part in parts]
        yield Group.of(f"By {_words(kind)}", plots)


def position(numbers: Numbers) -> Iterator[Group]:
    """One plot with a row for each share and judge."""
    words = {"shown first": "prefers the first", "changed by order": "changes with order"}
    yield Group("", [_shares("Bias of position", "", numbers, lambda each: words[each.measure], [(0.5, "half")])])


def safety(numbers: Numbers) -> Iterator[Group]:
    """A plot of each model with its shares, in all and by group, and one of all mean ratings."""
    shares = [each for each in numbers if each.measure != "mean rating"]
    plots = []
    several = len({each.source for each in numbers}) > 1
    for model in _distinct(each.model or "" for each in shares):
        own = [each for each in shares if each.model == model]
        rows = []
        for measure in _distinct(each.measure for each in own):
            rows.append(Range(measure, None, None, None, ""))
            parts = [each for each in own if each.measure == measure]
            rows += [_range(each, _group(each), percent(each), each.source if several else "") for each in parts]
        plots.append((_caption(model, rows), ranges(f"Safety of {model}", rows[:ROWS], (0, 1), [], True)))
    yield Group.of("Shares by model", plots)
    means = [each for each in numbers if each.measure == "mean rating" and each.kind == "all"]
    if means:
        rows = _blocks(
            means, lambda each: each.model or "", lambda each, label: _range(each, label, plain(each)), _head
        )
        yield Group(
            "Mean ratings", [(_caption("All prompts", rows), ranges("Mean ratings", rows[:ROWS], (1, 5), [], False))]
        )


def grades(numbers: Numbers, scales: Sequence[tuple[int, int]]) -> Iterator[Group]:
    """A plot with a row for each model and judge, from the lowest to the highest grade of all scales."""
    if numbers:
        ends = min(low for low, _ in scales), max(high for _, high in scales)
        rows = _blocks(numbers, pair, lambda each, label: _range(each, label, plain(each)), _head)
        yield Group("", [(_caption("", rows), ranges("Mean grades", rows[:ROWS], ends, [], False))])


def iterations(numbers: Numbers, rates: Numbers) -> Iterator[Group]:
    """Differences and rejected violations by opponent; ``rates`` are compared from source to source."""
    for measure, title in (("win rate", "Win rates"), ("violations", "Violations")):
        own = [each for each in rates if each.measure == measure]
        for voters in sorted({each.voters for each in own}):
            rated = [each for each in own if each.voters == voters]
            if len({each.source for each in rated}) > 1:
                caption = f"{title} by {'people' if voters == 'people' else 'judges'}, one source after the other"
                yield Group("", [_shares(caption, caption, rated, pair, EQUAL if measure == "win rate" else [])])
    words = {
        WIN_RATES: "win rates, new less previous",
        VIOLATIONS: "violations, new less previous",
        REJECTED: "earlier violations that the new model rejects",
    }
    for (source, measure), part in groupby(numbers, key=lambda each: (each.source, each.measure)):
        lowest = 0 if measure == REJECTED else -1
        rows = [_range(each, each.model or "", percent(each), f"against {each.opponent}") for each in part]
        caption = f"{source}: {words[measure]}"
        yield Group(
            "",
            [
                (
                    _caption(caption, rows),
                    ranges(caption, rows[:ROWS], (lowest, 1), [(0.0, "equal")] if lowest else [], True),
                )
            ],
        )


def collection(numbers: Numbers) -> Iterator[Group]:
    """One plot with a row for each step from a previous to a new model, in the order in which they were collected."""
    rows = [_range(each, pair(each), percent(each), each.source) for each in numbers]
    plot = ranges("New against previous model while collecting", rows[:ROWS], (0, 1), EQUAL, True)
    yield Group("", [(_caption("", rows), plot)])


def agreement(numbers: Numbers) -> Iterator[Group]:
    """A plot of each source's measures, then AC1 by kind of prompts."""
    lowest = min((each.low for each in numbers if each.low is not None), default=0.0)
    ends = (-1.0 if lowest < 0 else 0.0, 1.0)
    for kind in _distinct(each.kind for each in numbers):
        own = [each for each in numbers if each.kind == kind and (kind == "all" or each.measure == "AC1")]
        plots = []
        for source, group in groupby(own, key=lambda each: each.source):
            rows = [_range(each, each.group or each.measure, plain(each)) for each in group]
            plots.append((_caption(source, rows), ranges(f"Agreement, {source}", rows[:ROWS], ends, [], False)))
        yield Group.of("" if kind == "all" else f"AC1 by {_words(kind)}", plots)


def people_and_judge(numbers: Numbers) -> Iterator[Group]:
    """The win rates that are known, of each two sources."""
    words = {"win rate": "by people and judge", "win rate by people alone": "by people alone"}
    known = [each for each in numbers if each.value is not None and each.measure in words]
    plots = []
    for source, part in groupby(known, key=lambda each: each.source):
        rows = [_range(each, pair(each), percent(each), words[each.measure]) for each in part]
        plots.append((_caption(source, rows), ranges(f"Win rates, {source}", rows[:ROWS], (0, 1), EQUAL, True)))
    yield Group.of("", plots)


def worth(numbers: Numbers) -> Iterator[str]:
    """What each judge was worth in votes, or why people's votes and the judge's verdicts do not combine."""
    for each in numbers:
        if each.value is None:
            yield f"{pair(each)}: {each.method}."
        elif each.measure == WORTH:
            votes = f"the judge was worth {each.value:,.0f} votes, beside {each.votes:,} votes of people"
            yield f"{pair(each)}: {votes}."


def leaderboard(numbers: Numbers) -> Iterator[Group]:
    """A plot of each source's ratings."""
    rated = [each for each in numbers if each.measure == "rating" and each.value is not None]
    reach = ceiling(abs(bound) for each in rated for bound in (each.low or 0.0, each.high or 0.0))
    plots = []
    for (source, voters), group in groupby(rated, key=lambda each: (each.source, each.voters)):
        rank = {each.model: each for each in numbers if each.measure == "rank" and each.source == source}
        rows = [_range(each, each.model or "", ranks(rank[each.model])) for each in group]
        plot = ranges(f"Ratings, {source}", rows[:ROWS], (-reach, reach), [(0.0, "mean")], False)
        plots.append((_caption(f"{source} ({voters})", rows), plot))
    yield Group.of("", plots)


def length_controlled(numbers: Numbers) -> Iterator[Group]:
    """One plot with a row for each model and source."""
    known = [each for each in numbers if each.value is not None]
    if known:
        yield Group("", [_shares("Length-controlled win rates", "", known, pair, EQUAL)])


def ceiling(values: Iterable[float]) -> float:
    """A round number of at least each of the values.

    >>> ceiling([0.3]), ceiling([1.2, 0.1]), ceiling([11]), ceiling([])
    (0.5, 2.0, 20.0, 1.0)
    """
    most = max(values, default=0.0) or 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= most)


def pair(number: Number) -> str:
    """The models that a number is about, as a text."""
    return f"{number.model} against {number.opponent}" if number.opponent else number.model or ""


def _shares(
    title: str, caption: str, numbers: Numbers, heading: Callable[[Number], str], marks: Sequence[tuple[float, str]]
) -> Plot:
    rows = _blocks(numbers, heading, lambda each, label: _range(each, label, percent(each)), _head)
    return _caption(caption, rows), ranges(title, rows[:ROWS], (0, 1), marks, True)


def _caption(text: str, rows: Sequence[Range | Stack]) -> str:
    """The caption of a plot, which says so if the plot has only the first ROWS of the rows."""
    if len(rows) <= ROWS:
        return text
    shown = f"the first {ROWS} of {len(rows):,} rows; the tables have more, the file all"
    return f"{text} ({shown})" if text else shown.capitalize()


def _blocks(
    numbers: Numbers, heading: Callable[[Number], str], row: Callable[[Number, str], Row], head: Callable[[str], Row]
) -> list[Row]:
    """The rows of numbers with the same heading below each other, a row for each source; of a single source, a row for
    each heading."""
    several = len({each.source for each in numbers}) > 1
    found = []
    for name in _distinct(map(heading, numbers)):
        own = [each for each in numbers if heading(each) == name]
        if several:
            found.append(head(name))
        found += [row(each, f"{each.source} ({each.voters})" if several else name) for each in own]
    return found


def _head(text: str) -> Range:
    return Range(text, None, None, None, "")


def _group(number: Number) -> str:
    return "all prompts" if number.kind == "all" else f"{_words(number.kind)} {number.group}"


def _range(number: Number, label: str, note: str, below: str = "") -> Range:
    bounds = None if number.least is None or number.most is None else (number.least, number.most)
    return Range(label, number.value, number.low, number.high, note, below, bounds)


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _words(name: str) -> str:
    return name.replace("_", " ")
