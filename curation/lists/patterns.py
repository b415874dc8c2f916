"""Regular expressions of RE2, which takes a time in proportion to the text for any expression."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import UserError
from schemas.settings import shown


def any_of(patterns: Iterable[str]) -> str:
    """One expression for any of some expressions."""
    return "|".join(f"(?:{pattern})" for pattern in patterns)


def check_pattern(pattern: str, where: str) -> None:
    """Raises UserError, which names the place ``where``, for an expression that RE2 cannot read."""
    try:
        pc.match_substring_regex(pa.array([""], pa.large_string()), pattern)
    except pa.ArrowInvalid as error:
        reason = str(error).removeprefix("Invalid regular expression: ").partition(":")[0]
        raise UserError(
            f"{where} has {shown(pattern)}, which is not a regular expression of RE2 ({reason}): RE2 has no "
            "look-around and no back references"
        ) from None


def lines_of(texts: pa.LargeStringArray) -> tuple[pa.LargeStringArray, npt.NDArray[np.int64]]:
    """The lines of all texts, split at each newline, and the numbers of the lines of each text, added up from 0."""
    split = pc.split_pattern(texts, "\n")
    offsets = np.asarray(split.offsets).astype(np.int64)
    return split.flatten(), offsets - offsets[0]


def join_lines(
    lines: pa.LargeStringArray, offsets: npt.NDArray[np.int64], kept: npt.NDArray[np.bool_]
) -> pa.LargeStringArray:
    """The texts of the kept lines; ``offsets`` are those of all lines."""
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
    lists = pa.ListArray.from_arrays(pa.array(before[offsets].astype(np.int32)), lines.filter(pa.array(kept)))
    return pc.binary_join(lists, pa.scalar("\n", pa.large_string()))


def segments(texts: pa.LargeStringArray, separator: str) -> tuple[pa.LargeStringArray, npt.NDArray[np.int64]]:
    """The segments of all texts between separators, without segments of white space alone, and the row of the text of
    each segment."""
    split = pc.split_pattern(texts, separator)
    rows = np.repeat(np.arange(len(texts)), np.diff(np.asarray(split.offsets)))
    flat = split.flatten()
    kept = pc.match_substring_regex(flat, _NOT_BLANK)
    return flat.filter(kept), rows[np.asarray(kept)]


def share_of_segments(texts: pa.LargeStringArray, separator: str, pattern: str) -> npt.NDArray[np.float64]:
    """The share of each text's segments that contain the pattern, 0 to 1; NaN for a text without segments."""
    found, rows = segments(texts, separator)
    matched = np.asarray(pc.match_substring_regex(found, pattern)).astype(np.float64)
    whole = np.bincount(rows, minlength=len(texts)).astype(np.float64)
    whole[whole == 0] = np.nan
    shares: npt.NDArray[np.float64] = np.bincount(rows, matched, len(texts)) / whole
    return shares


_NOT_BLANK = r"[^\s\v\x{85}\x{1c}-\x{1f}\pZ]"
