"""The definition of survivors in plain Python: each document, in the order of the keep policy, meets its references."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pyarrow as pa

from curation.dedup.settings import Near
from curation.dedup.sketch import signature_matrix
from tests.curation.kernels.test_minhash import words

Similarity = Callable[[int, int], float]


@dataclass(frozen=True)
class Document:
    """``rank``: lower is better; ``release``: 0 and up, new documents have the highest number; ``lost``: whether its
    release removed it."""

    text: str
    rank: Any
    release: int = 0
    lost: bool = False


def shingles(text: str, ngram: int) -> set[tuple[Any, ...]]:
    found = words(text)
    return {tuple(found[start : start + ngram]) for start in range(len(found) - ngram + 1)}


def jaccard(texts: Sequence[str], ngram: int) -> Similarity:
    sets = [shingles(text, ngram) for text in texts]
    return lambda one, other: len(sets[one] & sets[other]) / len(sets[one] | sets[other])


def equal_share(texts: Sequence[str], near: Near) -> Similarity:
    values, _ = signature_matrix(pa.array(texts, pa.large_string()), near)
    return lambda one, other: float((values[one] == values[other]).mean())


def candidates(documents: Sequence[Document], alive: Sequence[int], near: Near) -> set[tuple[int, int]]:
    """In each bucket, every document with the best one and with the one before it."""
    values, counts = signature_matrix(pa.array([each.text for each in documents], pa.large_string()), near)
    bands, rows = near.banding
    buckets = defaultdict(list)
    for number in sorted(alive, key=lambda n: (documents[n].release, documents[n].rank, n)):
        if counts[number]:
            for band in range(bands):
                buckets[band, values[number, band * rows : (band + 1) * rows].tobytes()].append(number)
    pairs = set()
    for bucket in buckets.values():
        pairs |= {frozenset((bucket[0], other)) for other in bucket[1:]} | set(map(frozenset, pairwise(bucket)))
    return {(min(pair), max(pair)) for pair in pairs}


def same_texts(documents: Sequence[Document]) -> dict[int, int]:
    """The best document with the same text, for every document that is not the best."""
    best: dict[str, int] = {}
    for number in sorted(range(len(documents)), key=lambda n: (documents[n].rank, n)):
        best.setdefault(documents[number].text, number)
    every = {number: best[each.text] for number, each in enumerate(documents)}
    return {number: kept for number, kept in every.items() if kept != number}


def survivors(
    documents: Sequence[Document], near: Near, exact: bool = True
) -> tuple[dict[int, tuple[int, int, float, float]], dict[tuple[int, int], float]]:
    """(survivor, matched document, similarity to it, similarity to the survivor) of each removed document, and the
    candidates whose similarity is at least ``min_similarity``, with it."""
    texts = [each.text for each in documents]
    copies = same_texts(documents) if exact else {}
    similarity = jaccard(texts, near.ngram) if near.verify == "exact" else equal_share(texts, near)
    alive = [number for number in range(len(documents)) if number not in copies]
    compared = {pair: similarity(*pair) for pair in candidates(documents, alive, near)}
    linked = {pair: share for pair, share in compared.items() if share >= near.required_similarity}
    newest = max((each.release for each in documents), default=0)

    def order(number: int) -> tuple[bool, Any, int]:
        return documents[number].release == newest, documents[number].rank, number

    removed: dict[int, tuple[int, int, float, float]] = {}
    nobody: set[int] = set()
    for number in sorted(range(len(documents)), key=order):
        if number in copies:
            best = copies[number]
            to_survivor = removed[best][3] if best in removed else 1.0
            removed[number] = removed[best][0] if best in removed else best, best, 1.0, to_survivor
            continue
        better = [sum(pair) - number for pair in linked if number in pair and order(sum(pair) - number) < order(number)]
        found = []
        for each in sorted(better, key=lambda each: (-similarity(each, number), order(each))):
            survivor = removed[each][0] if each in removed else each
            if survivor not in nobody:
                direct = survivor != each and survivor in better
                by = survivor if direct else each
                found.append((-similarity(survivor, number), order(survivor), survivor, by))
        if found and -min(found)[0] >= near.required_survivor:
            share, _, survivor, by = min(found, key=lambda entry: entry[:2])
            removed[number] = survivor, by, similarity(by, number), -share
        elif documents[number].lost:
            nobody.add(number)
    return removed, linked
