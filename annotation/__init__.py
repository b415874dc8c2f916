"""Prompts and responses in, comparisons and labels out, by way of Label Studio."""
