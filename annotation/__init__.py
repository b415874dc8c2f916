"""Prompts and responses in, comparisons and labels out. Nothing is here yet."""
