"""Sets of shingles are those of the definition, and so is their Jaccard similarity."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.settings import Near
from curation.dedup.sketch import shingle_sets
from curation.kernels.shingles import jaccard_similarities
from tests.curation.dedup.naive_survivors import jaccard, shingles
from tests.curation.kernels.test_minhash import TEXTS


@given(texts=TEXTS, ngram=st.integers(1, 3))
def test_sets_and_similarities_are_those_of_the_definition(texts: list[str], ngram: int) -> None:
    values, bounds = shingle_sets(pa.array(texts, pa.large_string()), Near(ngram=ngram))
    sets = [values[start:end].tolist() for start, end in pairwise(bounds)]
    assert [len(each) for each in sets] == [len(shingles(text, ngram)) for text in texts]
    assert all(len(set(each)) == len(each) for each in sets)
    pairs = [(one, other) for one in range(len(texts)) for other in range(len(texts)) if sets[one] or sets[other]]
    left, right = np.array(pairs, np.int64).reshape(-1, 2).T.copy()
    found = np.empty(len(pairs))
    jaccard_similarities(values, bounds, left, values, bounds, right, found)
    similarity = jaccard(texts, ngram)
    assert found.tolist() == pytest.approx([similarity(one, other) for one, other in pairs])


def test_long_texts_need_larger_tables() -> None:
    texts = [" ".join(map(str, range(start, start + 20_000))) for start in (0, 10_000)]
    values, bounds = shingle_sets(pa.array(texts, pa.large_string()), Near())
    assert bounds.tolist() == [0, 19_996, 39_992]
    found = np.empty(1)
    jaccard_similarities(values, bounds, np.array([0]), values, bounds, np.array([1]), found)
    assert found[0] == 9_996 / (39_992 - 9_996)
