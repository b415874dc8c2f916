"""A new model against the previous one, by the votes of people while they collect preferences."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from annotation.evaluation.numbers import Origin, Traced, of_interval
from annotation.evaluation.votes import ignored, left_out, outcomes_of
from annotation.journal.fold import Record
from annotation.protocols import PROTOCOLS
from annotation.statistics.clusters import Ratio, interval
from annotation.statistics.outcomes import Definition, bounds, parts

MEASURE = "win rate while collecting"


@dataclass(frozen=True)
class Step:
    """Two models that batches compare for training, and these batches."""

    new: str
    previous: str
    batches: tuple[str, ...]


def steps_of(record: Record) -> tuple[Step, ...]:
    """The steps from a previous to a new model (``pairs.policy = "new_vs_previous"``), in the order of their first
    batches. A campaign that measures models collects nothing, and has none."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, batch in record.batches.items():
        pairs = batch.asked.pairs
        if pairs.policy == "new_vs_previous" and PROTOCOLS[batch.asked.protocol].trains:
            found.setdefault((pairs.new or "", pairs.previous or ""), []).append(name)
    return tuple(Step(*models, tuple(batches)) for models, batches in found.items())


def collection(votes: pa.Table, steps: tuple[Step, ...], source: str, ties: Definition) -> Iterator[Traced]:
    """The win rate of the new model of each step against the previous one, by all votes on the two,
    also those of batches that compare further models, or the two in the other order of time."""
    for step in steps:
        both = pa.array([step.new, step.previous])
        own = pc.and_(pc.is_in(votes["model"], both), pc.is_in(votes["opponent"], both))
        rows = votes.filter(pc.and_(own, pc.not_equal(votes["model"], votes["opponent"])))
        whole = outcomes_of(rows)
        said = whole.of_model(step.new) if len(rows) else whole
        found = interval(Ratio(*parts(said.outcome, ties), said.prompt, said.rater))
        worst = bounds(said.outcome, ties)
        pair = (step.new, step.previous)
        made = of_interval(
            found,
            Origin(where={"source": (source,), "model": pair, "opponent": pair}, left_out=ignored(ties)),
            section="collection",
            source=source,
            voters="people",
            measure=MEASURE,
            model=step.new,
            opponent=step.previous,
            least=worst.low,
            most=worst.high,
            left_out=left_out(said, ignored(ties)),
        )
        batches = (
            f"batches {', '.join(step.batches)} compare" if step.batches[1:] else f"batch {step.batches[0]} compares"
        )
        method = f"{found.method}; all votes on the two models, which {batches} as new and previous"
        yield Traced(replace(made.number, method=method), made.origin)
