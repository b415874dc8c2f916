"""The job on one page: Beam wires plain functions together and carries packed hashes and row ids, never text."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from curation import stages
from curation.dedup import stages as dedup
from curation.run import Run
from curation.sources.listing import Unit
from curation.workers import current

Keyed = tuple[int, bytes]


def curate(pipeline: beam.Pipeline, run: Run, units: Sequence[Unit]) -> beam.PCollection[Keyed]:
    """Reads, judges, deduplicates and writes ``units`` into the run's folder; yields the index of each written unit."""
    at = _Stages(run)
    recipe = run.job.recipe.dedup
    judged = pipeline | "units" >> beam.Create(list(units)) | beam.Reshuffle() | at("judge", stages.judge)
    removed: dict[str, beam.PCollection[Keyed]] = {}
    if recipe.url:
        keys = judged | at.grouped("url keys", stages.url_keys, units=judged)
        removed["url"] = keys | at.grouped("same url", stages.same_url, keys=keys)
    if recipe.exact:
        keys = judged | at.grouped("text keys", stages.text_keys, units=judged, **removed)
        removed["exact"] = keys | at.grouped("same text", stages.same_text, keys=keys)
    if recipe.near:
        bands = judged | at.grouped("bands", stages.bands, units=judged, **removed)
        pairs = bands | at.grouped("pairs", stages.pairs, bands=bands)
        sent = pairs | at.grouped("signatures", stages.signatures, pairs=pairs)
        edges = sent | at.grouped("compare", stages.compare, signatures=sent) | beam.Values()
        removed["near"] = edges | "both ends" >> beam.FlatMap(dedup.by_both_ends).with_output_types(Keyed)
    if not removed:
        return judged | at.grouped("write", stages.write_unit, units=judged, survivors=None)
    links = [found | f"{name} links" >> beam.Values() for name, found in removed.items()]
    survivors = (
        links
        | beam.Flatten()
        | "components" >> beam.CombineGlobally(_Forest()).with_output_types(bytes)
        | "by loser" >> beam.FlatMap(dedup.by_loser).with_output_types(Keyed)
    )
    groups = {"survivors": survivors, **removed}
    asked = judged | at.grouped("requests", stages.requests, **groups)
    answers = asked | at.grouped("names", stages.names, requests=asked)
    return judged | at.grouped("write", stages.write_unit, units=judged, names=answers, **groups)


class _Stages:
    """Makes the transforms of one run."""

    def __init__(self, run: Run):
        self.run = run

    def __call__(self, label: str, function: Callable[..., stages.Results]) -> beam.PTransform:
        return label >> beam.ParDo(_Stage(function, self.run)).with_output_types(Keyed)

    def grouped(self, label: str, function: Callable[..., stages.Results], **groups: Any) -> beam.PTransform:
        return label >> _Grouped(function, self.run, groups)


class _Grouped(beam.PTransform):  # type: ignore[misc]
    """Calls a stage function once for each key, with the blobs that each collection holds under it."""

    def __init__(self, function: Callable[..., stages.Results], run: Run, groups: dict[str, Any]):
        super().__init__()
        self.function, self.run, self.groups = function, run, groups

    def expand(self, _: Any) -> beam.PCollection[Keyed]:
        given = {name: blobs for name, blobs in self.groups.items() if blobs is not None}
        return (
            given
            | beam.CoGroupByKey()
            | beam.ParDo(_Stage(self.function, self.run, tuple(self.groups))).with_output_types(Keyed)
        )


class _Stage(beam.DoFn):  # type: ignore[misc]
    """Runs a stage function here, or in the run's worker processes, a bounded number at a time."""

    def __init__(self, function: Callable[..., stages.Results], run: Run, names: tuple[str, ...] | None = None):
        self.function, self.run, self.names = function, run, names

    def start_bundle(self) -> None:
        self.waiting: deque[Any] = deque()

    def process(self, element: Any) -> Iterator[Keyed]:
        arguments = (element,) if self.names is None else self._grouped(element)
        workers = current()
        if workers is None:
            yield from self.function(self.run, *arguments)
            return
        self.waiting.append(workers.submit(self.function, self.run, *arguments))
        while len(self.waiting) > 2 * workers.count or (self.waiting and self.waiting[0].done()):
            yield from workers.result(self.waiting.popleft())

    def finish_bundle(self) -> Iterator[WindowedValue]:
        workers = current()
        while self.waiting and workers is not None:
            for result in workers.result(self.waiting.popleft()):
                yield WindowedValue(result, MIN_TIMESTAMP, [GlobalWindow()])

    def _grouped(self, element: tuple[int, dict[str, Iterable[bytes]]]) -> tuple[int, dict[str, list[bytes]]]:
        key, groups = element
        return key, {name: sorted(groups.get(name, [])) for name in self.names or ()}


class _Forest(beam.CombineFn):  # type: ignore[misc]
    """The components of all edges, as one packed forest; edges are compacted whenever 64 MB of them are held."""

    def create_accumulator(self) -> list[bytes]:
        return []

    def add_input(self, held: list[bytes], edges: bytes) -> list[bytes]:
        held.append(dedup.links([edges]))
        return self._compact(held) if sum(map(len, held)) > 64 << 20 else held

    def merge_accumulators(self, accumulators: Iterable[list[bytes]]) -> list[bytes]:
        return self._compact([blob for held in accumulators for blob in held])

    def extract_output(self, held: list[bytes]) -> bytes:
        return self._compact(held)[0]

    def _compact(self, held: list[bytes]) -> list[bytes]:
        return [dedup.merged(held)]
