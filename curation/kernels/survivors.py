"""Chooses the survivors of clusters of duplicates; `curation.dedup.survivors` defines them."""

import numpy as np
from numba import uint64

from curation.kernels.compiled import kernel, leaf
from curation.kernels.shingles import count_common, fill_table, table_size

NEAR, EXACT, URL = 0, 1, 2
"""Kinds of links. The documents of an exact link have the same text, those of a url link the same url."""
NOBODY, UNDECIDED = -1, -2
"""Instead of the number of a survivor: the document neither survives nor has a survivor; it is not decided yet."""


@leaf
def _equal_share(values, start, end, other):
    """The share of equal values of two signatures, values[start:end] and the values from ``other`` on."""
    equal = 0
    for i in range(end - start):
        equal += values[start + i] == values[other + i]
    return equal / (end - start)


@kernel
def choose(
    nodes,
    bounds,
    better,
    kinds,
    shares,
    may_survive,
    least,
    values,
    starts,
    ends,
    ordered,
    survivor,
    matched,
    how,
    found,
):
    """Decides about the documents ``nodes``, ascending numbers in the order of the keep policy.

    The links of document x to better documents are bounds[x]:bounds[x + 1]: the number of the better document, the kind
    and the similarity, the most similar first. values[starts[x]:ends[x]] is the set of shingles of x (or the
    signature, with ``ordered``), or nothing (starts[x] is -1).

    Fills ``survivor`` (x itself if it survives), ``matched`` (the better document by which the survivor was found),
    ``how`` (the kind of the link to it) and ``found`` (the similarities to it and to the survivor, n x 2). A document
    stays UNDECIDED if nothing can be decided about it without a set that is missing, or without a document that is
    UNDECIDED. Returns the number of such documents.
    """
    table = np.empty(1 << 12, np.uint64)
    seen = np.full(survivor.shape[0], -1, np.int64)
    waiting = 0
    for k in range(nodes.shape[0]):
        x = nodes[k]
        low, high = bounds[x], bounds[x + 1]
        blocked = False
        for e in range(low, high):
            blocked |= survivor[better[e]] == UNDECIDED
        if blocked:
            waiting += 1
            continue
        chosen = NOBODY
        by = NOBODY
        kind_found = NEAR
        to_chosen = np.nan
        to_matched = np.nan
        for kind in (URL, EXACT):
            for e in range(low, high):
                y = better[e]
                if chosen < 0 and kinds[e] == kind and survivor[y] >= 0:
                    chosen, by, kind_found = survivor[y], y, kind
                    if kind == EXACT:
                        to_matched = 1.0
                        to_chosen = 1.0 if chosen == y else found[y, 1]
        if chosen < 0:
            for e in range(low, high):
                if kinds[e] == NEAR:
                    seen[better[e]] = x
            size = 0
            for e in range(low, high):
                y = better[e]
                if kinds[e] != NEAR or survivor[y] < 0:
                    continue
                s = survivor[y]
                share = shares[e]
                if s != y:
                    if seen[s] == x:
                        continue
                    if starts[s] < 0 or starts[x] < 0:
                        blocked = True
                        break
                    seen[s] = x
                    if ordered:
                        share = _equal_share(values, starts[x], ends[x], starts[s])
                    else:
                        if size == 0:
                            size = table_size(ends[x] - starts[x])
                            if size > table.shape[0]:
                                table = np.empty(size, np.uint64)
                            fill_table(table, size, values, starts[x], ends[x])
                        common = count_common(table, uint64(size - 1), values, starts[s], ends[s])
                        share = common / (ends[x] - starts[x] + ends[s] - starts[s] - common)
                if share >= least and (chosen < 0 or share > to_chosen or (share == to_chosen and s < chosen)):
                    chosen, by, to_chosen, to_matched = s, y, share, shares[e]
        if blocked:
            waiting += 1
            continue
        if chosen < 0 and may_survive[x]:
            chosen = x
        survivor[x] = chosen
        matched[x] = by
        how[x] = kind_found
        found[x, 0] = to_matched
        found[x, 1] = to_chosen
    return waiting
