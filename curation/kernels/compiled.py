"""How kernels are compiled: to machine code that is cached beside the sources and releases the GIL."""

from numba import njit

kernel = njit(nogil=True, cache=True, error_model="numpy")
"""For functions that make arrays."""

leaf = njit(nogil=True, cache=True, error_model="numpy", _nrt=False)
"""For functions that make no array: none of their arguments is counted by references, which costs more than a short
function's work."""

inner = njit(nogil=True, cache=True, error_model="numpy", _nrt=False, forceinline=True)
"""A `leaf` that becomes part of its caller."""
