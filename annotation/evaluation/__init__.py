"""Evaluates models: a model judge compares or grades responses, behind any OpenAI-compatible endpoint."""
