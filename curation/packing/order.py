"""The order of documents: a shuffle by seeded hashes, which does not depend on where a document was read."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import xxhash

from curation.packing.tokenised import Tokenised
from schemas.mixture import Contribution

Numbers = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]


def order(corpus: Tokenised, shares: Sequence[Contribution], seed: int) -> Numbers:
    """The numbers of the documents in the order in which they are packed, each once for each epoch of its source.

    In every epoch a document gets another position, and so does every copy of it among the documents. If the last epoch
    is not complete, it takes documents drawn by the seed as long as their tokens fit.
    """
    copies = _copies(corpus)
    numbers: list[Numbers] = [np.empty(0, np.int64)]
    keys: list[Keys] = [np.empty(0, np.uint64)]
    for place, share in enumerate(shares):
        documents = np.flatnonzero(corpus.source == place)
        whole, rest = divmod(share.taken, share.size) if share.size else (0, 0)
        for epoch in range(whole + (rest > 0)):
            chosen = documents if epoch < whole else _draw(corpus, copies, documents, rest, seed, epoch)
            numbers.append(chosen)
            keys.append(_keys(corpus, copies, chosen, "place", seed, epoch))
    return _sort_by_keys(corpus, np.concatenate(numbers), np.concatenate(keys))


def _draw(corpus: Tokenised, copies: Keys, documents: Numbers, tokens: int, seed: int, epoch: int) -> Numbers:
    """The first documents of a shuffle that together have at most ``tokens`` tokens."""
    shuffled = _sort_by_keys(corpus, documents, _keys(corpus, copies, documents, "draw", seed, epoch))
    held = np.cumsum(corpus.lengths[shuffled], dtype=np.int64)
    return shuffled[: np.searchsorted(held, tokens, side="right")]


def _copies(corpus: Tokenised) -> Keys:
    """A number for each document: 0 for the first of the documents with equal source, id and text, and a different
    hash for each of the others. It does not matter which of them is the first, as they are equal."""
    found = np.zeros(len(corpus), np.uint64)
    if len(np.unique(corpus.digests[:, 0])) == len(corpus):
        return found
    ordered = np.lexsort((corpus.digests[:, 1], corpus.digests[:, 0]))
    new = np.ones(len(corpus), np.bool_)
    new[1:] = (corpus.digests[ordered[1:]] != corpus.digests[ordered[:-1]]).any(axis=1)
    places = np.arange(len(corpus))
    found[ordered] = _scatter((places - places[new][np.cumsum(new) - 1]).astype(np.uint64))
    return found


def _keys(
    corpus: Tokenised, copies: Keys, documents: Numbers, purpose: Literal["place", "draw"], seed: int, epoch: int
) -> Keys:
    """A hash of each document, over its digest, the number of its copy, and a salt for the purpose."""
    salt = np.uint64(xxhash.xxh3_64_intdigest(f"{purpose}\0{seed}\0{epoch}".encode()))
    return _scatter(corpus.digests[documents, 0] ^ copies[documents] ^ salt)


def _scatter(values: Keys) -> Keys:
    """The finaliser of SplitMix64, which maps 0 to 0."""
    hashed: Keys = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashed = (hashed ^ (hashed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashed ^ (hashed >> np.uint64(31))


def _sort_by_keys(corpus: Tokenised, documents: Numbers, keys: Keys) -> Numbers:
    """Sorts documents by their keys, and by the rest of the digest if keys are equal: only equal documents tie."""
    shuffled: Numbers = documents[np.lexsort((corpus.digests[documents, 1], keys))]
    return shuffled
