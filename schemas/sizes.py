"""Sizes in bytes as a person reads them, in decimal units."""

from typing import NamedTuple


class Unit(NamedTuple):
    """A unit, and its size in bytes."""

    name: str
    bytes: float

    def number(self, size: float) -> str:
        """A size in this unit, without the unit's name.

        >>> Unit("MB", 1e6).number(1_234_500_000)
        '1,234.5'
        """
        return f"{size / self.bytes:,.{0 if self.bytes == 1 else 1}f}"


UNITS = tuple(Unit(name, 1000.0**power) for power, name in enumerate(("B", "kB", "MB", "GB", "TB", "PB")))
"""From the smallest unit to the largest."""


def unit_of(size: float) -> Unit:
    """The largest unit that is not larger than the size, or else bytes. For a column of sizes, give the largest size.

    >>> unit_of(5_000).name, unit_of(0).name
    ('kB', 'B')
    """
    return next((unit for unit in reversed(UNITS) if size >= unit.bytes), UNITS[0])


def readable(size: float) -> str:
    """A size with its unit.

    >>> readable(3.2e12), readable(450_000_000), readable(12)
    ('3.2 TB', '450.0 MB', '12 B')
    """
    unit = unit_of(size)
    return f"{unit.number(size)} {unit.name}"
