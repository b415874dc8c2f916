"""Ports of this machine for servers of tests."""

from random import SystemRandom

from annotation.server.ports import is_free

OURS = range(20_000, 32_768)
"""Below those that a system gives out by itself (Linux from 32,768, others from 49,152).

One of those could be taken by any connection of this machine before the server that it was found for listens there.
"""
_in_turn = iter(SystemRandom().sample(OURS, len(OURS)))


def free_port() -> int:
    """A port on which nobody listens now; each time another one."""
    return next(filter(is_free, _in_turn))
