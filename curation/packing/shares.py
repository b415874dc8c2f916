"""How much of each source is packed: all of it once, or what a mixture says."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.errors import UserError
from schemas.mixture import Part, Taken, mixture


@dataclass(frozen=True, kw_only=True)
class Source:
    """A corpus of a mixture: its share of the tokens (shares need not sum to 1), and how often it may be gone through
    at most, in whole or part. ``all``: it is gone through once, and the mixture is as large as its share says."""

    name: str
    path: str
    share: float
    max_epochs: float = 1.0
    all: bool = False


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Sources by their shares, up to a number of tokens where one is given."""

    source: tuple[Source, ...]
    tokens: int | None = None


def shares(names: Sequence[str], sizes: Sequence[int], mixed: Mixture | None) -> list[Taken]:
    """What each source gives, in tokens, in the order of the names. Raises UserError for a mixture that cannot be."""
    if mixed is None:
        whole = sum(sizes)
        return [
            Taken(name=name, size=size, asked=size, taken=size, epochs=1.0, share=size / whole if whole else 0.0)
            for name, size in zip(names, sizes, strict=True)
        ]
    empty = [name for name, size in zip(names, sizes, strict=True) if not size]
    if empty:
        raise UserError(f"source {empty[0]} holds no text: leave it out of the mixture")
    by_name = {source.name: source for source in mixed.source}
    parts = [
        Part(name=name, size=size, share=asked.share, max_epochs=asked.max_epochs, all=asked.all)
        for name, size, asked in zip(names, sizes, map(by_name.__getitem__, names), strict=True)
    ]
    return _mixture(parts, mixed.tokens)


def check(mixed: Mixture) -> None:
    """Raises UserError for a mixture that cannot be, whatever its sources hold."""
    parts = [
        Part(name=source.name, size=1, share=source.share, max_epochs=source.max_epochs, all=source.all)
        for source in mixed.source
    ]
    _mixture(parts, mixed.tokens)


def _mixture(parts: Sequence[Part], total: int | None) -> list[Taken]:
    try:
        return mixture(parts, total)
    except ValueError as error:
        raise UserError(f"the mixture cannot be made: {error}") from error
