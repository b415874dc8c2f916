"""When requests may be sent: limits per minute, waits that the endpoint asks for, and back-off after failures."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

LONGEST_PAUSE = 60.0
"""Maximum seconds before another attempt, unless the endpoint asks for a longer wait."""


@dataclass
class Pace:
    """Spreads requests evenly over time; None is no limit.

    ``now`` and ``sleep`` are a clock in seconds; ``draw`` gives a number from 0 to 1, for jitter. Jitter changes when
    requests are sent, never what is sent.
    """

    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    first_pause: float = 1.0
    """Seconds before the second attempt, doubled before each further attempt."""
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    draw: Callable[[], float] = field(default_factory=lambda: random.Random().random)
    _requests_free: float = 0.0
    _tokens_free: float = 0.0
    _paused_until: float = 0.0

    async def turn(self, tokens: float) -> None:
        """Waits until a request of about that many tokens may be sent."""
        now = self.now()
        start = max(now, self._requests_free, self._tokens_free)
        if self.requests_per_minute is not None:
            self._requests_free = start + 60 / self.requests_per_minute
        if self.tokens_per_minute is not None:
            self._tokens_free = start + 60 * tokens / self.tokens_per_minute
        while (wait := max(start, self._paused_until) - self.now()) > 0:
            await self.sleep(wait)

    @property
    def held(self) -> float:
        """The seconds until the wait ends for which the endpoint asked; 0 without one."""
        return max(0.0, self._paused_until - self.now())

    def hold(self, seconds: float) -> None:
        """Sends no request before so many seconds have passed, as the endpoint asks."""
        self._paused_until = max(self._paused_until, self.now() + seconds)

    async def pause(self, attempt: int, asked: float | None) -> None:
        """Waits after a failed attempt, counted from 0. ``asked``: the seconds that the endpoint asked to wait."""
        wait = min(LONGEST_PAUSE, self.first_pause * 2.0**attempt) * (0.5 + self.draw() / 2)
        await self.sleep(wait if asked is None else asked + self.first_pause * self.draw())
