"""Finds the samples of benchmarks in a corpus."""
