"""The job on one page: Beam wires plain functions together and carries packed hashes and row ids, never text.

The job is two pipelines: when the first one ends, the folder holds the edges between duplicates.
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
class Output:
    """The output of a stage that was called with ``keys``: blobs of packed records, each under the integer key of a
    unit or of a partition of hashes. In a local run the blobs are in the folder, and Beam carries only a sign that the
    calls are done."""

    label: str
    keys: Sequence[int]
    blobs: "beam.PCollection[Keyed]"


def select(pipeline: beam.Pipeline, run: Run) -> None:
    """Writes the texts to take down for each unit of the release from which documents are taken down."""
    _start(pipeline, "select", stages.select, run, range(run.first, run.all_units))


def find_near(pipeline: beam.Pipeline, run: Run) -> None:
    """Writes the near-duplicates of the texts to take down for each unit of the release."""
    _start(pipeline, "near", stages.near, run, range(run.first, run.all_units))


def find_duplicates(pipeline: beam.Pipeline, run: Run, units: Sequence[Unit | int]) -> None:
    """Reads and judges ``units`` (units of the input, or numbers of a release's units that are read again), and writes
    the edges between their documents and the releases' documents to the run's folder."""
    dedup = run.job.recipe.dedup
    every, parts = range(run.all_units), range(run.partitions)
    judged = _start(pipeline, "judge", stages.judge, run, every, [*range(run.first), *units])
    edges: list[Output] = []
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
    """One round of large-star and small-star: over the units' links in the first round, and then over the links that
    the previous round left."""
    parts = range(run.partitions)
    spread = _start(
        pipeline, f"spread-{run.stars:03d}", stages.spread, run, parts if run.stars else range(run.all_units)
    )
    large = _join(f"large-{run.stars:03d}", stages.large, run, parts, spread)
    _join(f"small-{run.stars:03d}", stages.small, run, parts, large, _marks(pipeline, parts))


def write_corpus(pipeline: beam.Pipeline, run: Run) -> None:
    """Finds the survivor of each group of duplicates, and writes each unit's documents and duplicates."""
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
    pipeline: beam.Pipeline,
    label: str,
    stage: Stage,
    run: Run,
    keys: Sequence[int],
    elements: Sequence[Unit | int] = (),
) -> Output:
    """Calls a stage once for each key; ``elements`` replace the keys as the arguments of the calls."""
    started = pipeline | f"{label}: keys" >> beam.Create([(key, []) for key in elements or keys])
    return Output(label, keys, started | label >> _calls(label, stage, run, keys))


def _marks(pipeline: beam.Pipeline, keys: Sequence[int]) -> Output:
    """Makes a stage be called for each key, also if no other input has the key."""
    return Output("marks", [], pipeline | "marks" >> beam.Create([stages.mark(key) for key in keys]))


def _join(label: str, stage: Stage, run: Run, keys: Sequence[int], *inputs: Output) -> Output:
    """Calls a stage for each of ``keys`` that occurs in ``inputs``, with all blobs of the key; in a local run for each
    key.

    A single collection is flattened, too: job servers for Flink and Spark (such as 2.62) reject a pipeline that
    flattens a collection with others in one place and groups it directly in another (apache/beam issue 34647).
    """
    blobs = [each.blobs for each in inputs if each.keys or not run.local]
    grouped = blobs | f"{label}: all" >> beam.Flatten() | f"{label}: by key" >> beam.GroupByKey()
    return Output(label, keys, grouped | label >> _calls(label, stage, run, keys, inputs))


def _calls(label: str, stage: Stage, run: Run, keys: Sequence[int], inputs: Sequence[Output] = ()) -> Any:
    sources = [(each.label, each.keys) for each in inputs]
    return beam.ParDo(_Stage(label, stage, run, keys, sources)).with_output_types(Keyed)


class _Stage(beam.DoFn):  # type: ignore[misc]
    """Runs a stage in this process, or in the run's worker processes, a bounded number of calls at a time.

    In a local run the only element says that all ``sources`` are done: the stage is then called with each of ``keys``.
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
