from curation.kernels import cache  # noqa: F401 - before numba is imported
