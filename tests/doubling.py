"""Whether work grows as its input does, measured so that a slow or busy machine makes no difference."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LINEAR = 8.0
"""Growth for four times the input that is still linear: 4 in theory, where a quadratic law gives 16."""


def growth(make: Callable[[int], T], work: Callable[[T], object], size: int) -> float:
    """Times as much CPU time that ``work`` takes for an input of four times the size; the best of several tries."""
    small, large = make(size), make(4 * size)
    ratios = []
    for _ in range(5):
        base = max(_seconds(work, small), 0.01)
        ratios.append(_seconds(work, large) / base)
        if ratios[-1] < LINEAR:
            break
    return min(ratios)


def _seconds(work: Callable[[T], object], value: T) -> float:
    begin = time.process_time()
    work(value)
    return time.process_time() - begin
