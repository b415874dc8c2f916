"""Decides how often each document of a source is taken: as a column of the corpus says, or by buckets of quality."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from schemas.errors import UserError
from schemas.mixture import MOST_EPOCHS

Values = npt.NDArray[np.float64]
Lengths = npt.NDArray[np.int64]

CURVE_EPOCHS = 7.0
"""The most epochs of a document by a curve, if ``max_epochs`` is not given: the cap of Dolma 3 (Olmo 3, 2025)."""
MOST_BUCKETS = 1000
SHOWN_WEIGHTS = 20
"""Up to this many different weights of a column are reported one by one; more are reported by twentieths."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """How many epochs each document of a source is worth, by a numeric column of ``documents/`` or ``signals/``.

    With neither ``epochs`` nor ``buckets``, the column holds the epochs themselves, as `rehydration_weight` does.

    With ``epochs``, the documents are divided into as many buckets by percentile of the column, lowest first, and each
    bucket has its epochs. With ``buckets``, epochs follow a curve over that many buckets: 0 up to the percentile
    ``drop``, above it C (x - drop)^``power`` at percentile x, averaged over the bucket and never above ``max_epochs``;
    C is such that the source is worth ``mean`` epochs. Dolma 3 divides into 20 buckets and drops the lower 40%.

    ``percentile``: buckets of equally many documents, or of equally many tokens as in Nemotron-CC (Su et al. 2024).
    Documents with equal values are in the same bucket. ``missing`` is the epochs of a document without a value.
    """

    column: str
    epochs: tuple[float, ...] = ()
    buckets: int | None = None
    drop: float = 0.4
    power: float = 1.0
    mean: float = 1.0
    percentile: Literal["documents", "tokens"] = "documents"
    missing: float | None = None

    def __post_init__(self) -> None:
        if self.epochs and self.buckets is not None:
            raise UserError("epochs and buckets exclude each other: epochs has a number for each bucket already")
        if self.buckets is not None and not 1 <= self.buckets <= MOST_BUCKETS:
            raise UserError(f"buckets is {self.buckets}: give a number from 1 to {MOST_BUCKETS}")
        if len(self.epochs) > MOST_BUCKETS:
            raise UserError(f"epochs has {len(self.epochs):,} numbers: give at most {MOST_BUCKETS}")
        for value in (*self.epochs, *(() if self.missing is None else (self.missing,))):
            if not 0 <= value <= MOST_EPOCHS:
                raise UserError(f"{value:g} epochs: give numbers from 0 to {MOST_EPOCHS:,}")
        if self.epochs and not any(self.epochs):
            raise UserError("all epochs are 0: leave the source out")
        if not 0 <= self.drop < 1:
            raise UserError(f"drop is {self.drop:g}: give the share of the lowest documents to leave out, below 1")
        if not 0 <= self.power <= 100:
            raise UserError(f"power is {self.power:g}: give a number from 0 to 100")
        if not 0 < self.mean <= MOST_EPOCHS:
            raise UserError(f"mean is {self.mean:g}: give the epochs of the source, above 0 and at most {MOST_EPOCHS}")


@dataclass(frozen=True, kw_only=True)
class Weighted:
    """The documents of a source with their weights; all arrays have shape (n,). ``epochs`` are the epochs that a
    document is worth, before the mixture scales them; ``bucket`` is the number of its bucket, -1 without a value;
    ``most`` is the most epochs of a document, and ``whole`` and ``limit`` are the tokens of the source with its epochs
    as they are, and with ``most`` epochs of every document whose epochs are not 0."""

    values: Values
    lengths: Lengths
    epochs: Values
    bucket: npt.NDArray[np.int64]
    most: float
    whole: int
    limit: int

    def scaled(self, tokens: int) -> Values:
        """The epochs of each document, all multiplied by one factor and none above ``most``, that add up to ``tokens``
        tokens."""
        return scale(self.epochs, self.lengths, self.most, tokens)


def weigh(
    weights: Weights, max_epochs: float | None, values: Values, lengths: npt.NDArray[np.int32], name: str
) -> Weighted:
    """The weights of the documents of source ``name``, from their values (NaN for a document without a value) and
    lengths in tokens, both of shape (n,). Raises UserError for weights that these values do not allow."""
    sizes = lengths.astype(np.int64)
    unknown = np.isnan(values)
    if unknown.any() and weights.missing is None:
        raise UserError(
            f"{int(unknown.sum()):,} documents of {name} have no value in {weights.column}: "
            "give the epochs of such documents as weights.missing, for example 0"
        )
    epochs = np.full(len(values), weights.missing or 0.0)
    bucket = np.full(len(values), -1, np.int64)
    known = np.flatnonzero(~unknown)
    held, tokens = values[known], sizes[known]
    counts = tokens if weights.percentile == "tokens" else np.ones_like(tokens)
    if weights.epochs:
        if max_epochs is not None and max(weights.epochs) > max_epochs:
            raise UserError(
                f"weights.epochs of {name} asks for {max(weights.epochs):g} epochs, and max_epochs is {max_epochs:g}: "
                "raise max_epochs or lower the epochs"
            )
        bucket[known] = buckets(held, counts, len(weights.epochs))
        epochs[known] = np.array(weights.epochs)[bucket[known]]
        most = max_epochs or max(weights.epochs)
    elif weights.buckets is not None:
        bucket[known] = buckets(held, counts, weights.buckets)
        shape = curve(weights.buckets, weights.drop, weights.power)[bucket[known]]
        most = max_epochs or CURVE_EPOCHS
        asked, possible = int(weights.mean * tokens.sum()), int(most * tokens[shape > 0].sum())
        if asked > possible:
            reached = possible / max(int(tokens.sum()), 1)
            raise UserError(
                f"weights.mean of {name} is {weights.mean:g}, but with drop = {weights.drop:g} and max_epochs = "
                f"{most:g} the source gives at most {reached:.3g} epochs: lower mean or drop, or raise max_epochs"
            )
        epochs[known] = scale(shape, tokens, most, asked)
    else:
        wrong = (held < 0) | (held > MOST_EPOCHS)
        if wrong.any():
            raise UserError(
                f"{weights.column} of {name} holds {held[wrong][0]:g}, and weights are epochs from 0 to "
                f"{MOST_EPOCHS:,}: give weights.epochs or weights.buckets to take its percentiles"
            )
        epochs[known] = held
        most = max_epochs or float(epochs.max(initial=0.0))
        different, place = np.unique(held, return_inverse=True)
        bucket[known] = place if len(different) <= SHOWN_WEIGHTS else buckets(held, counts, SHOWN_WEIGHTS)
    whole = int(tokens_by_epochs(np.minimum(epochs, most), sizes).sum())
    if not whole:
        raise UserError(f"the weights of {name} leave no token: leave the source out, or give other weights")
    limit = max(whole, int(most * sizes[epochs > 0].sum()))
    return Weighted(values=values, lengths=sizes, epochs=epochs, bucket=bucket, most=most, whole=whole, limit=limit)


def buckets(values: Values, counts: Lengths, number: int) -> npt.NDArray[np.int64]:
    """The bucket of each value, 0 to ``number`` - 1: of its percentile among all values, each as often as ``counts``
    says. Equal values have the percentile of their middle. Values and counts have shape (n,)."""
    _, place = np.unique(values, return_inverse=True)
    held = np.bincount(place, counts.astype(np.float64)) if len(place) else np.zeros(0)
    middle = np.cumsum(held) - held / 2
    found: npt.NDArray[np.int64] = np.minimum(middle * number / max(held.sum(), 1), number - 1).astype(np.int64)[place]
    return found


def curve(number: int, drop: float, power: float) -> Values:
    """The mean of max(0, x - drop)^power over each of ``number`` equal parts of 0 to 1; shape (number,)."""
    edges = np.maximum(np.arange(number + 1) / number - drop, 0.0)
    areas = np.diff(edges ** (power + 1)) / (power + 1)
    means: Values = areas * number
    return means


def scale(epochs: Values, sizes: Lengths, most: float, tokens: int) -> Values:
    """min(``most``, k ``epochs``) for the k with which documents of these ``sizes`` in tokens have ``tokens`` tokens
    together, or ``most`` for all whose epochs are not 0, if these have no more. All arrays have shape (n,)."""
    different, place = np.unique(epochs, return_inverse=True)
    different, place = different[::-1], len(different) - 1 - place  # the largest first: these reach ``most`` first
    held = np.bincount(place, sizes, len(different)) if len(place) else np.zeros(len(different))
    capped = np.concatenate([[0.0], np.cumsum(held)])[:-1] * most
    rest = np.cumsum((held * different)[::-1])[::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = (tokens - capped) / rest
        fits = np.flatnonzero((rest > 0) & (factors * different <= most))
    if not len(fits):
        return np.where(epochs > 0, most, 0.0)
    scaled: Values = np.minimum(most, epochs * factors[fits[0]])
    scaled[epochs > different[fits[0]]] = most
    return scaled


def tokens_by_epochs(epochs: Values, sizes: Lengths) -> Values:
    """The tokens of documents with these epochs and sizes in tokens, both of shape (n,), summed by different epochs in
    rising order: the sum does not depend on the order of the documents."""
    different, place = np.unique(epochs, return_inverse=True)
    held: Values = np.bincount(place, sizes, len(different)) * different if len(place) else different
    return held
