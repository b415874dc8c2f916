"""The distributions behind intervals and tests."""

from scipy.special import betaincc, stdtrit


def student_t(confidence: float, degrees: int) -> float:
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
