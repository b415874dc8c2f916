"""The definitions of contamination by n-grams of words, of GPT-3 and of PaLM.

Both papers leave open what a word is. Here it is a run of letters, numbers and combining marks in lower case; all other
characters, punctuation among them, separate words, and in scripts written without spaces each character is a word.
A sample with fewer words than an n-gram has no n-gram, and is clean.

- GPT-3 (Brown et al. 2020, appendix C): a sample is dirty if any of its N-grams occurs in the corpus. N is the fifth
  percentile of the lengths in words of the benchmark's samples, at least 8 and at most 13. The paper does not say how
  a percentile between two lengths is taken: here it is the shortest length that at least 5% of the samples do not
  exceed. The paper lets N be below 8 for its synthetic tasks; here 8 is the least for every benchmark.
- PaLM (Chowdhery et al. 2022, on dataset contamination): a sample is contaminated, here called dirty, if at least 70%
  of its 8-grams occur at least once in the corpus, in one document or in several. The paper does not say how an 8-gram
  that a sample repeats counts: here each place in the sample counts.
"""

import numpy as np
import numpy.typing as npt

from curation.benchmarks.settings import Definition

SHORTEST, LONGEST = 8, 13
"""The least and the most words of an n-gram."""
PERCENTILE = 5
DIRTY_PERCENT = 70
"""PaLM: a sample is dirty from this share of its n-grams."""
SUBSETS = ("clean", "dirty")


def ngram_size(definition: Definition, lengths: npt.NDArray[np.int64]) -> int:
    """The words of an n-gram for a benchmark whose samples have these ``lengths`` in words.

    >>> [ngram_size("gpt3", np.full(3, words)) for words in (2, 9, 40)], ngram_size("palm", np.full(3, 40))
    ([8, 9, 13], 8)
    """
    if definition == "palm" or not len(lengths):
        return SHORTEST
    rank = -(-len(lengths) * PERCENTILE // 100)
    return min(max(int(np.sort(lengths)[rank - 1]), SHORTEST), LONGEST)


def are_dirty(
    definition: Definition, found: npt.NDArray[np.int64], ngrams: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Whether samples are dirty that have ``ngrams`` n-grams, ``found`` of which occur in the corpus.

    >>> are_dirty("gpt3", np.array([0, 1]), np.array([9, 9])), are_dirty("palm", np.array([6, 7]), np.array([10, 10]))
    (array([False,  True]), array([False,  True]))
    """
    dirty: npt.NDArray[np.bool_] = found > 0
    if definition == "palm":
        dirty &= 100 * found >= DIRTY_PERCENT * ngrams
    return dirty
