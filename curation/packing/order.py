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

    Every epoch puts a document in a place of its own, and so does every copy of it among the documents; the last epoch,
    where it is only a part, takes documents drawn by the seed for as long as their tokens fit.
    """
    copies = _copies(corpus)
    numbers: list[Numbers] = [np.empty(0, np.int64)]
    keys: list[Keys] = [np.empty(0, np.uint64)]
    for place, share in enumerate(shares):
        documents = np.flatnonzero(corpus.source == place)
        whole, rest = divmod(share.taken, share.size) if share.size else (0, 0)
        for epoch in range(whole + (rest > 0)):
            chosen = documents if epoch < whole else _drawn(corpus, copies, documents, rest, seed, epoch)
            numbers.append(chosen)
            keys.append(_keys(corpus, copies, chosen, "place", seed, epoch))
    return _sorted(corpus, np.concatenate(numbers), np.concatenate(keys))


def _drawn(corpus: Tokenised, copies: Keys, documents: Numbers, tokens: int, seed: int, epoch: int) -> Numbers:
    """The first documents of a shuffle, as many as have no more than those tokens together."""
    shuffled = _sorted(corpus, documents, _keys(corpus, copies, documents, "draw", seed, epoch))
    held = np.cumsum(corpus.lengths[shuffled], dtype=np.int64)
    return shuffled[: np.searchsorted(held, tokens, side="right")]


def _copies(corpus: Tokenised) -> Keys:
    """A number for each document: 0 for the first of those that are equal in source, id and text, and a scattered one
    for each of the others. Which of them is the first plays no part, as they are equal."""
    found = np.zeros(len(corpus), np.uint64)
    if len(np.unique(corpus.digests[:, 0])) == len(corpus):
        return found
    ordered = np.lexsort((corpus.digests[:, 1], corpus.digests[:, 0]))
    new = np.ones(len(corpus), np.bool_)
    new[1:] = (corpus.digests[ordered[1:]] != corpus.digests[ordered[:-1]]).any(axis=1)
    places = np.arange(len(corpus))
    found[ordered] = _scattered((places - places[new][np.cumsum(new) - 1]).astype(np.uint64))
    return found


def _keys(
    corpus: Tokenised, copies: Keys, documents: Numbers, purpose: Literal["place", "draw"], seed: int, epoch: int
) -> Keys:
    """A hash of each document for one purpose, over its digest, which copy it is, and a salt."""
    salt = np.uint64(xxhash.xxh3_64_intdigest(f"{purpose}\0{seed}\0{epoch}".encode()))
    return _scattered(corpus.digests[documents, 0] ^ copies[documents] ^ salt)


def _scattered(values: Keys) -> Keys:
    """The finaliser of SplitMix64; that of 0 is 0."""
    hashed: Keys = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashed = (hashed ^ (hashed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashed ^ (hashed >> np.uint64(31))


def _sorted(corpus: Tokenised, documents: Numbers, keys: Keys) -> Numbers:
    """Documents by their keys; equal keys by the rest of the digest, so that only equal documents are left equal."""
    shuffled: Numbers = documents[np.lexsort((corpus.digests[documents, 1], keys))]
    return shuffled
