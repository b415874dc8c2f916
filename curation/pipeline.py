"""The job on one page: Beam wires plain functions together and carries packed hashes and row ids, never text."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from curation import stages
from curation.run import Run
from curation.sources.listing import Unit
from curation.stages import Groups, Stage
from curation.workers import current

Keyed = tuple[int, bytes]
Blobs: TypeAlias = "beam.PCollection[Keyed]"
"""Packed records of one kind under an integer key: a unit, or a partition of hashes."""


def curate(pipeline: beam.Pipeline, run: Run, units: Sequence[Unit]) -> Blobs:
    """Reads, judges, deduplicates and writes ``units`` into the run's folder; yields the index of each written unit."""
    dedup = run.job.recipe.dedup
    judged = pipeline | "units" >> beam.Create(list(units)) | _call("judge", stages.judge, run)
    removed: list[Blobs] = []
    if dedup.url:
        keys = _join("url keys", stages.url_keys, run, judged)
        removed.append(_join("same url", stages.same_url, run, keys))
    if dedup.exact:
        keys = _join("text keys", stages.text_keys, run, judged, *removed)
        removed.append(_join("same text", stages.same_text, run, keys))
    if dedup.near:
        bands = _join("bands", stages.bands, run, judged, *removed)
        pairs = _join("pairs", stages.pairs, run, bands)
        signatures = _join("signatures", stages.signatures, run, pairs)
        removed.append(_join("compare", stages.compare, run, signatures))
    if not removed:
        return _join("write", stages.write, run, judged)
    links = _each("links", stages.links, removed)
    survivors = _join("components", stages.components, run, links)
    edges = _each("edges", stages.edges, removed)
    requests = _join("requests", stages.requests, run, survivors, edges)
    names = _join("names", stages.names, run, requests)
    return _join("write", stages.write, run, judged, survivors, edges, names)


def _call(label: str, stage: Stage, run: Run) -> beam.PTransform:
    return label >> beam.ParDo(_Stage(stage, run)).with_output_types(Keyed)


def _join(label: str, stage: Stage, run: Run, *collections: Blobs) -> Blobs:
    """Calls a stage once for each key, with all the blobs that the collections hold under it."""
    together = collections[0] if len(collections) == 1 else collections | f"{label}: all" >> beam.Flatten()
    return together | f"{label}: by key" >> beam.GroupByKey() | _call(label, stage, run)


def _each(label: str, function: Any, collections: Sequence[Blobs]) -> Blobs:
    """Calls a light function with each blob where it is."""
    together = tuple(collections) | f"{label}: all" >> beam.Flatten()
    return together | label >> beam.FlatMap(function).with_output_types(Keyed)


class _Stage(beam.DoFn):  # type: ignore[misc]
    """Runs a stage here, or in the run's worker processes, a bounded number of calls at a time."""

    def __init__(self, stage: Stage, run: Run):
        self.stage, self.run = stage, run

    def start_bundle(self) -> None:
        self.waiting: deque[Any] = deque()

    def process(self, element: Any) -> Iterator[Keyed]:
        arguments = (element,) if isinstance(element, Unit) else _grouped(element)
        workers = current()
        if workers is None:
            yield from self.stage(self.run, *arguments)
            return
        self.waiting.append(workers.submit(self.stage, self.run, *arguments))
        while len(self.waiting) > 2 * workers.count or (self.waiting and self.waiting[0].done()):
            yield from workers.result(self.waiting.popleft())

    def finish_bundle(self) -> Iterator[WindowedValue]:
        workers = current()
        while self.waiting and workers is not None:
            for result in workers.result(self.waiting.popleft()):
                yield WindowedValue(result, MIN_TIMESTAMP, [GlobalWindow()])


def _grouped(element: tuple[int, Iterable[bytes]]) -> tuple[int, Groups]:
    """The key, and its blobs by kind, each kind sorted: the order of arrival is the runner's."""
    key, blobs = element
    groups = Groups()
    for blob in sorted(blobs):
        groups.add(blob)
    return key, groups
