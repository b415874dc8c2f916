"""Finds families of equal or nearly equal short texts, such as prompts, in memory."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.dedup.settings import Near
from curation.dedup.sketch import signature_matrix
from curation.kernels import unicode
from curation.kernels.buffers import text_buffers
from curation.kernels.minhash import band_keys
from curation.kernels.word_bags import alike_to_any as compare
from curation.kernels.word_bags import join_alike, word_bags
from curation.rewrites.composing import sort_marks

Ints = npt.NDArray[np.int64]

CANDIDATES = Near(ngram=2, bands=32, rows=3)
"""Texts are compared if a band of their MinHash signatures of word pairs is equal. If one word of nine differs, the
Jaccard similarity of the word pairs is 0.6, and 9,995 of 10,000 such pairs of texts are compared."""

ALIKE = (4, 5)
"""Texts are alike if the Jaccard similarity of their bags of words is at least 4/5: texts of nine words with one
changed word are alike, texts of eight words with one changed word are not."""


def families(texts: pa.Array) -> Ints:
    """The number of each text's family, from 0; the families do not depend on the order of the rows.

    Two texts with the same words in the same order are in one family: case, punctuation and white space are ignored (in
    a text without words only surrounding white space is ignored). So are two texts that are ALIKE, and texts joined by
    a chain of such texts. A text of one word has no word pairs, and is in one family only with the same word.
    Characters are compared in NFKC. A null counts as an empty text.

    >>> mill, song, again, hill = families(pa.array(["What is a mill?", "Sing.", "what is a MILL", "What is a hill?"]))
    >>> bool(mill == again), len({mill, song, hill})
    (True, 3)
    """
    texts = _compose(texts.fill_null("").cast(pa.large_string()))
    classes, lower = unicode.tables()[:2]
    keys, _, _ = word_bags(*text_buffers(texts), classes, lower)
    _, chosen, numbers = np.unique(keys, return_index=True, return_inverse=True)
    distinct = texts.take(pa.array(chosen))  # sorted by key: the order of the rows has no effect below
    _, bags, bounds = word_bags(*text_buffers(distinct), classes, lower)
    signatures, shingles = signature_matrix(distinct, CANDIDATES)
    rows = np.flatnonzero(shingles)
    band = np.empty((len(rows), CANDIDATES.bands), np.uint64)
    band_keys(signatures[rows], CANDIDATES.bands, CANDIDATES.rows, band)
    parent = np.arange(len(distinct))
    for k in range(CANDIDATES.bands):
        members, starts = _buckets(band[:, k], band[:, (k + 1) % CANDIDATES.bands])
        join_alike(rows[members], starts, bags, bounds, *ALIKE, parent)
    return _number_groups(parent)[numbers]


def alike_to_any(texts: pa.Array, others: pa.Array) -> npt.NDArray[np.bool_]:
    """Which of the texts are ALIKE to any of the others. Every pair is compared, so no match is missed.

    Texts without words are alike if they are equal without surrounding white space; a null counts as an empty text.

    >>> alike_to_any(pa.array(["What is a mill?", "Sing.", "?"]), pa.array(["what is a MILL", "!"])).tolist()
    [True, False, False]
    """
    both = _compose(pa.concat_arrays([each.fill_null("").cast(pa.large_string()) for each in (texts, others)]))
    classes, lower = unicode.tables()[:2]
    keys, bags, bounds = word_bags(*text_buffers(both), classes, lower)
    sizes = np.diff(bounds)
    wordless = sizes == 0
    held = np.arange(len(texts), len(both))
    out: npt.NDArray[np.bool_] = np.zeros(len(texts), bool)
    out[wordless[: len(texts)]] = np.isin(keys[: len(texts)][wordless[: len(texts)]], keys[held][wordless[held]])
    order = held[~wordless[held]]
    order = order[np.argsort(sizes[order], kind="stable")]
    found = np.zeros(len(texts), bool)
    compare(bags, bounds, len(texts), order, sizes[order], *ALIKE, found)
    found[wordless[: len(texts)]] = False
    out |= found
    return out


def _compose(texts: pa.LargeStringArray) -> pa.LargeStringArray:
    plain = pc.string_is_ascii(texts)
    if pc.all(plain, min_count=0).as_py():
        return texts
    odd = pc.invert(plain)
    in_order = pa.array((sort_marks(text, "NFKD") for text in texts.filter(odd).to_pylist()), texts.type)
    return pc.replace_with_mask(texts, odd, pc.utf8_normalize(in_order, "NFKC"))


def _buckets(keys: npt.NDArray[np.uint64], next_keys: npt.NDArray[np.uint64]) -> tuple[Ints, Ints]:
    """The rows whose key occurs more than once, by bucket, and the start of each bucket (and the end).

    The rows of a bucket are sorted by the key of the next band, so that rows that agree there too are neighbours.
    """
    order = np.argsort(keys, kind="stable")
    equal = keys[order[1:]] == keys[order[:-1]]
    shared = np.zeros(len(order), bool)
    shared[1:] = equal
    shared[:-1] |= equal
    members = order[shared]
    members = members[np.lexsort((members, next_keys[members], keys[members]))]
    found = keys[members]
    starts = np.flatnonzero(np.r_[True, found[1:] != found[:-1]]) if len(found) else np.zeros(0, np.int64)
    return members, np.append(starts, len(members))


def _number_groups(parent: Ints) -> Ints:
    """The number of each node's component; components are ordered by their smallest node."""
    for _ in range(64):
        above = parent[parent]
        if (above == parent).all():
            break
        parent = above
    return np.unique(parent, return_inverse=True)[1]
