"""Where everything gathers in one place, no worker blows up and no stage waits for one of its keys."""

from pathlib import Path

import pytest

from tests.benchmarks.skew import race

ALL_ALIKE = "one document with another last word"
"""Every document is removed with several edges, where an even corpus has none: that is work, not waiting."""


@pytest.mark.soak
def test_skewed_corpora_take_at_most_twice_the_time_of_an_even_one(tmp_path: Path) -> None:
    for name, seconds, times, peak in race(tmp_path, 200_000):
        assert times <= (3.5 if name == ALL_ALIKE else 2.0), (name, seconds)
        assert peak <= 1_500_000_000, name
