"""Opens tokenizers, and encodes texts with them."""
