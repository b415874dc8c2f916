"""The distributions behind intervals and tests."""

import numpy as np
import numpy.typing as npt
from scipy.special import betaincc, betaln, stdtrit


def student_t(confidence: float, degrees: float) -> float:
    """The t for which Student's distribution has probability ``confidence`` (0 to 1) between -t and t.

    >>> round(student_t(0.95, 11), 6), round(student_t(0.95, 1), 4)
    (2.200985, 12.7062)
    """
    return float(stdtrit(degrees, (1 + confidence) / 2))


def binomial_p(heads: int, tosses: int) -> float:
    """The p-value of the exact two-sided binomial test that heads and tails are equally likely; 1 without tosses.

    >>> binomial_p(1, 6), binomial_p(3, 6), binomial_p(0, 0)
    (0.21875, 1.0, 1.0)
    """
    fewer = min(heads, tosses - heads)
    return min(1.0, 2 * float(betaincc(fewer + 1, tosses - fewer, 0.5)))  # the tail up to `fewer` (DLMF 8.17.5)


def fisher_p(count: int, total: int, other_count: int, other_total: int) -> float:
    """The p-value of Fisher's exact two-sided test that two shares are equal; 1 if either total is 0.

    As ``scipy.stats.fisher_exact``, whose import takes a second: the probability of all tables with the same margins
    that are no more likely than this one.

    >>> round(fisher_p(8, 10, 1, 6), 5), fisher_p(3, 3, 0, 0)
    (0.03497, 1.0)
    """
    successes, everything = count + other_count, total + other_total
    possible = np.arange(max(0, successes - other_total), min(successes, total) + 1)
    likely = _log_choose(total, possible) + _log_choose(other_total, successes - possible)
    likely = np.exp(likely - _log_choose(everything, successes))
    return min(1.0, float(likely[likely <= likely[count - possible[0]] * (1 + 1e-7)].sum()))


def _log_choose(total: int, chosen: npt.ArrayLike) -> npt.NDArray[np.float64]:
    chosen = np.asarray(chosen)
    return -betaln(total - chosen + 1, chosen + 1) - np.log(total + 1)  # type: ignore[no-any-return]
