"""Whether work takes time in proportion to its input, on a machine of any speed that does other things too."""

import time
from collections.abc import Callable
from typing import Any

TIMES, LIMIT, TRIES = 4, 9.0, 8
"""Four times the input takes four times as long where the time is linear, and 16 times where it is quadratic."""


def assert_linear(work: Callable[[Any], object], make: Callable[[int], Any], size: int, floor: float = 0.0) -> None:
    """Fails where the work on ``make(TIMES * size)`` takes more than LIMIT times as long as on ``make(size)``.

    Compares CPU time, for each size the least of several tries. A smaller input that takes less than ``floor`` seconds
    counts as that long: below it, caches and the allocator decide.
    """
    inputs = make(size), make(TIMES * size)
    least = [float("inf")] * 2
    for _ in range(TRIES):
        for number, value in enumerate(inputs):
            started = time.process_time()
            work(value)
            least[number] = min(least[number], time.process_time() - started)
        if least[1] < LIMIT * max(least[0], floor):
            return
    raise AssertionError(f"{TIMES} times the input took {least[1] / least[0]:.1f} times the time, {least[1]:.2f} s")
