"""Ports of the loopback address."""

import errno
import socket


def is_free(port: int) -> bool:
    """Whether a server can listen on the port now. Raises PermissionError if the user may not use the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True


def free_port(but: int) -> int:
    """A port on which a server can listen now, other than ``but``."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port != but:
            return port
