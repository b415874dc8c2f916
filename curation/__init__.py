"""Documents in, documents out: filter, deduplicate, explain. Beam appears only in pipeline.py."""
