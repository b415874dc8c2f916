"""Where everything gathers in one place, no worker blows up and no stage waits for one of its keys.

`make bench LARGE=1000` measures the bars at 200,000 documents. This law is smaller, and its bounds leave room for a
busy machine: work that grows with the square of a key would still break them.
"""

from pathlib import Path

import pytest

from tests.benchmarks.skew import most_times, race


@pytest.mark.soak
def test_skewed_corpora_take_not_much_longer_than_an_even_one(tmp_path: Path) -> None:
    for name, seconds, times, peak in race(tmp_path, 60_000, rounds=1):
        assert times <= 2 * most_times(name), (name, seconds)
        assert peak <= 1_500_000_000, name
