"""How often somebody may try to sign in."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

REMEMBERED = 10_000
"""The most addresses, and the most accounts, with remembered failures; the oldest failures are forgotten first."""


@dataclass
class Throttle:
    """Counts failures of each key. After ``most`` failures within ``seconds``, the key has to wait until the oldest of
    these failures is ``seconds`` old."""

    most: int
    seconds: float
    clock: Callable[[], float] = time.monotonic
    _failures: OrderedDict[str, list[float]] = field(default_factory=OrderedDict)

    def wait(self, key: str) -> int:
        """Whole seconds until the key may try again; 0 if it may now."""
        now = self.clock()
        recent = [moment for moment in self._failures.get(key, []) if now - moment < self.seconds]
        return math.ceil(recent[0] + self.seconds - now) if len(recent) >= self.most else 0

    def fail(self, key: str) -> None:
        """Counts a failure."""
        self._failures[key] = [*self._failures.pop(key, []), self.clock()][-self.most :]
        if len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)

    def forget(self, key: str) -> None:
        """Forgets the failures of a key that succeeded."""
        self._failures.pop(key, None)

    def forget_one(self, key: str) -> None:
        """Takes back the newest failure of a key: many people may share an address."""
        if self._failures.get(key):
            self._failures[key].pop()
