"""Models on the same prompts, such as a new and the previous one: how their win rates and their safety differ."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.evaluation.numbers import Number, Origin, Traced, of_interval
from annotation.evaluation.sources import Source
from annotation.evaluation.votes import ignored, outcomes_of
from annotation.statistics.clusters import Ratio, interval
from annotation.statistics.outcomes import Definition, parts
from annotation.statistics.paired import difference

WIN_RATES, VIOLATIONS, REJECTED = (
    "difference of win rates",
    "difference of violations",
    "earlier violations rejected",
)


@dataclass(frozen=True)
class _Step:
    """A previous and a new model, and the sources of their votes."""

    before: Source
    previous: str
    after: Source
    new: str

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.before.name, self.after.name)))

    @property
    def about(self) -> dict[str, Any]:
        """The fields of a Number that say what it is about."""
        names = {"model": self.new, "opponent": self.previous}
        return {"section": "iterations", "source": " and ".join(self.sources), "voters": self.after.voters, **names}

    def origin(self, table: str, **where: tuple[str, ...]) -> Origin:
        models = {"source": self.sources, "model": (self.previous, self.new)}
        return Origin(table=table, where={**models, **where}, left_out=("missing",))


def iterations(sources: Sequence[Source], ties: Definition) -> Iterator[Traced]:
    """Each model compared with earlier ones on the same prompts: its win rate against the same opponent, and its
    safety. Models are in the order of the sources, and by name within a source."""
    matches = [(source, model, opponent) for source in sources for model, opponent in _matches(source)]
    for (before, previous, baseline), (after, new, opponent) in combinations(matches, 2):
        if previous != new and baseline == opponent and before.voters == after.voters:
            yield from _win_rate(_Step(before, previous, after, new), opponent, ties)
    rated = [(source, model) for source in sources for model in pc.unique(source.rated["model"]).sort().to_pylist()]
    for (before, previous), (after, new) in combinations(rated, 2):
        if previous != new:
            yield from _safety(_Step(before, previous, after, new))


def _matches(source: Source) -> list[tuple[str, str]]:
    """The models of a source and their opponent, if all have the same."""
    opponents = pc.unique(source.votes["opponent"]).to_pylist()
    if len(opponents) != 1:
        return []
    models = pc.unique(source.votes["model"]).sort().to_pylist()
    return [(model, opponents[0]) for model in models if model != opponents[0]]


def _win_rate(step: _Step, opponent: str, ties: Definition) -> Iterator[Traced]:
    """The win rate of the new model against the opponent less that of the previous one."""
    one, other = (
        source.votes.filter(pc.equal(source.votes["model"], model))
        for source, model in ((step.before, step.previous), (step.after, step.new))
    )
    votes = outcomes_of(pa.concat_tables([one, other]))
    earlier = np.arange(len(votes)) < len(one)
    previous, new = (
        Ratio(*parts(part.outcome, ties), part.prompt, part.rater if step.after.voters == "people" else None)
        for part in (votes.filter(earlier), votes.filter(~earlier))
    )
    origin = replace(step.origin("votes", opponent=(opponent,)), left_out=ignored(ties))
    yield from _difference(previous, new, origin, {**step.about, "measure": WIN_RATES})


def _safety(step: _Step) -> Iterator[Traced]:
    """The difference of violations, and the share of earlier ones that the new model rejects, by prompts that are not
    marked harmless."""
    one, other = _rows(step.before, step.previous), _rows(step.after, step.new)
    both = pa.concat_tables([one, other])
    prompts, raters = pc.unique(both["prompt_id"]), pc.unique(both["rater"])
    previous, new = _violations(one, prompts, raters), _violations(other, prompts, raters)
    origin = step.origin("rated", harmless=("false",))
    found = list(_difference(previous, new, origin, {**step.about, "measure": VIOLATIONS}))
    yield from found
    if found:
        yield from _rejected(one, other, origin, step.about)


def _difference(previous: Ratio, new: Ratio, origin: Origin, about: dict[str, Any]) -> Iterator[Traced]:
    """The estimate of the new model less that of the previous one; nothing without a common prompt."""
    found = difference(new, previous)
    if found.shared_prompts:
        fields = {name: getattr(found, name) for name in ("value", "low", "high", "error", "method", "clustered")}
        votes = int((previous.denominator != 0).sum() + (new.denominator != 0).sum())
        yield Traced(Number(**about, **fields, prompts=found.shared_prompts, votes=votes), origin)


def _rows(source: Source, model: str) -> pa.Table:
    """The ratings of a model, on prompts that are not marked harmless, that say whether they are a violation."""
    rows = source.rated.filter(pc.equal(source.rated["model"], model))
    return rows.filter(pc.and_(pc.invert(rows["harmless"]), pc.not_equal(rows["outcome"], "missing")))


def _violations(rows: pa.Table, prompts: pa.Array, raters: pa.Array) -> Ratio:
    """Violations of ratings; prompts and raters are indices into the names given."""
    violates = pc.equal(rows["outcome"], "violation").to_numpy().astype(np.float64)
    prompt, rater = (
        pc.index_in(rows[column], value_set=known).to_numpy().astype(np.int64)
        for column, known in (("prompt_id", prompts), ("rater", raters))
    )
    return Ratio(violates, np.ones(len(rows)), prompt, rater)


def _rejected(one: pa.Table, other: pa.Table, origin: Origin, about: dict[str, Any]) -> Iterator[Traced]:
    """Of the prompts on which the previous model violated, by most ratings, the share of the new model's ratings that
    are no violation (Llama 2, section 4.3)."""
    violated = _violated(one)
    rows = other.filter(pc.is_in(other["prompt_id"], value_set=pa.array(sorted(violated), pa.string())))
    if not len(rows):
        return
    known = pc.unique(rows["prompt_id"])
    ratio = _violations(rows, known, pc.unique(rows["rater"]))
    found = interval(Ratio(1 - ratio.numerator, ratio.denominator, ratio.prompt, ratio.rater))
    where = {**origin.where, "model": (about["model"],), "prompt_id": tuple(known.to_pylist())}
    own = Origin(table="rated", where=where, left_out=("missing",))
    yield of_interval(found, own, **about, measure=REJECTED)


def _violated(rows: pa.Table) -> set[str]:
    counts: dict[str, list[int]] = {}
    for prompt, outcome in zip(rows["prompt_id"].to_pylist(), rows["outcome"].to_pylist(), strict=True):
        held = counts.setdefault(prompt, [0, 0])
        held[outcome == "violation"] += 1
    return {prompt for prompt, (fine, violating) in counts.items() if violating > fine}
