"""The settings of deduplication."""

from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from curation.dedup.keep import Keep
from curation.dedup.urls import UrlForm
from schemas.errors import UserError

DEFAULT_MIN_SIMILARITY = 0.65
DEFAULT_SURVIVOR = 0.65
Verify = Literal["exact", "signature"]
MOST_VALUES = 1 << 14
"""Maximum number of values of a signature: 64 KB per document. The largest published signature has 9,000 values."""
MOST = {"ngram": 1000, "bands": MOST_VALUES, "rows": MOST_VALUES, "permutations": 2048}
"""Finding the bands and rows for a threshold takes seconds with more permutations."""
BOUNDS_OF_PIECES = {
    "copies": (1, 1000),
    "min_characters": (1, 1_000_000),
    "sentences": (1, 100),
    "min_bytes": (8, 100_000),
}
SETTINGS_OF_UNITS = {
    "copies": ("line", "paragraph", "sentences"),
    "min_characters": ("line", "paragraph", "sentences"),
    "sentences": ("sentences",),
    "min_bytes": ("substring",),
}
"""The units of pieces for which a setting makes sense."""


@dataclass(frozen=True, kw_only=True)
class Near:
    """MinHash with banding (Broder 1997; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3).

    Two documents are candidates if all ``rows`` values of one of ``bands`` bands are equal, and near-duplicates if
    their share of equal values is at least ``min_similarity``. With ``threshold`` (Jaccard, 0 to 1), ``bands`` and
    ``rows`` are computed from it and ``permutations`` as in datasketch, and ``min_similarity`` defaults to the
    threshold.

    ``verify`` says how the similarity of candidates is measured: "exact" is the Jaccard similarity of their sets of
    shingles, "signature" the share of equal values of their signatures, an estimate. A near-duplicate is removed only
    if its similarity to the document that is kept for it is at least ``survivor`` (default: 0.65, or the similarity of
    near-duplicates where this is lower). With 0, the best document of a connected component survives, however
    different from the others (`curation.dedup.survivors` has the definitions).
    """

    ngram: int = 5
    bands: int = 14
    rows: int = 8
    threshold: float | None = None
    permutations: int = 128
    min_similarity: float | None = None
    seed: int = 1
    verify: Verify = "exact"
    survivor: float | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise UserError(f"near.threshold is {self.threshold}: give a Jaccard similarity between 0 and 1")
        for name in ("ngram", "bands", "rows", "permutations"):
            if not 1 <= getattr(self, name) <= MOST[name]:
                raise UserError(f"near.{name} is {getattr(self, name)}: give 1 to {MOST[name]:,}")
        if not 0 <= self.seed < 1 << 32:
            raise UserError(f"near.seed is {self.seed}: give a whole number of 0 or more, below 2**32")
        if self.min_similarity is not None and not 0 <= self.min_similarity <= 1:
            raise UserError(f"near.min_similarity is {self.min_similarity}: give a share between 0 and 1")
        if self.survivor is not None and not 0 <= self.survivor <= 1:
            raise UserError(f"near.survivor is {self.survivor}: give a share between 0 (off) and 1")
        if self.threshold is not None and (self.bands, self.rows) != (14, 8):
            raise UserError("near.threshold and near.bands or near.rows contradict each other: set only one of them")
        bands, rows = self.banding
        if bands * rows > MOST_VALUES:
            raise UserError(
                f"near.bands x near.rows are {bands * rows:,} values for each document: give at most {MOST_VALUES:,}"
            )

    @property
    def banding(self) -> tuple[int, int]:
        """The effective (bands, rows)."""
        return (self.bands, self.rows) if self.threshold is None else optimal_banding(self.threshold, self.permutations)

    @property
    def required_similarity(self) -> float:
        """The similarity that a candidate pair must reach."""
        if self.min_similarity is not None:
            return self.min_similarity
        return DEFAULT_MIN_SIMILARITY if self.threshold is None else self.threshold

    @property
    def required_survivor(self) -> float:
        """The similarity that a near-duplicate must have to its survivor; 0 if the rule is off."""
        return min(DEFAULT_SURVIVOR, self.required_similarity) if self.survivor is None else self.survivor


@cache
def optimal_banding(threshold: float, permutations: int) -> tuple[int, int]:
    """The bands and rows of datasketch's MinHashLSH for a threshold (equal weights for both errors).

    Raises UserError if there are too few permutations for the threshold.
    """
    from datasketch import MinHashLSH

    try:
        index = MinHashLSH(threshold=threshold, num_perm=permutations)
    except ValueError as error:
        raise UserError(
            f"near.threshold is {threshold:g} with near.permutations = {permutations}, which is not enough for two "
            "bands: give a smaller threshold or more permutations"
        ) from error
    return index.b, index.r


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """Cuts pieces that occur more than once in the documents that stay after all other steps.

    Pieces are equal if they have the same characters between the white space at their ends. A sentence counts as part
    of ``sentences`` in a row (C4's spans; Raffel et al. 2020, section 2.2). Substrings are all parts of a text of
    ``min_bytes`` or more that begin at a character (Lee et al. 2022, section 4.1); where copies overlap, those that
    reach furthest are named as cuts. The first ``copies`` stay, in the order in which documents are read.
    """

    unit: Literal["line", "paragraph", "sentences", "substring"]
    """Lines end as in `str.splitlines`; a paragraph is the lines between blank lines."""
    copies: int = 1
    """1 for substrings."""
    min_characters: int = 40
    """Shorter pieces stay: different documents have the same headings. White space at the ends does not count; for
    sentences, the characters of all sentences in a row."""
    sentences: int = 3
    min_bytes: int = 500
    """The least length of a substring in bytes of UTF-8."""

    def __post_init__(self) -> None:
        for name, (least, most) in BOUNDS_OF_PIECES.items():
            if not least <= getattr(self, name) <= most:
                raise UserError(f"pieces.{name} is {getattr(self, name)}: give {least} to {most:,}")
        for name, units in SETTINGS_OF_UNITS.items():
            if self.unit not in units and getattr(self, name) != getattr(Pieces, name):
                raise UserError(f"pieces.{name} is only for pieces.unit = {' or '.join(units)}, not {self.unit}")


@dataclass(frozen=True, kw_only=True)
class Dedup:
    """Which duplicates are removed, in the order url, exact, near; ``near = None`` switches near-duplicates off. With
    ``pieces``, duplicate pieces are then cut from the documents that are left."""

    url: bool = False
    url_form: UrlForm = "whole"
    """Whether urls are compared whole, or normalised: http and https, www, tracking parameters and the like do not
    count (`urls.py`)."""
    exact: bool = True
    near: Near | None = field(default_factory=Near)
    keep: Keep = field(default_factory=Keep)
    pieces: Pieces | None = None

    @property
    def stages(self) -> bool:
        """Whether any duplicate documents are removed."""
        return self.url or self.exact or self.near is not None

    @property
    def verifies(self) -> bool:
        """Whether candidates are compared by their sets of shingles."""
        return self.near is not None and self.near.verify == "exact"

    @property
    def bounds_survivors(self) -> bool:
        """Whether near-duplicates are removed only for a survivor that is similar enough."""
        return self.near is not None and self.near.required_survivor > 0
