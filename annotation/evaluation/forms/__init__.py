"""The forms in which others keep responses, judgments and scores: read, and written."""
