"""Puts together what the parts of a corpus say of the samples."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from curation.benchmarks.decon_index import DeconIndex
from curation.benchmarks.index import Integers
from curation.benchmarks.indexes import SpanIndex
from curation.contamination import found_matches, found_spans
from curation.contamination.best import Best, Span
from curation.contamination.counts import COUNTED, TOUCHED, Read
from curation.contamination.found_matches import Match
from curation.contamination.run import Search, index_of
from curation.contamination.searching import shard_entries
from curation.contamination.tables import samples_of
from curation.engine.shuffle import Keyed
from curation.engine.stages import Groups
from curation.release.folder import WORK
from curation.release.shards import ShardWriter
from curation.tokenizers.tokenizer import one_thread_each
from schemas.manifest import ShardEntry

REPORT = f"{WORK}/gathered.json"
SAMPLES_FILE = "samples.parquet"
_ROWS = 1024
"""Samples of a record batch."""
Columns = Callable[[range], dict[str, Any]]
"""The columns of the table of samples for some samples."""


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """The files that were written, and what was read of the corpus, see `Read`."""

    files: Mapping[str, ShardEntry]
    read: Mapping[str, int]


def gather(run: Search, key: int, groups: Groups) -> Iterator[Keyed]:
    """Stage: writes the table of samples, and a report with all files and counts."""
    index, samples = index_of(run)
    documents = np.zeros(len(samples), np.int64)
    for blob in groups["counted"]:
        held = np.frombuffer(blob, COUNTED)
        documents[held["sample"]] += held["documents"]
    if isinstance(index, DeconIndex):
        columns = _columns_of_matches(index, groups, documents)
    else:
        columns = _columns_of_spans(index, samples, groups, documents)
    table = samples_of(run.settings.definition)
    with one_thread_each(), ShardWriter(run.folder, SAMPLES_FILE, table.schema) as writer:
        for start in range(0, len(samples), _ROWS):
            writer.write(table.batch(columns(range(start, min(start + _ROWS, len(samples))))))
    read = np.zeros(len(Read._fields), np.int64)
    for blob in groups["read"]:
        read += np.frombuffer(blob, np.int64)
    files = {**shard_entries(groups["entries"]), SAMPLES_FILE: writer.entry()}
    report = Gathered(files=files, read=dict(zip(Read._fields, map(int, read), strict=True)))
    run.folder.write_json(REPORT, report)
    yield from ()


def _columns_of_matches(index: DeconIndex, groups: Groups, documents: Integers) -> Columns:
    best: Best[Match] = Best(len(documents))
    for blob in groups["best"]:
        for sample, *match in json.loads(blob):
            best.add(sample, Match(*match))
    return lambda numbers: found_matches.sample_rows(index, numbers, documents, best)


def _columns_of_spans(index: SpanIndex, samples: pa.Table, groups: Groups, documents: Integers) -> Columns:
    longest = np.zeros(len(index.tokens), np.int64)
    for blob in groups["touched"]:
        held = np.frombuffer(blob, TOUCHED)
        longest[held["token"]] = np.maximum(longest[held["token"]], held["longest"])
    best: Best[Span] = Best(len(documents))
    for blob in groups["best"]:
        for sample, *span in json.loads(blob):
            best.add(sample, Span(*span))
    return lambda numbers: found_spans.sample_rows(index, samples, numbers, longest, documents, best)
