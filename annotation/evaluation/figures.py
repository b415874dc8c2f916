"""The win rates of a source, as numbers: between each two models, in all and by category."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.evaluation.human_rates import KINDS
from annotation.evaluation.numbers import Origin, Traced, of_interval
from annotation.evaluation.sources import Source
from annotation.evaluation.votes import coded, ignored, left_out, outcomes_of
from annotation.statistics.clusters import Ratio, interval
from annotation.statistics.outcomes import LOSS, OUTCOMES, TIE, WIN, Definition, Floats, Ints, Outcomes, bounds, parts
from schemas.evaluation import NO_VERDICT

WORDS = {
    "decided": "wins / (wins + losses)",
    "half": "(wins + half of the ties) / all votes with a verdict",
}
"""How each definition of a win rate counts."""


@dataclass(frozen=True)
class Group:
    """The votes on a model against an opponent: all of them, or those whose column ``kind`` is ``group``."""

    source: Source
    model: str
    opponent: str
    votes: Outcomes
    kind: str = "all"
    group: str = ""

    def origin(self, *left_out: str) -> Origin:
        where = {"source": (self.source.name,), "model": (self.model,), "opponent": (self.opponent,)}
        if self.kind != "all":
            where[self.kind] = (self.group,)
        return Origin(where=where, left_out=left_out)

    @property
    def about(self) -> dict[str, str]:
        """The fields of a Number that say what it is about."""
        names = {"model": self.model, "opponent": self.opponent, "kind": self.kind, "group": self.group}
        return {"source": self.source.name, "voters": self.source.voters, **names}


def groups(source: Source) -> Iterator[Group]:
    """The votes on each two models, sorted by name: all of them, then those of each kind and group.

    Two responses of one model are left out: they say nothing about other models. A kind with a single group of all
    votes is left out.
    """
    votes = outcomes_of(source.votes)
    kinds = {kind: coded(source.votes[kind]) for kind in KINDS}
    match = votes.model_a * max(len(votes.models), 1) + votes.model_b
    for place, rows in _split(match, np.arange(len(match))):
        model, opponent = (votes.models[each] for each in divmod(place, len(votes.models)))
        if model == opponent:
            continue
        yield Group(source, model, opponent, votes.take(rows))
        for kind, (names, code) in kinds.items():
            parts_of = [part for part in _split(code[rows], rows) if part[0] >= 0]
            if len(parts_of) > 1 or any(len(part) < len(rows) for _, part in parts_of):
                for number, part in parts_of:
                    yield Group(source, model, opponent, votes.take(part), kind, names[number])


def _split(code: Ints, rows: Ints) -> Iterator[tuple[int, Ints]]:
    """The rows of each code, in the order of codes."""
    order = np.argsort(code, kind="stable")
    found, starts = np.unique(code[order], return_index=True)
    for place, part in zip(found, np.split(rows[order], starts[1:]), strict=False):
        yield int(place), part


def outcome_shares(group: Group) -> Iterator[Traced]:
    """The shares of wins, ties and losses among the votes with a verdict (Figure 1 of Llama 2)."""
    votes = group.votes
    for code in (WIN, TIE, LOSS):
        counted = votes.decided.astype(np.float64)
        found = interval(Ratio((votes.outcome == code).astype(np.float64), counted, votes.prompt, votes.rater))
        about = {**group.about, "section": "outcomes", "measure": OUTCOMES[code]}
        yield of_interval(found, group.origin(*NO_VERDICT), **about, left_out=left_out(votes, NO_VERDICT))


def win_rate(group: Group, ties: Definition) -> Traced:
    """The win rate, with its worst-case bounds over votes without a verdict (Figure 2 of Llama 2)."""
    votes = group.votes
    found = interval(Ratio(*parts(votes.outcome, ties), votes.prompt, votes.rater))
    worst = bounds(votes.outcome, ties)
    return of_interval(
        found,
        group.origin(*ignored(ties)),
        **group.about,
        section="win_rates",
        measure="win rate",
        least=worst.low,
        most=worst.high,
        left_out=left_out(votes, ignored(ties)),
    )


def position(source: Source) -> Iterator[Traced]:
    """How often a judge prefers the response that it sees first, and how often its verdict changes with the order."""
    about = {"section": "position", "source": source.name, "voters": source.voters}
    shown = source.shown
    if not len(shown):
        return
    first = pc.equal(shown["outcome"], "shown_first").to_numpy().astype(np.float64)
    decided = pc.is_in(shown["outcome"], value_set=pa.array(["shown_first", "shown_second"])).to_numpy()
    where = {"source": (source.name,)}
    found = interval(Ratio(first, decided.astype(np.float64), _codes(shown)))
    yield of_interval(
        found, Origin(table="shown", where=where, left_out=ignored("decided")), **about, measure="shown first"
    )
    if source.orders == "both":
        changed = pc.cast(source.votes["inconsistent"], pa.float64()).to_numpy()
        verdicts = pc.invert(pc.is_in(source.votes["outcome"], value_set=pa.array(NO_VERDICT)))
        found = interval(Ratio(changed, _numbers(verdicts), _codes(source.votes)))
        yield of_interval(found, Origin(where=where, left_out=NO_VERDICT), **about, measure="changed by order")


def _numbers(flags: pa.ChunkedArray) -> Floats:
    return np.asarray(flags.to_numpy(), np.float64)


def _codes(rows: pa.Table) -> Ints:
    return np.asarray(pc.index_in(rows["prompt_id"], value_set=pc.unique(rows["prompt_id"])).to_numpy(), np.int64)


def figures(source: Source, ties: Definition) -> list[Traced]:
    """The numbers of a source."""
    found = list(groups(source))
    shares = [each for group in found for each in outcome_shares(group)]
    return [*shares, *(win_rate(group, ties) for group in found), *position(source)]
