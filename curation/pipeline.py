"""The job on one page: Beam wires plain functions together and carries packed hashes and row ids, never text.

It is two pipelines, one behind the other: which documents are alike is known in the folder when the first one ends.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from curation import stages
from curation.run import Run
from curation.shuffle import Keyed
from curation.sources.listing import Unit
from curation.stages import Stage
from curation.workers import current

Blobs: TypeAlias = "beam.PCollection[Keyed]"
"""Packed records of one kind under an integer key: a unit, or a partition of hashes."""


def find_duplicates(pipeline: beam.Pipeline, run: Run, units: Sequence[Unit | int]) -> None:
    """Reads and judges ``units`` (of the input, or numbers of those that are read again), and leaves the edges between
    their documents, and those of the releases, in the run's folder."""
    dedup = run.job.recipe.dedup
    started = pipeline | "units" >> beam.Create([(unit, []) for unit in [*range(run.first), *units]])
    judged = _call("judge", stages.judge, run, started)
    edges: list[Blobs] = []
    if dedup.url:
        keys = _join("url-keys", stages.url_keys, run, judged)
        edges.append(_join("same-url", stages.same_url, run, keys))
    if dedup.exact:
        keys = _join("text-keys", stages.text_keys, run, judged, *edges)
        edges.append(_join("same-text", stages.same_text, run, keys))
    if dedup.near:
        bands = _join("bands", stages.bands, run, judged, *edges)
        pairs = _join("pairs", stages.pairs, run, bands)
        signatures = _join("signatures", stages.signatures, run, pairs)
        edges.append(_join("compare", stages.compare, run, signatures))
    if edges:
        _join("link", stages.link, run, judged, *edges)


def shrink_stars(pipeline: beam.Pipeline, run: Run) -> None:
    """One round of large-star and small-star over all links: the units' in the first, what the last one left later."""
    parts = run.partitions if run.stars else run.all_units
    marks = pipeline | "every" >> beam.Create([stages.mark(partition) for partition in range(run.partitions)])
    links = pipeline | "links" >> beam.Create([(part, []) for part in range(parts)])
    spread = _call(f"spread-{run.stars:03d}", stages.spread, run, links)
    large = _join(f"large-{run.stars:03d}", stages.large, run, spread)
    _join(f"small-{run.stars:03d}", stages.small, run, marks, large)


def write_corpus(pipeline: beam.Pipeline, run: Run) -> None:
    """Names the survivors of what was linked, and writes each unit's documents and duplicates."""
    marks = pipeline | "units" >> beam.Create([stages.mark(unit) for unit in range(run.all_units)])
    if not run.job.recipe.dedup.stages:
        _join("write", stages.write, run, marks)
        return
    parts = [0] if run.stars is None else range(run.partitions)
    once = pipeline | "links" >> beam.Create([(part, []) for part in parts])
    survivors = _call("components" if run.stars is None else "stars", stages.components, run, once)
    requests = _join("requests", stages.requests, run, survivors)
    names = _join("names", stages.names, run, requests)
    _join("write", stages.write, run, marks, survivors, names)


def _join(label: str, stage: Stage, run: Run, *collections: Blobs) -> Blobs:
    """Calls a stage once for each key, with all the blobs that the collections hold under it.

    Even one collection is flattened: job servers for Flink and Spark (2.62 for one) refuse a pipeline in which a
    collection is flattened with others in one place and grouped as it is in another (apache/beam issue 34647).
    """
    together = collections | f"{label}: all" >> beam.Flatten()
    return _call(label, stage, run, together | f"{label}: by key" >> beam.GroupByKey())


def _call(label: str, stage: Stage, run: Run, grouped: Any) -> Blobs:
    return grouped | label >> beam.ParDo(_Stage(label, stage, run)).with_output_types(Keyed)


class _Stage(beam.DoFn):  # type: ignore[misc]
    """Runs a stage here, or in the run's worker processes, a bounded number of calls at a time."""

    def __init__(self, label: str, stage: Stage, run: Run):
        self.label, self.stage, self.run = label, stage, run

    def start_bundle(self) -> None:
        self.waiting: deque[Any] = deque()

    def process(self, element: tuple[Unit | int, Iterable[bytes]]) -> Iterator[Keyed]:
        key, blobs = element
        arguments = self.run, self.label, self.stage, key, list(blobs)
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
