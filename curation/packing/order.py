"""The order of documents: a shuffle by seeded hashes, which does not depend on where a document was read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import xxhash

from curation.packing.tokenised import Tokenised
from curation.packing.weights import Weighted, tokens_by_epochs
from schemas.mixture import Contribution

Numbers = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class _Level:
    """Documents that are taken ``epochs`` times, and some of them once more: as many as fit into ``rest`` tokens. A
    document is drawn for that with a probability in proportion to its ``chances``, of shape (n,), or with the same as
    all others."""

    documents: Numbers
    epochs: int
    rest: int
    chances: npt.NDArray[np.float64] | None = None


def order(
    corpus: Tokenised, shares: Sequence[Contribution], seed: int, weighted: Mapping[str, Weighted] | None = None
) -> Numbers:
    """The numbers of the documents in the order in which they are packed, each once for each of its epochs.

    In every epoch a document gets another position, and so does every copy of it among the documents. If the last epoch
    is not complete, it takes documents drawn by the seed as long as their tokens fit. ``weighted`` are the sources, by
    name, whose documents have epochs of their own: a document of 2.3 epochs is taken twice, and drawn for a third time
    with a probability of about 0.3 (sequential Poisson sampling, Ohlsson 1998).
    """
    copies = _copies(corpus)
    numbers: list[Numbers] = [np.empty(0, np.int64)]
    keys: list[Keys] = [np.empty(0, np.uint64)]
    for place, share in enumerate(shares):
        documents = np.flatnonzero(corpus.source == place)
        own = (weighted or {}).get(share.name)
        for level in _levels(documents, share) if own is None else _weighted_levels(documents, share, own):
            for epoch in range(level.epochs + (level.rest > 0)):
                chosen = level.documents if epoch < level.epochs else _draw(corpus, copies, level, seed)
                numbers.append(chosen)
                keys.append(_keys(corpus, copies, chosen, "place", seed, epoch))
    return _sort_by_keys(corpus, np.concatenate(numbers), np.concatenate(keys))


def _levels(documents: Numbers, share: Contribution) -> Iterator[_Level]:
    if share.size:
        yield _Level(documents, *divmod(share.taken, share.size))


def _weighted_levels(documents: Numbers, share: Contribution, weighted: Weighted) -> Iterator[_Level]:
    """The documents by the number of their whole epochs."""
    epochs = weighted.scaled(share.taken)
    whole = np.floor(epochs).astype(np.int64)
    for each in np.unique(whole).tolist():
        held = whole == each
        chances = epochs[held] - each
        yield _Level(documents[held], each, int(tokens_by_epochs(chances, weighted.lengths[held]).sum()), chances)


def _draw(corpus: Tokenised, copies: Keys, level: _Level, seed: int) -> Numbers:
    """The first documents of a shuffle that together have at most the level's ``rest`` of tokens."""
    documents, chances = level.documents, level.chances
    if chances is not None:
        documents, chances = documents[chances > 0], chances[chances > 0]
    keys = _keys(corpus, copies, documents, "draw", seed, level.epochs)
    shuffled = _sort_by_keys(corpus, documents, keys if chances is None else keys / chances)
    held = np.cumsum(corpus.lengths[shuffled], dtype=np.int64)
    return shuffled[: np.searchsorted(held, level.rest, side="right")]


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


def _sort_by_keys(corpus: Tokenised, documents: Numbers, keys: Keys | npt.NDArray[np.float64]) -> Numbers:
    """Sorts documents by their keys, and by the rest of the digest if keys are equal: only equal documents tie."""
    shuffled: Numbers = documents[np.lexsort((corpus.digests[documents, 1], keys))]
    return shuffled
