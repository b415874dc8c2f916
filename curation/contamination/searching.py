"""Searches a part of the corpus: writes the part's contaminated documents, and returns what it says of the samples."""

import json
from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from curation.benchmarks.decon_index import DeconIndex
from curation.contamination.counts import COUNTED, records
from curation.contamination.found_matches import FoundMatches
from curation.contamination.found_spans import FoundSpans
from curation.contamination.run import Search, index_of
from curation.contamination.tables import documents_of
from curation.engine.shuffle import Keyed
from curation.engine.stages import Groups, of_kind
from curation.release.shards import ShardWriter, shard_name
from curation.tokenizers.tokenizer import one_thread_each
from schemas.manifest import ShardEntry


def search_part(run: Search, key: int, groups: Groups) -> Iterator[Keyed]:
    """Stage: searches part ``key`` of the corpus."""
    with one_thread_each():
        index, samples = index_of(run)
        found = FoundMatches(index, samples) if isinstance(index, DeconIndex) else FoundSpans(index, samples)
        name = shard_name("documents", key)
        with ShardWriter(run.folder, name, documents_of(run.settings.definition).schema) as writer:
            for batch in run.corpus.batches(run.parts[key]):
                writer.write(found.search(batch))
    entry = {name: asdict(writer.entry())}
    yield from of_kind("entries", [(0, json.dumps(entry).encode())])
    yield from of_kind("read", [(0, np.array(found.read, np.int64).tobytes())])
    if isinstance(found, FoundSpans):
        yield from of_kind("touched", [(0, found.touched().tobytes())])
    held = np.flatnonzero(found.documents)
    yield from of_kind("counted", [(0, records(COUNTED, held, found.documents[held]).tobytes())])
    best = [[sample, *each] for sample, each in found.best]
    yield from of_kind("best", [(0, json.dumps(best, ensure_ascii=False).encode())] if best else [])


def shard_entries(blobs: list[bytes]) -> dict[str, ShardEntry]:
    """The manifest's entries from blobs of the kind ``entries``."""
    return {name: ShardEntry(**entry) for blob in blobs for name, entry in json.loads(blob).items()}
