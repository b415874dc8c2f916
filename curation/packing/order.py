"""The order of documents: a shuffle by seeded hashes, so that it does not matter where a document was read."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import xxhash

from curation.packing.tokenised import Tokenised
from schemas.mixture import Taken

Numbers = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]


def order(corpus: Tokenised, shares: Sequence[Taken], seed: int) -> Numbers:
    """The numbers of the documents as they are packed, each as often as its source is gone through.

    Every epoch puts a document in a place of its own; the last one, where it is only a part, takes documents drawn by
    the seed for as long as their tokens fit.
    """
    numbers: list[Numbers] = [np.empty(0, np.int64)]
    keys: list[Keys] = [np.empty(0, np.uint64)]
    for place, share in enumerate(shares):
        documents = np.flatnonzero(corpus.source == place)
        whole, rest = divmod(share.taken, share.size) if share.size else (0, 0)
        for epoch in range(whole + (rest > 0)):
            chosen = documents if epoch < whole else _drawn(corpus, documents, rest, seed, epoch)
            numbers.append(chosen)
            keys.append(_keys(corpus, chosen, "place", seed, epoch))
    return _sorted(corpus, np.concatenate(numbers), np.concatenate(keys))


def _drawn(corpus: Tokenised, documents: Numbers, tokens: int, seed: int, epoch: int) -> Numbers:
    """The first documents of a shuffle, as many as have no more than those tokens together."""
    shuffled = _sorted(corpus, documents, _keys(corpus, documents, "draw", seed, epoch))
    held = np.cumsum(corpus.lengths[shuffled], dtype=np.int64)
    return shuffled[: np.searchsorted(held, tokens, side="right")]


def _keys(corpus: Tokenised, documents: Numbers, purpose: Literal["place", "draw"], seed: int, epoch: int) -> Keys:
    """A hash of each document for one purpose: the finaliser of SplitMix64 over its digest and a salt."""
    salt = np.uint64(xxhash.xxh3_64_intdigest(f"{purpose}\0{seed}\0{epoch}".encode()))
    hashed: Keys = corpus.digests[documents, 0] ^ salt
    hashed = (hashed ^ (hashed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashed = (hashed ^ (hashed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashed ^ (hashed >> np.uint64(31))


def _sorted(corpus: Tokenised, documents: Numbers, keys: Keys) -> Numbers:
    """Documents by their keys; equal keys by the rest of the digest, so that only equal documents are left equal."""
    shuffled: Numbers = documents[np.lexsort((corpus.digests[documents, 1], keys))]
    return shuffled
