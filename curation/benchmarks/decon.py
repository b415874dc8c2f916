"""The definition of contamination of decon, with which OLMo 3 was decontaminated (allenai/decon, its default settings).

A reference is a question, which may have an answer and a passage. The question is found by its n-grams of 5 tokens: a
document is sampled every 10 tokens, and an n-gram that questions have is the beginning of a match, which grows in both
directions until 11 n-grams miss. The overlap of a part is the weight of its different n-grams that match, divided by
that of all; the weight of an n-gram is the logarithm of the number of references over those that have the n-gram in
that part. A match is scored if the question's overlap could suffice, see `question_needs`. The answer is searched after
the question, the passage before it.

What differs from decon, and why:

- Tokens are words, see `ngrams`, so that no tokenizer is needed and a search is fast; decon's are those of cl100k, of
  which a text has more. Lengths and windows are counted in words.
- Weights are rounded to multiples of 2^-20, and are at least that, so that sums do not depend on their order and a
  match of everything is 1. An n-gram that each reference has weighs nothing in decon, which therefore finds nothing of
  a benchmark with one row.
- The length of an answer is that of all its words; decon counts different tokens.
- A short answer that is found counts as found; decon gives it no weight if its tokens are in all references.
- A passage may end right before the question; decon leaves out the token between both. A passage with fewer words than
  an n-gram counts as no passage.
"""

import math

import numpy as np
import numpy.typing as npt

PARTS = ("question", "answer", "passage")
"""The parts of a reference."""
QUESTION_NGRAM, ANSWER_NGRAM, PASSAGE_NGRAM = 5, 3, 4
"""The words of an n-gram of each part."""
STEP = 10
"""A document is sampled every so many words."""
MISSES, PASSAGE_MISSES = 11, 2
"""So many n-grams that miss end the growth of a match, and more than so many a passage."""
SHORT, NEAR, AROUND = 3, 50, 100
"""An answer of at most SHORT words must occur as it is and begin within NEAR words of the question; a longer one, and a
passage, within AROUND words, or twice their own length if that is more."""
LEAST_WORDS, LEAST_DIFFERENT = 20, 4
"""References with fewer words, or fewer different words, are left out."""
THRESHOLD, PERFECT, FULL = 0.8, 20, 50
"""A reference is contaminated from THRESHOLD if it has FULL words; the threshold of PERFECT words is 1."""
SUBSETS = ("left out", "clean", "contaminated")

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_SHARES = {(True, True): (0.7, 0.2, 0.1), (True, False): (0.75, 0.25, 0.0), (False, True): (0.85, 0.0, 0.15)}
"""The weights of question, answer and passage for references with an answer and with a passage."""
_SURE_NGRAMS, _SURE_WORDS = 20, 4
"""A question with fewer different n-grams, and an answer with fewer different words, weighs down to half as much."""
_UNITS = 1 << 20
_COMMON = 2000


def thresholds(lengths: Integers, least: float = THRESHOLD) -> Floats:
    """The score from which references with so many words are contaminated.

    >>> thresholds(np.array([20, 35, 50, 90])).tolist()
    [1.0, 0.9, 0.8, 0.8]
    """
    return np.interp(lengths, [PERFECT, FULL], [1.0, least])


def question_needs(lengths: Integers) -> Floats:
    """The least overlap of questions with so many words: 5/7, with which a reference that has all three parts can reach
    the threshold, or for a question of fewer than FULL words more, up to 1."""
    return thresholds(lengths, (THRESHOLD - 0.3) / 0.7)


def shares(ngrams: int, answer: int, has_passage: bool) -> tuple[float, float, float]:
    """How much the question, the answer and the passage weigh in the score of a reference: their sum is 1.

    ``ngrams`` are the different n-grams of the question, ``answer`` the different words of the answer, 0 without an
    answer. What a short question loses goes to the other parts, and what a short answer loses to the passage.

    >>> [round(share, 3) for share in shares(20, 9, True)], [round(share, 3) for share in shares(10, 1, False)]
    ([0.7, 0.2, 0.1], [0.562, 0.438, 0.0])
    """
    if not answer and not has_passage:
        return 1.0, 0.0, 0.0
    question, own, passage = _SHARES[answer > 0, has_passage]
    lost = question * (1 - _confidence(ngrams, _SURE_NGRAMS))
    if answer and has_passage:
        kept = (own + lost / 2) * _confidence(answer, _SURE_WORDS)
        return question - lost, kept, 1 - (question - lost) - kept
    return (question - lost, own + lost, 0.0) if answer else (question - lost, 0.0, passage + lost)


def _confidence(count: int, sure: int) -> float:
    return 0.5 + 0.5 * min(count / sure, 1.0)


def weights(references: int, having: Integers) -> Integers:
    """The weight of n-grams that ``having`` of so many references have, in units of 2^-20.

    >>> weights(8, np.array([8, 4, 1])).tolist() == [1, round(math.log(2) * 2**20), round(math.log(8) * 2**20)]
    True
    """
    counts, which = np.unique(having, return_inverse=True)
    known = [max(1, round(math.log(references / count) * _UNITS)) for count in counts.tolist()]
    return np.array(known, np.int64)[which]


def most_references(references: int) -> int:
    """An n-gram that more of the references have begins no match; the next word of the document is tried instead."""
    return max(_COMMON, 2 * math.isqrt(references))
