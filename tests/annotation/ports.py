"""Ports of this machine for servers of tests."""

import secrets
import socket
from contextlib import suppress

OURS = range(20_000, 32_768)
"""Below those that a system gives out by itself (Linux from 32,768, others from 49,152).

One of those could be taken by any connection of this machine before the server that it was found for listens there.
"""


def free_port() -> int:
    """A port on which nobody listens now."""
    while True:
        port = secrets.choice(OURS)  # not of ``random``, which Hypothesis makes the same in each process
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
