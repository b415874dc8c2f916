"""Counts what a tokenizer does to texts that the user should know: unknown and control tokens, changed texts."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.rewrites.composing import nfkc

SAMPLE = 1000
"""About how many documents are decoded and compared with their texts."""

_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True)
class RoundTrip:
    sampled: int
    changed: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class NoticedReport:
    """A `Noticed` as the manifest holds it."""

    unknown_tokens: int
    control_tokens: Mapping[str, int]
    round_trip: RoundTrip


@dataclass
class Noticed:
    """Counts over documents. ``unknown``: tokens for text that the tokenizer does not know. ``controls``: how often the
    name of each control token occurs in a text, where it was packed as ordinary characters. ``sampled`` documents were
    decoded; ``changed`` counts the documents whose decoded text differs, by the first kind of change that explains the
    difference: ``line_feeds`` (some or all are lost), ``unknown`` tokens, ``white_space``, ``unicode`` (another form of
    the same characters, or another case), ``characters``."""

    unknown: int = 0
    sampled: int = 0
    controls: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Noticed") -> None:
        self.unknown += other.unknown
        self.sampled += other.sampled
        self.controls.update(other.controls)
        self.changed.update(other.changed)

    def report(self) -> NoticedReport:
        trip = RoundTrip(sampled=self.sampled, changed=dict(sorted(self.changed.items())))
        controls = dict(sorted(self.controls.items()))
        return NoticedReport(unknown_tokens=self.unknown, control_tokens=controls, round_trip=trip)

    @classmethod
    def of(cls, report: NoticedReport) -> "Noticed":
        trip = report.round_trip
        return cls(report.unknown_tokens, trip.sampled, Counter(report.control_tokens), Counter(trip.changed))


class ControlTokens:
    """Finds control tokens in texts, by their names."""

    def __init__(self, names: Sequence[str]):
        longest_first = sorted(names, key=lambda name: (-len(name), name))
        self._pattern = "|".join(map(re.escape, longest_first))
        self._names = re.compile(self._pattern) if names else None

    def count(self, texts: Sequence[str]) -> Counter[str]:
        """How often each control token occurs in the texts. A fast search skips texts without any, which most are."""
        found: Counter[str] = Counter()
        if self._names is None:
            return found
        holding = pc.match_substring_regex(pa.array(texts, pa.large_string()), self._pattern)
        for row in np.flatnonzero(holding.to_numpy(zero_copy_only=False)).tolist():
            found.update(self._names.findall(texts[row]))
        return found


def in_sample(digests: npt.NDArray[np.uint64], share: float) -> npt.NDArray[np.intp]:
    """The indices of the documents to decode, about ``share`` of them, chosen by their digests alone."""
    limit = min(int(share * 2**64), 2**64 - 1)
    return np.flatnonzero(digests[:, 1] <= np.uint64(limit))


def change_kind(text: str, decoded: str, unknown: bool) -> str | None:
    """The kind of change between a text and its decoded tokens; None if they are equal. A space before the first word,
    which some tokenizers add or remove, does not count as a change."""
    if text.removeprefix(" ") == decoded.removeprefix(" "):
        return None
    if decoded.count("\n") < text.count("\n"):
        return "line_feeds"
    if unknown:
        return "unknown"
    if _SPACE.sub("", text) == _SPACE.sub("", decoded):
        return "white_space"
    return "unicode" if _fold(text) == _fold(decoded) else "characters"


def _fold(text: str) -> str:
    return _SPACE.sub("", nfkc(text.casefold()))
