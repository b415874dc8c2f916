"""Logs each request that the gate refuses in one line, without secrets."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

LOG = logging.getLogger("gristmill.gate")
MOST = 120
"""The most lines a minute; further refusals are only counted."""


@dataclass
class Refusals:
    """Logs refused requests, at most MOST lines a minute. ``clock`` gives seconds."""

    clock: Callable[[], float] = time.monotonic
    _minute: float = 0.0
    _written: int = 0
    _left_out: int = 0

    def note(self, email: str | None, method: str, path: str, reason: str) -> None:
        """Logs a refusal. ``path`` comes without the query, which may hold tokens and passwords."""
        now = self.clock()
        if now - self._minute >= 60:
            if self._left_out:
                LOG.warning("refused %d more requests in that minute", self._left_out)
            self._minute, self._written, self._left_out = now, 0, 0
        if self._written >= MOST:
            self._left_out += 1
            return
        self._written += 1
        LOG.warning("refused %s %s %s: %s", email or "somebody", _visible(method), _visible(path), reason)


def _visible(text: str) -> str:
    """At most 200 characters, and no line break or other control character.

    >>> _visible("/api/tasks/\\n12")
    '/api/tasks/?12'
    """
    return "".join(each if each.isprintable() and each != " " else "?" for each in text[:200])
