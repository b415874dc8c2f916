"""Data curation: reads, filters and deduplicates documents, and explains every removal."""
