"""Decorators that compile kernels: to machine code that is cached beside the sources and releases the GIL."""

from typing import Any

from numba import njit

_EVERY: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy"}
_UNCOUNTED: dict[str, Any] = {**_EVERY, "_nrt": False}

kernel = njit(**_EVERY)
"""For functions that make arrays, or copy part of an array by a slice."""

leaf = njit(**_UNCOUNTED)
"""For functions that make no array: references to their arguments are not counted, since counting would cost more than
the work of a short function."""

inner = njit(**_UNCOUNTED, forceinline=True)
"""A `leaf` that is inlined into its caller."""

inline = njit(**_EVERY, inline="always")
"""For named expressions: numba inlines them before it infers types, so that they have the types of the caller."""
