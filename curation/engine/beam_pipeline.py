"""The wiring of a run on a runner of Beam, which carries packed hashes and row ids, never text."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from curation.engine import stages
from curation.engine.run import StageRun
from curation.engine.shuffle import Keyed
from curation.engine.stages import Stage
from curation.sources.inputs import Unit

Blobs = Any
"""A PCollection of Keyed; Beam has no types."""


@dataclass(frozen=True)
class BeamPipeline:
    """Adds stages to ``pipeline``, which calls them when it runs."""

    pipeline: Any

    def start(
        self, label: str, stage: Stage, run: StageRun, keys: Sequence[int], elements: Sequence[Unit | int] = ()
    ) -> Blobs:
        started = self.pipeline | f"{label}: keys" >> beam.Create([(key, []) for key in elements or keys])
        return started | label >> _calls(label, stage, run)

    def join(self, label: str, stage: Stage, run: StageRun, keys: Sequence[int], *inputs: Blobs) -> Blobs:
        """A single collection is flattened, too: job servers for Flink and Spark (such as 2.62) reject a pipeline that
        flattens a collection with others in one place and groups it directly in another (apache/beam issue 34647).
        """
        grouped = inputs | f"{label}: all" >> beam.Flatten() | f"{label}: by key" >> beam.GroupByKey()
        return grouped | label >> _calls(label, stage, run)

    def each(self, label: str, call: Callable[[int], None], keys: Sequence[int]) -> None:
        """Calls a function that yields nothing with each key, wherever the runner has a worker."""
        spread = self.pipeline | f"{label}: keys" >> beam.Create(keys) | f"{label}: spread" >> beam.Reshuffle()
        spread | label >> beam.Map(call)

    def marks(self, keys: Sequence[int]) -> Blobs:
        return self.pipeline | "marks" >> beam.Create([stages.mark(key) for key in keys])


def _calls(label: str, stage: Stage, run: StageRun) -> Any:
    return beam.ParDo(_Stage(label, stage, run)).with_output_types(Keyed)


class _Stage(beam.DoFn):  # type: ignore[misc]
    """Calls a stage with a key and all blobs of that key."""

    def __init__(self, label: str, stage: Stage, run: StageRun):
        self.label, self.stage, self.run = label, stage, run

    def process(self, element: tuple[Unit | int, Iterable[bytes]]) -> Iterator[Keyed]:
        key, blobs = element
        yield from stages.call(self.run, self.label, self.stage, key, list(blobs), ())
