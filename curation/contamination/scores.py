"""Scores of a model on the samples of benchmarks, from rows of a file."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from curation.benchmarks.samples import ID
from curation.contamination.subsets import Floats
from schemas.errors import UserError


@dataclass(frozen=True, eq=False)
class Scores:
    """The score of each sample of all benchmarks; NaN for a sample without one. ``name`` says whose they are."""

    name: str
    sha256: str
    values: Floats


def read_scores(
    name: str, sha256: str, rows: Iterable[tuple[int, Mapping[str, Any]]], samples: pa.Table, id_field: str | None
) -> Scores:
    """The scores in rows with the sample's id, a number ``score`` and, if there are several benchmarks, ``benchmark``.

    Raises UserError for a row without these, for a sample that no benchmark has, and for a second score of a sample.
    """
    benchmarks = samples["benchmark"].to_pylist()
    only = benchmarks[0] if len(set(benchmarks)) == 1 else None
    known = {key: number for number, key in enumerate(zip(benchmarks, samples["sample_id"].to_pylist(), strict=True))}
    values = np.full(len(samples), np.nan)
    field = id_field or ID
    for number, row in rows:
        benchmark, sample_id = row.get("benchmark", only), row.get(field)
        if benchmark is None or sample_id is None:
            lacking = field if sample_id is None else "benchmark"
            raise UserError(f"{name}, row {number:,} has no {lacking}: give {field}, score and benchmark in each row")
        place = known.get((str(benchmark), str(sample_id)))
        if place is None:
            raise UserError(f"{name}, row {number:,}: the benchmark {benchmark} has no sample {sample_id!r}")
        if not math.isnan(values[place]):
            raise UserError(f"{name}, row {number:,}: the sample {sample_id!r} of {benchmark} has a score already")
        values[place] = _score(name, number, row.get("score"))
    return Scores(name, sha256, values)


def _score(name: str, number: int, value: Any) -> float:
    try:
        score = float(value)
    except (TypeError, ValueError, OverflowError):
        score = math.nan
    if not math.isfinite(score):
        raise UserError(f"{name}, row {number:,}: the score is {value!r}: give a number, such as 1 for a right answer")
    return score
