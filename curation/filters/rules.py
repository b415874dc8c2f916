"""Rules: decide by the value of one signal, without the text."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class Rule:
    """A document fails if its ``signal`` is below ``at_least``, above ``at_most`` or not among ``one_of``.

    A value that is null or NaN never fails.
    """

    reason: str
    signal: str
    at_least: float | None = None
    at_most: float | None = None
    one_of: tuple[str, ...] | None = None


def failures(signals: pa.RecordBatch, rules: Sequence[Rule]) -> npt.NDArray[np.bool_]:
    """Whether each row fails each rule, shape (rows, rules). Thresholds are rounded to the type of their signal.

    >>> batch = pa.RecordBatch.from_pydict({"words": pa.array([49, 50, None], pa.int32())})
    >>> failures(batch, [Rule("too_few_words", "words", at_least=50)]).tolist()
    [[True], [False], [False]]
    """
    failed = np.zeros((len(signals), len(rules)), np.bool_)
    for column, rule in enumerate(rules):
        failed[:, column] = _fails(signals[rule.signal], rule)
    return failed


def _fails(signal: pa.Array, rule: Rule) -> npt.NDArray[np.bool_]:
    if rule.one_of is not None:
        wanted = pc.is_in(signal, value_set=pa.array(rule.one_of, signal.type))
        return np.asarray(pc.and_(signal.is_valid(), pc.invert(wanted)).to_numpy(zero_copy_only=False))
    values = signal.to_numpy(zero_copy_only=False)  # null becomes NaN, which no comparison fails
    if not np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float64)
    failed = np.zeros(len(values), np.bool_)
    if rule.at_least is not None:
        failed |= values < values.dtype.type(rule.at_least)
    if rule.at_most is not None:
        failed |= values > values.dtype.type(rule.at_most)
    return failed


def active_rules(*rules: Rule) -> tuple[Rule, ...]:
    """The rules with a threshold; rules without a threshold are switched off."""
    return tuple(rule for rule in rules if (rule.at_least, rule.at_most, rule.one_of) != (None, None, None))
