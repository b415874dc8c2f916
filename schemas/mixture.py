"""Computes how much of each source a mixture takes, from shares and caps, in rows or tokens."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

MOST_EPOCHS = 1000
"""A larger max_epochs is taken for a typing error."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A source: its size in rows or tokens, its share of the mixture (shares need not sum to 1), and the most epochs
    that may be taken. With ``all`` the source is taken completely, once, and its share sets the mixture's size.

    A source whose rows have weights gives ``whole`` with each row as often as its weight says, and ``limit`` at most,
    both in rows or tokens; these replace ``size`` and ``max_epochs``."""

    name: str
    size: int
    share: float
    max_epochs: float = 1.0
    all: bool = False
    whole: int | None = None
    limit: int | None = None

    @property
    def once(self) -> int:
        """What ``all`` takes."""
        return self.size if self.whole is None else self.whole

    @property
    def most(self) -> int:
        return math.floor(self.size * Fraction(str(self.max_epochs))) if self.limit is None else self.limit


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """The contribution of a source: ``asked`` follows from its share, ``taken`` is ``asked`` limited by the cap,
    ``epochs`` is ``taken`` divided by the source's size, and ``share`` is the actual share of the mixture."""

    name: str
    size: int
    asked: int
    taken: int
    epochs: float
    share: float

    @property
    def short(self) -> bool:
        """Whether the cap limits the source to less than its share."""
        return self.taken < self.asked


def mixture(parts: Sequence[Part], total: int | None = None) -> list[Contribution]:
    """The contribution of each source to a mixture of size ``total``, in the order of the parts.

    Without ``total``, the part with ``all`` and its share set the size; without such a part, the size is the largest
    for which no part is short, and no part with weights gives more than ``whole``. A short part gives all that its cap
    allows, and the others are not enlarged. Raises ValueError, with a sentence, for invalid sources, shares or totals.

    >>> own, rest = mixture([Part(name="own", size=90, share=0.9, all=True), Part(name="rest", size=500, share=0.1)])
    >>> own.taken, rest.taken
    (90, 10)
    >>> [(each.taken, each.epochs) for each in mixture([Part(name="web", size=8, share=1, max_epochs=2.5)])]
    [(20, 2.5)]
    """
    _check(parts, total)
    stated = [Fraction(str(part.share)) for part in parts]  # as it was written: 0.1 is a tenth
    shares = [share / sum(stated) for share in stated]
    most = [part.most for part in parts]
    if total is None:
        wholes = [part.once / share for part, share in zip(parts, shares, strict=True) if part.all]
        given = (part.most if part.whole is None else part.whole for part in parts)
        fits = (size / share for size, share in zip(given, shares, strict=True))
        total = math.floor(wholes[0] if wholes else min(fits))
    asked = _apportion(shares, total)
    asked = [part.once if part.all else count for part, count in zip(parts, asked, strict=True)]
    taken = [min(count, limit) for count, limit in zip(asked, most, strict=True)]
    got = sum(taken)
    return [
        Contribution(
            name=part.name,
            size=part.size,
            asked=wanted,
            taken=count,
            epochs=count / part.size,
            share=count / got if got else 0.0,
        )
        for part, wanted, count in zip(parts, asked, taken, strict=True)
    ]


def _apportion(shares: Sequence[Fraction], total: int) -> list[int]:
    """Whole numbers that add up to the total, by largest remainders (Hamilton's method)."""
    counts = [math.floor(share * total) for share in shares]
    left = sorted(range(len(shares)), key=lambda place: (counts[place] - shares[place] * total, place))
    for place in left[: total - sum(counts)]:
        counts[place] += 1
    return counts


def _check(parts: Sequence[Part], total: int | None) -> None:
    if not parts:
        raise ValueError("a mixture needs a source")
    names = [part.name for part in parts]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two sources are named {twice[0]}: give each source another name")
    for part in parts:
        if part.size < 1:
            raise ValueError(f"{part.name} is empty: leave it out")
        if not (math.isfinite(part.share) and part.share > 0):
            raise ValueError(f"the share of {part.name} is {part.share:g}: give a share above 0")
        if not 0 < part.max_epochs <= MOST_EPOCHS:
            raise ValueError(
                f"max_epochs of {part.name} is {part.max_epochs:g}: give a number above 0 and at most {MOST_EPOCHS:,}"
            )
        if part.all and part.max_epochs < 1:
            raise ValueError(f"{part.name} has all = true, but max_epochs below 1: give 1 or more")
    wholes = [part.name for part in parts if part.all]
    if len(wholes) > 1:
        raise ValueError(f"{wholes[0]} and {wholes[1]} both have all = true: only one source can set the size")
    if wholes and total is not None:
        raise ValueError(f"a size and all = true of {wholes[0]} exclude each other: remove one of them")
    if total is not None and total < 1:
        raise ValueError(f"the size of the mixture is {total}: give 1 or more")
