"""The job on one page: Beam wires plain functions together and carries packed hashes and row ids, never text.

It is two pipelines, one behind the other: which documents are alike is known in the folder when the first one ends.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from curation.engine import stages
from curation.engine.run import Run
from curation.engine.shuffle import Keyed
from curation.engine.stages import Stage
from curation.engine.workers import current
from curation.sources.inputs import Unit


@dataclass(frozen=True)
class Left:
    """What a stage left that was called with these keys: packed records of one kind, each under the integer key of a
    unit or of a partition of hashes. In a local run they lie in the folder, and Beam holds only that they are there."""

    label: str
    keys: Sequence[int]
    blobs: "beam.PCollection[Keyed]"


def select(pipeline: beam.Pipeline, run: Run) -> None:
    """Leaves, of each unit of a release from which documents are taken down, which texts these have."""
    _start(pipeline, "select", stages.select, run, range(run.first, run.all_units))


def find_near(pipeline: beam.Pipeline, run: Run) -> None:
    """Leaves, of each of these units, what is nearly the same as what is taken down."""
    _start(pipeline, "near", stages.near, run, range(run.first, run.all_units))


def find_duplicates(pipeline: beam.Pipeline, run: Run, units: Sequence[Unit | int]) -> None:
    """Reads and judges ``units`` (of the input, or numbers of those that are read again), and leaves the edges between
    their documents, and those of the releases, in the run's folder."""
    dedup = run.job.recipe.dedup
    every, parts = range(run.all_units), range(run.partitions)
    judged = _start(pipeline, "judge", stages.judge, run, every, [*range(run.first), *units])
    edges: list[Left] = []
    if dedup.url:
        keys = _join("url-keys", stages.url_keys, run, every, judged)
        edges.append(_join("same-url", stages.same_url, run, parts, keys))
    if dedup.exact:
        keys = _join("text-keys", stages.text_keys, run, every, judged, *edges)
        edges.append(_join("same-text", stages.same_text, run, parts, keys))
    if dedup.near:
        bands = _join("bands", stages.bands, run, every, judged, *edges)
        pairs = _join("pairs", stages.pairs, run, parts, bands)
        signatures = _join("signatures", stages.signatures, run, every, pairs)
        edges.append(_join("compare", stages.compare, run, every, signatures))
    if edges:
        _join("link", stages.link, run, every, judged, *edges)


def shrink_stars(pipeline: beam.Pipeline, run: Run) -> None:
    """One round of large-star and small-star over all links: the units' in the first, what the last one left later."""
    parts = range(run.partitions)
    spread = _start(
        pipeline, f"spread-{run.stars:03d}", stages.spread, run, parts if run.stars else range(run.all_units)
    )
    large = _join(f"large-{run.stars:03d}", stages.large, run, parts, spread)
    _join(f"small-{run.stars:03d}", stages.small, run, parts, large, _marks(pipeline, parts))


def write_corpus(pipeline: beam.Pipeline, run: Run) -> None:
    """Names the survivors of what was linked, and writes each unit's documents and duplicates."""
    every = range(run.all_units)
    if not run.job.recipe.dedup.stages:
        _start(pipeline, "write", stages.write, run, every)
        return
    if run.stars is None:
        survivors = _start(pipeline, "components", stages.components, run, range(1))
    else:
        survivors = _start(pipeline, "stars", stages.components, run, range(run.partitions))
    requests = _join("requests", stages.requests, run, every, survivors)
    names = _join("names", stages.names, run, every, requests)
    _join("write", stages.write, run, every, survivors, names, _marks(pipeline, every))


def _start(
    pipeline: beam.Pipeline, label: str, stage: Stage, run: Run, keys: Sequence[int], told: Sequence[Unit | int] = ()
) -> Left:
    """Calls a stage once for each key; ``told`` are the keys as the stage is told them."""
    started = pipeline | f"{label}: keys" >> beam.Create([(key, []) for key in told or keys])
    return Left(label, keys, started | label >> _calls(label, stage, run, keys))


def _marks(pipeline: beam.Pipeline, keys: Sequence[int]) -> Left:
    """What brings a stage a call for each key, where nothing else may lead to it."""
    return Left("marks", [], pipeline | "marks" >> beam.Create([stages.mark(key) for key in keys]))


def _join(label: str, stage: Stage, run: Run, keys: Sequence[int], *left: Left) -> Left:
    """Calls a stage for each of ``keys`` under which there is something, with all of it; in a local run for each key.

    Even one collection is flattened: job servers for Flink and Spark (2.62 for one) refuse a pipeline in which a
    collection is flattened with others in one place and grouped as it is in another (apache/beam issue 34647).
    """
    blobs = [each.blobs for each in left if each.keys or not run.local]
    grouped = blobs | f"{label}: all" >> beam.Flatten() | f"{label}: by key" >> beam.GroupByKey()
    return Left(label, keys, grouped | label >> _calls(label, stage, run, keys, left))


def _calls(label: str, stage: Stage, run: Run, keys: Sequence[int], left: Sequence[Left] = ()) -> Any:
    sources = [(each.label, each.keys) for each in left]
    return beam.ParDo(_Stage(label, stage, run, keys, sources)).with_output_types(Keyed)


class _Stage(beam.DoFn):  # type: ignore[misc]
    """Runs a stage here, or in the run's worker processes, a bounded number of calls at a time.

    In a local run one element says that all ``sources`` are done: then it is called with each of ``keys``.
    """

    def __init__(self, label: str, stage: Stage, run: Run, keys: Sequence[int], sources: stages.Sources):
        self.label, self.stage, self.run, self.keys, self.sources = label, stage, run, keys, sources

    def start_bundle(self) -> None:
        self.waiting: deque[Any] = deque()

    def process(self, element: tuple[Unit | int, Iterable[bytes]]) -> Iterator[Keyed]:
        key, blobs = element
        if self.run.local and self.sources:
            for each in self.keys:
                yield from self._call(each, [])
        else:
            yield from self._call(key, list(blobs))

    def _call(self, key: Unit | int, blobs: list[bytes]) -> Iterator[Keyed]:
        arguments = self.run, self.label, self.stage, key, blobs, self.sources
        workers = current()
        if workers is None:
            yield from stages.call(*arguments)
            return
        self.waiting.append(workers.submit(stages.call, *arguments))
        while len(self.waiting) > 2 * workers.count or (self.waiting and self.waiting[0].done()):
            yield from workers.result(self.waiting.popleft())

    def finish_bundle(self) -> Iterator[WindowedValue]:
        workers = current()
        while self.waiting and workers is not None:
            for result in workers.result(self.waiting.popleft()):
                yield WindowedValue(result, MIN_TIMESTAMP, [GlobalWindow()])
