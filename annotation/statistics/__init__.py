"""Estimates from votes, with intervals that hold."""
