"""The table of subsets: for each benchmark, each file of scores and each L."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.benchmarks import decon, ngrams
from curation.benchmarks.settings import LENGTHS
from curation.contamination.scores import Scores
from curation.contamination.subsets import Floats, is_evident, subsets
from curation.contamination.tables import SUBSETS


def subset_rows(samples: pa.Table, scores: Sequence[Scores]) -> pa.RecordBatch:
    """The rows of SUBSETS, from rows of the table of samples and the files of scores; without scores, one set of rows
    that has none. Samples without a score do not count for a file of scores that has the score of another sample
    of their benchmark."""
    rows = []
    benchmarks = samples["benchmark"].to_numpy(zero_copy_only=False)
    for benchmark in dict.fromkeys(benchmarks.tolist()):
        own = np.flatnonzero(benchmarks == benchmark)
        rows += list(_rows(samples.take(pa.array(own)), benchmark, own, scores))
    columns = {name: [row[name] for row in rows] for name in SUBSETS.columns.names}
    return SUBSETS.batch(columns, len(rows))


def _rows(
    samples: pa.Table, benchmark: str, own: npt.NDArray[np.intp], scores: Sequence[Scores]
) -> Iterator[dict[str, object]]:
    scored: list[Scores | None] = [each for each in scores if not np.isnan(each.values[own]).all()]
    for each in scored or [None]:
        values = None if each is None else each.values[own]
        held = np.ones(len(own), np.bool_) if values is None else ~np.isnan(values)
        for length, contamination, groups in _measured(samples.filter(pa.array(held))):
            found = subsets(contamination, None if values is None else values[held], groups)
            for subset in found:
                yield {
                    "benchmark": benchmark,
                    "scores": None if each is None else each.name,
                    "length": length,
                    "subset": subset.name,
                    "contamination": subset.contamination,
                    "samples": subset.samples,
                    "mean": subset.mean,
                    "expected": subset.expected,
                    "z": subset.z,
                    "evident": is_evident(found) if groups is None else None,
                }


def _measured(samples: pa.Table) -> Iterator[tuple[int, Floats, Mapping[str, npt.NDArray[np.bool_]] | None]]:
    """For each L, or for the only size of n-grams, the contamination of some samples of a benchmark, and their subsets
    unless the definition is that of Llama 2."""
    if "left_out" in samples.column_names:
        left_out, found = samples["left_out"].to_numpy(), samples["contaminated"].to_numpy()
        groups = dict(zip(decon.SUBSETS, (left_out, ~left_out & ~found, found), strict=True))
        yield decon.QUESTION_NGRAM, samples["score"].to_numpy(), groups
        return
    if "dirty" not in samples.column_names:
        for length in LENGTHS:
            yield length, samples[f"contamination_{length}"].to_numpy(), None
        return
    for size in samples["ngram"].unique().to_pylist():
        dirty = samples["dirty"].to_numpy()
        yield size, samples["contamination"].to_numpy(), dict(zip(ngrams.SUBSETS, (~dirty, dirty), strict=True))
