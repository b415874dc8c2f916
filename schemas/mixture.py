"""How much of each source a mixture takes: shares, caps and what they come to. The unit is rows or tokens alike."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

MOST_EPOCHS = 1000
"""More is a slip of the pen."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A source: its size in rows or tokens, its share of the mixture (shares need not sum to 1), and how often it may
    be gone through at most. ``all``: the whole source is taken once, and the mixture is as large as its share says."""

    name: str
    size: int
    share: float
    max_epochs: float = 1.0
    all: bool = False


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a source gives: ``asked`` by its share, ``taken`` as far as its cap allows; ``epochs`` is how often it is
    gone through, ``share`` what it really is of the mixture."""

    name: str
    size: int
    asked: int
    taken: int
    epochs: float
    share: float

    @property
    def short(self) -> bool:
        """The cap holds it below what its share asks for."""
        return self.taken < self.asked


def mixture(parts: Sequence[Part], total: int | None = None) -> list[Taken]:
    """What each source gives to a mixture of ``total``, in the order of the parts.

    Without a total, it is that of which the part with ``all`` has its share; without such a part, the largest one for
    which no part is short. Parts that are short give what they have, and the others are not enlarged. Raises ValueError
    with a sentence for sources, shares or totals of which no mixture can be made.

    >>> own, rest = mixture([Part(name="own", size=90, share=0.9, all=True), Part(name="rest", size=500, share=0.1)])
    >>> own.taken, rest.taken
    (90, 10)
    >>> [(each.taken, each.epochs) for each in mixture([Part(name="web", size=8, share=1, max_epochs=2.5)])]
    [(20, 2.5)]
    """
    _check(parts, total)
    stated = [Fraction(str(part.share)) for part in parts]  # as it was written: 0.1 is a tenth
    shares = [share / sum(stated) for share in stated]
    most = [math.floor(part.size * Fraction(str(part.max_epochs))) for part in parts]
    if total is None:
        wholes = [part.size / share for part, share in zip(parts, shares, strict=True) if part.all]
        fits = (limit / share for limit, share in zip(most, shares, strict=True))
        total = math.floor(wholes[0] if wholes else min(fits))
    asked = _apportioned(shares, total)
    asked = [part.size if part.all else count for part, count in zip(parts, asked, strict=True)]
    taken = [min(count, limit) for count, limit in zip(asked, most, strict=True)]
    got = sum(taken)
    return [
        Taken(
            name=part.name,
            size=part.size,
            asked=wanted,
            taken=count,
            epochs=count / part.size,
            share=count / got if got else 0.0,
        )
        for part, wanted, count in zip(parts, asked, taken, strict=True)
    ]


def _apportioned(shares: Sequence[Fraction], total: int) -> list[int]:
    """Whole numbers that add up to the total: rounded down, and one more where most is left (Hamilton's method)."""
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
        raise ValueError(f"two sources are named {twice[0]}: give each a name of its own")
    for part in parts:
        if part.size < 1:
            raise ValueError(f"{part.name} has nothing to give: leave it out")
        if not (math.isfinite(part.share) and part.share > 0):
            raise ValueError(f"the share of {part.name} is {part.share:g}: a share is above 0")
        if not 0 < part.max_epochs <= MOST_EPOCHS:
            raise ValueError(
                f"max_epochs of {part.name} is {part.max_epochs:g}: it is above 0 and at most {MOST_EPOCHS:,}"
            )
        if part.all and part.max_epochs < 1:
            raise ValueError(f"{part.name} is to be taken whole, and max_epochs allows less than that")
    wholes = [part.name for part in parts if part.all]
    if len(wholes) > 1:
        raise ValueError(f"{wholes[0]} and {wholes[1]} are both to be taken whole: one source sets the size")
    if wholes and total is not None:
        raise ValueError(f"a size and {wholes[0]} taken whole exclude each other: give one of them")
    if total is not None and total < 1:
        raise ValueError(f"a mixture of {total} is none: the size is 1 or more")
