"""Checks that a ledger balances: everything that came in went out exactly once."""

from collections.abc import Mapping


class LedgerError(RuntimeError):
    """Something was lost or counted twice: a bug of Gristmill, so the run fails and nothing is finished."""


def check_balance(place: str, came: int, went: Mapping[str, int]) -> None:
    """Raises LedgerError unless the numbers in ``went`` add up to ``came``. ``place`` names what is counted, and where.

    >>> check_balance("documents of web", 12, {"kept": 9, "rejected": 2})
    Traceback (most recent call last):
    schemas.balance.LedgerError: documents of web: 12 came in, and 11 went out (kept 9, rejected 2)
    """
    total = sum(went.values())
    if came != total:
        counts = ", ".join(f"{name} {count:,}" for name, count in went.items())
        raise LedgerError(f"{place}: {came:,} came in, and {total:,} went out ({counts})")
