"""Win rates of a judge's verdicts, with intervals and bounds over what has no verdict, and the bias of position."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.evaluation.tables import JudgeTables
from annotation.evaluation.verdicts import NO_VERDICT
from annotation.evaluation.votes import OF_FIRST
from annotation.statistics.clusters import Interval, Ratio, interval
from annotation.statistics.outcomes import OUTCOMES, Bounds, Outcomes, bounds, coded, parts
from annotation.statistics.shares import Share

JUDGE = "judge"
"""The rater in outcomes of the judge that the manifest names."""


@dataclass(frozen=True)
class Match:
    """A model against an opponent, in pairs. ``inconsistent`` ties are among the ties.

    ``without`` counts the pairs without a verdict, by outcome; ``missing`` are prompts that one of the two models did
    not answer. ``rate`` is win / (win + loss) with its interval, clustered by prompt, and by rater if there are
    several; ``bounds`` are its lowest and highest value, whatever the missing verdicts would have been.
    """

    wins: int
    ties: int
    losses: int
    inconsistent: int
    without: Mapping[str, int]
    rate: Interval
    bounds: Bounds

    @property
    def total(self) -> int:
        return self.wins + self.ties + self.losses + sum(self.without.values())


@dataclass(frozen=True)
class Position:
    """How often the judge prefers the response that it sees first, in answers that prefer one.

    ``compared`` pairs have a verdict in both orders; ``changed`` of them have another verdict after the swap."""

    first: int
    second: int
    compared: int
    changed: int

    @property
    def share(self) -> float | None:
        """The share of the response shown first; 0.5 is no bias if both orders are asked."""
        decided = self.first + self.second
        return self.first / decided if decided else None


def verdict_outcomes(tables: JudgeTables) -> Outcomes:
    """The verdicts as votes, model A the first of each pair; and a ``missing`` vote for each prompt that
    one of two compared models did not answer."""
    verdicts = tables.verdicts
    columns = [verdicts[name].to_pylist() for name in ("prompt_id", "first_model", "second_model")]
    words = [OF_FIRST.get(outcome, outcome) for outcome in verdicts["outcome"].to_pylist()]
    missing = tables.missing
    prompts, first, second = ([*column, *(row[place] for row in missing)] for place, column in enumerate(columns))
    words += ["missing"] * len(missing)
    raters = [name or JUDGE for name in verdicts["rater"].to_pylist()] + [JUDGE] * len(missing)
    return Outcomes.of(prompts, raters, first, second, words)


def matches(tables: JudgeTables, baseline: str | None = None) -> dict[tuple[str, str], Match]:
    """The matches of the models that are compared, by (model, opponent), sorted. A baseline is each opponent; without
    it the model is the first of the two by name. Pairs of responses of the same model are left out."""
    votes = verdict_outcomes(tables)
    inconsistent = _inconsistent(tables)
    named = sorted({_named(*models, baseline) for models in tables.compared if models[0] != models[1]})
    return {models: _match(models, votes, inconsistent) for models in named}


def _match(models: tuple[str, str], votes: Outcomes, inconsistent: Mapping[frozenset[str], int]) -> Match:
    own = votes.of_model(*models) if {*models} <= {*votes.models} else votes.filter(np.zeros(len(votes), bool))
    counted = own.counts()
    return Match(
        counted["win"],
        counted["tie"],
        counted["loss"],
        inconsistent.get(frozenset(models), 0),
        {word: counted[word] for word in OUTCOMES[3:] if counted[word]},
        interval(Ratio(*parts(own.outcome, "decided"), own.prompt, own.rater)),
        bounds(own.outcome),
    )


def _named(first: str, second: str, baseline: str | None) -> tuple[str, str]:
    if baseline is not None:
        return (second, first) if first == baseline else (first, second)
    return (first, second) if first <= second else (second, first)


def _inconsistent(tables: JudgeTables) -> dict[frozenset[str], int]:
    """The number of inconsistent ties of each two models."""
    rows = tables.verdicts.filter(tables.verdicts["inconsistent"]).select(["first_model", "second_model"])
    found: dict[frozenset[str], int] = {}
    for row in rows.to_pylist():
        models = frozenset(row.values())
        found[models] = found.get(models, 0) + 1
    return found


def position(answers: pa.Table) -> Position:
    """The bias of position over all answers whose order is known, from the table ANSWERS."""
    answers = answers.filter(pc.is_valid(answers["swapped"]))
    said = answers["outcome"]
    first = pc.xor(pc.equal(said, "first"), answers["swapped"])
    decided = pc.is_in(said, value_set=pa.array(["first", "second"]))
    shown_first = _sum(pc.and_(first, decided))
    has_verdict = pc.invert(pc.is_in(said, value_set=pa.array(NO_VERDICT)))
    kept = answers.filter(has_verdict).group_by("pair_id", use_threads=False)
    pairs = kept.aggregate([("swapped", "count_distinct"), ("outcome", "count_distinct")])
    both = pairs.filter(pc.equal(pairs["swapped_count_distinct"], 2))
    changed = _sum(pc.equal(both["outcome_count_distinct"], 2))
    return Position(shown_first, _sum(decided) - shown_first, len(both), changed)


def longer(verdicts: pa.Table) -> Share:
    """How often the longer response, in characters, is preferred, of the verdicts that prefer one of two responses of
    different known lengths. A share far from a half may be a preference of the judge, or the longer ones are better."""
    decided = verdicts.filter(pc.is_in(verdicts["outcome"], value_set=pa.array(["first", "second"])))
    first, second = pc.utf8_length(decided["first"]), pc.utf8_length(decided["second"])
    apart = pc.fill_null(pc.not_equal(first, second), fill_value=False)
    chosen = pc.equal(pc.greater(first, second), pc.equal(decided["outcome"], "first"))
    return Share(_sum(pc.and_(apart, pc.fill_null(chosen, fill_value=False))), _sum(apart))


@dataclass(frozen=True)
class Mean:
    """The mean grade of a model's responses with its interval, clustered by prompt, and the lowest and highest mean
    that is possible, whatever the missing grades would have been. ``without`` counts responses without a grade, and as
    ``missing`` the prompts that the model did not answer."""

    rate: Interval
    without: Mapping[str, int]
    low: float
    high: float


def means(tables: JudgeTables, lowest: int, highest: int) -> dict[str, Mean]:
    """The mean grade of each model, sorted by name, on a scale from ``lowest`` to ``highest``."""
    return mean_grades(grade_rows(tables), lowest, highest)


def grade_rows(tables: JudgeTables) -> pa.Table:
    """prompt_id, model, grade and outcome of each response, and of each prompt that a model did not answer, sorted."""
    assert tables.grades is not None
    given = tables.grades.select(["prompt_id", "model", "grade", "outcome"])
    silent = tables.unanswered.select(["prompt_id", "model"])
    silent = silent.append_column("grade", pa.nulls(len(silent), pa.int64()))
    silent = silent.append_column("outcome", pa.array(["missing"] * len(silent), pa.string()))
    order = [(name, "ascending") for name in ("model", "prompt_id")]
    return pa.concat_tables([given, silent.cast(given.schema)]).sort_by(order)


def mean_grades(rows: pa.Table, lowest: int, highest: int) -> dict[str, Mean]:
    """As `means`, from rows as those of `grade_rows`."""
    found = {}
    for name in pc.unique(rows["model"]).sort().to_pylist():
        own = rows.filter(pc.equal(rows["model"], name))
        given = own.filter(pc.is_valid(own["grade"]))
        grade = given["grade"].to_numpy().astype(np.float64)
        mean = interval(Ratio(grade, np.ones(len(grade)), coded(given["prompt_id"].to_pylist())[1]), lowest, highest)
        without = Counter(own.filter(pc.is_null(own["grade"]))["outcome"].to_pylist())
        ends = ((float(grade.sum()) + end * without.total()) / len(own) for end in (lowest, highest))
        found[name] = Mean(mean, dict(sorted(without.items())), *ends)
    return found


def _sum(flags: pa.ChunkedArray) -> int:
    return int(pc.sum(flags).as_py() or 0)
