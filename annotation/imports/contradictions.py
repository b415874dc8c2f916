"""Pairs of answers with opposite verdicts: one comparison prefers the first answer, another the second."""

import numpy as np
import pyarrow as pa


def contradictions(rows: pa.Table) -> int:
    """The number of pairs (a prompt with two answers) with comparisons in both directions.

    ``rows`` has the columns prompt_id, chosen and rejected.
    """
    prompts = rows["prompt_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    repeated = np.bincount(prompts)[prompts] > 1 if len(prompts) else np.zeros(0, bool)
    if not repeated.any():
        return 0
    kept = rows.select(["chosen", "rejected"]).filter(pa.array(repeated)).combine_chunks()
    texts = pa.chunked_array([*kept["chosen"].chunks, *kept["rejected"].chunks]).combine_chunks()
    chosen, rejected = texts.dictionary_encode().indices.to_numpy().astype(np.int64).reshape(2, -1)
    forwards = chosen < rejected
    pair = np.stack([prompts[repeated], np.minimum(chosen, rejected), np.maximum(chosen, rejected)])
    both = [np.unique(pair[:, side], axis=1) for side in (forwards, ~forwards)]
    found, counts = np.unique(np.concatenate(both, axis=1), axis=1, return_counts=True)
    return int((counts == 2).sum()) if found.size else 0
