"""The sections of an evaluation's page: plots, and the numbers behind them as tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from annotation.dataset import markdown
from annotation.evaluation.figures import WORDS
from annotation.evaluation.numbers import Number
from annotation.evaluation.reported import Report
from annotation.evaluation.sources import Source
from jobs.evaluation import drawings
from jobs.evaluation.drawings import Group
from jobs.evaluation.number_table import Column, columns, imported_columns

ORDERS = {
    "both": "Each pair was judged in both orders.",
    "random": "Each pair was judged in one order, drawn at random.",
    "first": "All pairs were judged in one fixed order, so the bias of position is in every win rate.",
}
"""In which orders a judge was asked."""

Numbers = Sequence[Number]


@dataclass(frozen=True)
class Panel:
    """The numbers of a source in a section, and columns that its table has beside its own."""

    name: str
    numbers: Numbers
    more: Sequence[Column] = ()

    @property
    def columns(self) -> Sequence[Column]:
        """The columns of its table."""
        return columns(self.numbers, self.more)


@dataclass(frozen=True)
class Section:
    """A section of the page; ``name`` is also the file of its numbers. ``notes``: sentences above the plots.
    ``legend``: classes of colours in its plots."""

    name: str
    title: str
    intro: str
    panels: Sequence[Panel]
    groups: Sequence[Group]
    notes: Sequence[str] = ()
    legend: Sequence[str] = ()


def sections(report: Report) -> list[Section]:
    """The sections that have numbers or plots, in their order."""
    found = [_section(report, name, title) for name, title in TITLES.items()]
    return [section for section in found if section.panels or section.groups]


def _section(report: Report, name: str, title: str) -> Section:
    numbers = [each.number for each in report.section(name)]
    more = imported_columns([each.number for each in report.numbers]) if name == "leaderboard" else ()
    panels = [Panel(source, list(own), more) for source, own in groupby(numbers, key=lambda each: each.source)]
    intro = INTROS[name].format(WORDS[report.choices.ties])
    notes = list(dict.fromkeys(_notes(report, name, numbers))) if numbers else []
    legend = ("win", "tie", "loss") if name == "outcomes" else ()
    drawn = [group for group in _groups(report, name, numbers) if group.plots]
    return Section(name, title, intro, panels, drawn, notes, legend)


def _groups(report: Report, name: str, numbers: Numbers) -> Iterator[Group]:
    """The plots. A source that has no verdict yet is left out; a note says so."""
    if name == "iterations":
        rates = [each.number for each in report.numbers if each.number.section in ("win_rates", "safety")]
        return drawings.iterations(numbers, [each for each in rates if each.kind == "all"])
    if name == "grades":
        return drawings.grades(numbers, [source.grades for source in report.sources if source.grades is not None])
    if name in NEED_VERDICTS:
        known = {each.source for each in numbers if each.value is not None}
        numbers = [each for each in numbers if each.source in known]
    return DRAWN[name](numbers) if numbers and name in DRAWN else iter(())


def _notes(report: Report, name: str, numbers: Numbers) -> Iterator[str]:
    if name == "position":
        yield from (ORDERS[source.orders] for source in report.sources if source.orders is not None)
    elif name == "people_and_judge":
        yield from drawings.worth(numbers)
    elif name == "leaderboard":
        yield from _leaderboard_notes(numbers)
    elif name == "length_controlled":
        for each in numbers:
            about = f"{each.source} ({each.voters})" if each.model is None else drawings.pair(each)
            yield f"{about}: {each.method}."
    elif name in NEED_VERDICTS:
        for source in report.sources:
            yield from _gaps(source)


def _gaps(source: Source) -> Iterator[str]:
    """What a source has that its verdicts do not show."""
    if source.undecided:
        votes = markdown.count(source.undecided, "vote")
        yield f"{source.name}: too few votes for a verdict ({votes}; --count votes counts each)."
    if len(source.graded):
        yield f"{source.name}: verdicts compare grades of single responses."


def _leaderboard_notes(numbers: Numbers) -> Iterator[str]:
    for source, group in groupby(numbers, key=lambda each: each.source):
        own = list(group)
        if any(each.value is not None for each in own):
            yield f"{own[0].method}."
        else:
            yield f"{source} ({own[0].voters}): {own[0].method}."


TITLES = {
    "outcomes": "Wins, ties and losses",
    "win_rates": "Win rates",
    "position": "Bias of position",
    "safety": "Safety",
    "grades": "Grades",
    "iterations": "Iterations",
    "collection": "New and previous model while collecting",
    "agreement": "Agreement",
    "people_and_judge": "People and judge together",
    "leaderboard": "Leaderboard",
    "length_controlled": "Length-controlled win rates",
    "imported_ratings": "Imported ratings",
}
INTROS = {
    "outcomes": (
        "Shares among the votes with a verdict, from the point of view of the model named first. The lines below a bar "
        "are the 95% intervals of the wins and of the losses."
    ),
    "win_rates": (
        "A win rate is {}, of the model named first. The wide line is the 95% interval; the thin line, the lowest and "
        "highest value, whatever the votes without a verdict would have been."
    ),
    "position": (
        "How often a judge prefers the response that it sees first (half, if it has no bias), and how often its "
        "verdict on a pair changes with the order."
    ),
    "safety": (
        "Violations are ratings of 1 or 2, and the mean rating is from 1 to 5, on prompts that are not marked "
        "harmless. False refusals are refusals for safety of harmless prompts. Lines are 95% intervals."
    ),
    "grades": (
        "The mean grade that a judge gave to single responses of each model. The wide line is the 95% interval; the "
        "thin line, the lowest and highest value, whatever the missing grades would have been."
    ),
    "iterations": (
        "Sources one after the other, and models on the same prompts: how much the win rate against the same opponent, "
        "or the share of violations, of the model named first is above that of an earlier one."
    ),
    "collection": (
        "People who collected preferences compared a new model with the previous one, so their votes also say which is "
        "better: the win rate of the new model, step by step. Lines are 95% intervals."
    ),
    "agreement": (
        "1 is perfect agreement. AC1 and kappa are 0 for agreement by chance; the shares say how often a judge says "
        "what most people say."
    ),
    "people_and_judge": (
        "The win rate of people over all judged pairs, by prediction-powered inference: people voted on a random part "
        "of the pairs, the judge on all. The interval holds however good or bad the judge is. Ties count half."
    ),
    "leaderboard": (
        "Ratings by Bradley and Terry's model: with a rating higher by 1, a model wins 73% of the votes that are no "
        "tie, by 2, 88%. The chance that any interval or rank on a leaderboard is wrong is at most 5%."
    ),
    "length_controlled": (
        "The length-controlled win rate of AlpacaEval 2: the win rate that the model would have if its responses were "
        "as long as its opponent's. Ties count half; lines are 95% intervals."
    ),
    "imported_ratings": (
        "Ratings that others published, for comparison. No vote of this report is in them, and no number is made of "
        "them."
    ),
}
"""The text below each title; in that of win rates, {} stands for their definition."""
DRAWN = {
    "outcomes": drawings.outcomes,
    "win_rates": drawings.win_rates,
    "position": drawings.position,
    "safety": drawings.safety,
    "collection": drawings.collection,
    "agreement": drawings.agreement,
    "people_and_judge": drawings.people_and_judge,
    "leaderboard": drawings.leaderboard,
    "length_controlled": drawings.length_controlled,
}
NEED_VERDICTS = ("outcomes", "win_rates", "safety")
"""The sections whose numbers are missing where there is no verdict."""
