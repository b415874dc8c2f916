"""Decides how much of each source is packed: all of it once, or the share that a mixture says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curation.packing.weights import Weighted, Weights
from schemas.errors import UserError
from schemas.mixture import Contribution, Part, mixture


@dataclass(frozen=True, kw_only=True)
class MixtureSource:
    """A corpus of a mixture: its share of the tokens (shares need not sum to 1), and how many epochs of it may be used
    at most, also in part (by default 1). ``all``: exactly one epoch is used, and the size of the mixture follows from
    its share.

    With ``weights``, documents are taken as often as their weights say, or all more or all less often by one factor,
    as the share asks. ``max_epochs`` then is the most epochs of any document: by default the largest weight, and 7 for
    a curve."""

    name: str
    path: str
    share: float
    max_epochs: float | None = None
    all: bool = False
    weights: Weights | None = None

    def of_size(self, size: int, weighted: Weighted | None = None) -> Part:
        """The part of a mixture that a corpus of ``size`` tokens is."""
        epochs = 1.0 if self.max_epochs is None else self.max_epochs
        held = (None, None) if weighted is None else (weighted.whole, weighted.limit)
        return Part(
            name=self.name,
            size=size,
            share=self.share,
            max_epochs=epochs,
            all=self.all,
            whole=held[0],
            limit=held[1],
        )


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Sources with their shares, up to a number of tokens if ``tokens`` is given."""

    source: tuple[MixtureSource, ...]
    tokens: int | None = None


def shares(
    names: Sequence[str], sizes: Sequence[int], mixed: Mixture | None, weighted: Mapping[str, Weighted]
) -> list[Contribution]:
    """The tokens to take from each source, in the order of the names; ``weighted`` are those with weights, by name.
    Raises UserError for an impossible mixture."""
    if mixed is None:
        whole = sum(sizes)
        return [
            Contribution(name=name, size=size, asked=size, taken=size, epochs=1.0, share=size / whole if whole else 0.0)
            for name, size in zip(names, sizes, strict=True)
        ]
    empty = [name for name, size in zip(names, sizes, strict=True) if not size]
    if empty:
        raise UserError(f"source {empty[0]} holds no text: leave it out of the mixture")
    by_name = {source.name: source for source in mixed.source}
    parts = [by_name[name].of_size(size, weighted.get(name)) for name, size in zip(names, sizes, strict=True)]
    return _mixture(parts, mixed.tokens)


def check(mixed: Mixture) -> None:
    """Raises UserError for a mixture that is impossible for sources of any size."""
    _mixture([source.of_size(1) for source in mixed.source], mixed.tokens)


def _mixture(parts: Sequence[Part], total: int | None) -> list[Contribution]:
    try:
        return mixture(parts, total)
    except ValueError as error:
        raise UserError(f"the mixture cannot be made: {error}") from error
