"""Packs documents into sequences of tokens of one length."""
