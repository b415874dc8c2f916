"""How fast packed sequences are read beside a copy and beside datasets, and in how much memory: small, with room for a
busy machine. `tests/benchmarks/reading.py` measures the bars."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.architecture.tree import ROOT


@pytest.fixture(scope="module")
def measured() -> Any:
    words = [sys.executable, "-m", "tests.benchmarks.reading", "--rows", "16384", "--gigabytes", "0.5", "--json"]
    return json.loads(subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


@pytest.mark.soak
def test_reading_is_much_faster_than_a_stream_of_parquet(measured: Any) -> None:
    rates = measured["rates"]
    assert rates["take"] > 20 * max(rates["datasets"], rates["datasets torch"])
    assert rates["stream"] > 10 * max(rates["datasets"], rates["datasets torch"])


@pytest.mark.soak
def test_reading_is_not_much_slower_than_a_copy(measured: Any) -> None:
    """Of a folder this small, opening takes as long as a copy where the processor's cache holds all of it."""
    assert measured["rates"]["take again"] > 0.4 * measured["rates"]["copy"]
    assert measured["rates"]["take"] > 0.2 * measured["rates"]["copy"]


@pytest.mark.soak
def test_memory_does_not_grow_with_the_dataset(measured: Any) -> None:
    assert measured["anonymous"] < 150_000_000
    assert measured["anonymous beyond torch"] < 50_000_000
