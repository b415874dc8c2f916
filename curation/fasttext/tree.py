"""The Huffman tree of the labels of a model, as fastText builds it from their counts (hierarchical softmax)."""

import numpy as np
import numpy.typing as npt

_UNKNOWN = 10**15
"""The count of a node that is not made yet; no label has as many texts."""


def children_of(counts: list[int]) -> npt.NDArray[np.int32]:
    """The two children of each inner node, shape (labels - 1, 2), from the counts of the labels, which fall.

    A number below that of the labels is a label, and the inner node k has the number of the labels plus k.
    Raises ValueError for a count that no real model has.

    >>> children_of([5, 2, 1]).tolist()
    [[2, 1], [3, 0]]
    """
    leaves = len(counts)
    if max(counts) >= _UNKNOWN:
        raise ValueError("the counts of the labels")
    weights = [*counts, *([_UNKNOWN] * (leaves - 1))]
    children = np.zeros((leaves - 1, 2), np.int32)
    leaf, node = leaves - 1, leaves
    for inner in range(leaves, 2 * leaves - 1):
        for side in (0, 1):
            if leaf >= 0 and weights[leaf] < weights[node]:
                children[inner - leaves, side], leaf = leaf, leaf - 1
            else:
                children[inner - leaves, side], node = node, node + 1
        weights[inner] = sum(weights[child] for child in children[inner - leaves])
    return children
