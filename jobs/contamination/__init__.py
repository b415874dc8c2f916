"""The command ``gristmill contamination``."""
