from curation import kernel_cache  # noqa: F401 - before numba is imported
