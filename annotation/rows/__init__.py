"""Reads rows from the files that people have: responses for a campaign, and published sets."""
