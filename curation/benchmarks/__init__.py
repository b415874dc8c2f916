"""Samples of benchmarks, and the index that finds them in texts."""
