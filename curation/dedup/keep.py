"""Keep policies: a total order of documents, which decides the survivor of each group of duplicates.

A policy gives every document a rank (62 bits, lower is better). Of equal ranks the first document in the sorted listing
(file, then offset) wins, since a doc_id can repeat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import UserError

Policy = Literal["first", "longest", "newest", "source", "signal"]
RANK_BITS = 62
WORST = (np.uint64(1) << np.uint64(RANK_BITS)) - np.uint64(1)


@dataclass(frozen=True, kw_only=True)
class Keep:
    """The policy that decides which of several duplicates stays.

    ``first`` in the sorted listing; ``longest`` text in characters; ``newest`` date; the earliest of ``sources``; or
    the highest value of ``signal`` (the lowest with ``lowest``). Missing values come last.
    """

    policy: Policy = "first"
    signal: str | None = None
    lowest: bool = False
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.policy == "signal") != (self.signal is not None):
            raise UserError("keep.policy = signal and keep.signal go together: set both or neither")
        if (self.policy == "source") != bool(self.sources):
            raise UserError("keep.policy = source and keep.sources (best first) go together: set both or neither")
        if self.lowest and self.policy != "signal":
            raise UserError(f"keep.lowest is only for keep.policy = signal, not {self.policy}")

    def ranks(self, documents: pa.RecordBatch, signals: pa.RecordBatch) -> npt.NDArray[np.uint64]:
        """The rank of each document, lower is better."""
        rows = len(documents)
        if self.policy == "longest":
            return _descending(pc.utf8_length(documents["text"]).to_numpy(zero_copy_only=False).astype(np.float64))
        if self.policy == "newest":
            return _descending(_seconds(documents["date"]))
        if self.policy == "source":
            return _positions(documents["source"], self.sources)
        if self.policy == "signal":
            values = signals[self.signal].cast(pa.float64()).to_numpy(zero_copy_only=False)
            return _descending(-values if self.lowest else values)
        return np.zeros(rows, np.uint64)


def _descending(values: npt.NDArray[np.float64]) -> npt.NDArray[np.uint64]:
    """Ranks that put the highest value first and NaN last; values that differ only in the last two of 52 binary digits
    have equal ranks.

    >>> _descending(np.array([1.0, -2.0, np.nan, 3.0])).argsort().tolist()
    [3, 0, 1, 2]
    """
    bits = (-(values + 0.0)).view(np.uint64)
    sign = np.uint64(1) << np.uint64(63)
    ordered = np.where(bits & sign, ~bits, bits | sign) >> np.uint64(64 - RANK_BITS)
    return np.where(np.isnan(values), WORST, ordered)


def _seconds(dates: pa.Array) -> npt.NDArray[np.float64]:
    """Seconds since 1970 of ISO 8601 dates (UTC where no zone is given) or epoch numbers; NaN if unreadable."""
    distinct = dates.dictionary_encode()
    seconds = np.array([_second(date) for date in distinct.dictionary.to_pylist()] + [np.nan])
    position = distinct.indices.fill_null(len(seconds) - 1).to_numpy(zero_copy_only=False)
    result: npt.NDArray[np.float64] = seconds[position]
    return result


def _second(date: str) -> float:
    try:
        moment = datetime.fromisoformat(date.strip())
    except ValueError:
        try:
            return float(date)
        except ValueError:
            return np.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _positions(values: pa.Array, order: Sequence[str]) -> npt.NDArray[np.uint64]:
    found = pc.index_in(values, value_set=pa.array(order, pa.string()))
    ranks: npt.NDArray[np.uint64] = found.fill_null(len(order)).to_numpy(zero_copy_only=False).astype(np.uint64)
    return ranks
