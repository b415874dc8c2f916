"""The order of documents: each as often as its source is gone through, drawn and placed by the seed alone."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.packing.order import order
from curation.packing.tokenised import Tokenised
from schemas.mixture import Part, mixture


def tokenised(lengths: list[int], sources: list[int], names: list[str]) -> Tokenised:
    """Documents that are told apart by their place."""
    count = len(lengths)
    return Tokenised(
        names=names,
        source=np.array(sources, np.int32),
        lengths=np.array(lengths, np.int32),
        digests=np.random.default_rng(0).integers(0, 1 << 63, (count, 2), dtype=np.uint64),
        starts=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
        tokens=np.zeros(sum(lengths), np.uint16),
        doc_ids=pa.array([str(number) for number in range(count)], pa.large_string()),
        read=[sources.count(place) for place in range(len(names))],
        values=np.full(count, np.nan),
    )


LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=30)


@settings(max_examples=200, deadline=None)
@given(
    one=LENGTHS,
    two=LENGTHS,
    share=st.floats(0.05, 0.95),
    most=st.floats(0.1, 3.5),
    seed=st.integers(-5, 5),
    total=st.none() | st.integers(1, 500),
)
def test_each_document_as_often_as_its_source_is_gone_through(
    one: list[int], two: list[int], share: float, most: float, seed: int, total: int | None
) -> None:
    corpus = tokenised(one + two, [0] * len(one) + [1] * len(two), ["one", "two"])
    parts = [
        Part(name="one", size=sum(one), share=share, max_epochs=most),
        Part(name="two", size=sum(two), share=1 - share, max_epochs=2),
    ]
    taken = mixture(parts, total)
    found = order(corpus, taken, seed)
    times = np.bincount(found, minlength=len(corpus))
    for place, each in enumerate(taken):
        own = corpus.source == place
        whole, rest = divmod(each.taken, each.size)
        assert set(times[own].tolist()) <= {whole, whole + 1}
        drawn = corpus.lengths[own][times[own] == whole + 1].sum()
        assert drawn <= rest, "a part of an epoch holds no more than that"
        assert drawn > rest - corpus.lengths[own].max() or drawn == corpus.lengths[own].sum()
    assert found.tolist() == order(corpus, taken, seed).tolist()


@given(lengths=LENGTHS, seed=st.integers(-5, 5))
def test_where_a_document_was_read_plays_no_part(lengths: list[int], seed: int) -> None:
    corpus = tokenised(lengths, [0] * len(lengths), ["one"])
    moved = np.random.default_rng(len(lengths)).permutation(len(lengths))
    other = tokenised([lengths[number] for number in moved], [0] * len(lengths), ["one"])
    other.digests[:] = corpus.digests[moved]
    taken = mixture([Part(name="one", size=sum(lengths), share=1, max_epochs=1.5)])
    assert order(corpus, taken, seed).tolist() == moved[order(other, taken, seed)].tolist()
