"""The job on one page: plain functions, wired by Beam or called one after the other on this machine.

The job is two pipelines, with others before or between them if sites are removed, pieces are cut, or links are many.
When the pipeline that finds duplicates ends, the folder holds the edges between them. Stages exchange packed hashes,
row ids and sums, never text.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from curation.engine import stages
from curation.engine.run import Run, StageRun
from curation.engine.stages import Stage
from curation.sources.inputs import Unit

Output = TypeVar("Output")
"""The output of a stage: blobs of packed records, each under the integer key of a unit or of a partition of hashes."""


class Wiring(Protocol[Output]):
    """Calls stages, now or when the pipeline runs."""

    def start(
        self, label: str, stage: Stage, run: StageRun, keys: Sequence[int], elements: Sequence[Unit | int] = ()
    ) -> Output:
        """Calls a stage once for each key; ``elements`` replace the keys as the arguments of the calls."""
        ...

    def join(self, label: str, stage: Stage, run: StageRun, keys: Sequence[int], *inputs: Output) -> Output:
        """Calls a stage for each of ``keys`` that occurs in ``inputs``, with all blobs of the key. On this machine the
        stage is called for each of ``keys``."""
        ...

    def marks(self, keys: Sequence[int]) -> Output:
        """An input of ``join`` that makes a stage be called for each key, also if no other input has the key."""
        ...


def select(wiring: Wiring[Output], run: Run) -> None:
    """Writes the texts to take down for each unit of the release from which documents are taken down."""
    wiring.start("select", stages.select, run, range(run.first, run.all_units))


def find_near(wiring: Wiring[Output], run: Run) -> None:
    """Writes the near-duplicates of the texts to take down for each unit of the release."""
    wiring.start("near", stages.near, run, range(run.first, run.all_units))


def remove_sites(wiring: Wiring[Output], run: Run, units: Sequence[Unit | int]) -> None:
    """Reads and judges ``units``, and removes the documents of sites with much personal information from what passed. A
    pipeline of its own, as `find_cuts` is."""
    own, parts = range(run.first, run.all_units), range(run.partitions)
    judged = wiring.start("judge", stages.judge, run, own, units)
    sums = wiring.join("host-sums", stages.host_sums, run, own, judged)
    hosts = wiring.join("hosts", stages.hosts, run, parts, sums)
    wiring.join("sites", stages.without_sites, run, own, judged, hosts)


def find_duplicates(wiring: Wiring[Output], run: Run, units: Sequence[Unit | int]) -> None:
    """Reads and judges ``units`` (units of the input, or numbers of a release's units that are read again), and writes
    the edges between their documents and the releases' documents to the run's folder. Units that are read and judged
    already are not read again."""
    dedup = run.job.recipe.dedup
    every, parts = range(run.all_units), range(run.partitions)
    judged = wiring.start("judge", stages.judge, run, every, [*range(run.first), *units])
    edges: list[Output] = []
    if dedup.url:
        keys = wiring.join("url-keys", stages.url_keys, run, every, judged)
        edges.append(wiring.join("same-url", stages.same_url, run, parts, keys))
    if dedup.exact:
        keys = wiring.join("text-keys", stages.text_keys, run, every, judged, *edges)
        edges.append(wiring.join("same-text", stages.same_text, run, parts, keys))
    if dedup.near:
        bands = wiring.join("bands", stages.bands, run, every, judged, *edges)
        pairs = wiring.join("pairs", stages.pairs, run, parts, bands)
        signatures = wiring.join("signatures", stages.signatures, run, every, pairs)
        edges.append(wiring.join("compare", stages.compare, run, every, signatures))
    if edges:
        wiring.join("link", stages.link, run, every, judged, *edges)


def shrink_stars(wiring: Wiring[Output], run: Run) -> None:
    """One round of large-star and small-star: over the units' links in the first round, and then over the links that
    the previous round left."""
    parts = range(run.partitions)
    spread = wiring.start(f"spread-{run.stars:03d}", stages.spread, run, parts if run.stars else range(run.all_units))
    large = wiring.join(f"large-{run.stars:03d}", stages.large, run, parts, spread)
    wiring.join(f"small-{run.stars:03d}", stages.small, run, parts, large, wiring.marks(parts))


def find_cuts(wiring: Wiring[Output], run: Run) -> None:
    """Finds the pieces to cut out of the documents that stay, and writes them to the run's folder. A pipeline of its
    own, since Flink keeps buffers for all shuffles of a pipeline at once."""
    own, parts = range(run.first, run.all_units), range(run.partitions)
    marks = wiring.marks(range(run.all_units))
    survivors = _survivors(wiring, run, marks)
    keys = wiring.join("piece-keys", stages.piece_keys, run, own, *survivors, marks)
    repeated = wiring.join("repeated", stages.repeated, run, parts, keys)
    places = wiring.join("places", stages.places, run, own, *survivors, repeated)
    firsts = wiring.join("firsts", stages.firsts, run, parts, places)
    wiring.join("cuts", stages.cuts, run, own, *survivors, repeated, firsts, marks)


def write_corpus(wiring: Wiring[Output], run: Run) -> None:
    """Finds the survivor of each group of duplicates, and writes each unit's documents and duplicates."""
    every = range(run.all_units)
    dedup = run.job.recipe.dedup
    if not dedup.stages and dedup.pieces is None:
        wiring.start("write", stages.write, run, every)
        return
    marks = wiring.marks(every)
    survivors = _survivors(wiring, run, marks)
    asking = [*survivors, marks] if dedup.pieces else survivors
    requests = wiring.join("requests", stages.requests, run, every, *asking)
    names = wiring.join("names", stages.names, run, every, requests)
    wiring.join("write", stages.write, run, every, *survivors, names, marks)


def _survivors(wiring: Wiring[Output], run: Run, marks: Output) -> list[Output]:
    """The removed documents, each with its survivor; no output if no duplicates are removed."""
    if not run.job.recipe.dedup.stages:
        return []
    if run.stars is None:
        return [wiring.start("components", stages.components, run, range(1))]
    components = wiring.start("stars", stages.components, run, range(run.partitions))
    if not run.job.recipe.dedup.bounds_survivors:
        return [components]
    linked = wiring.join("clusters", stages.clusters, run, range(run.all_units), components, marks)
    return [wiring.join("choose", stages.choose, run, range(run.partitions), linked)]
