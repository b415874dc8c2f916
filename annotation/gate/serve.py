"""Serves the gate on the loopback address until SIGTERM."""

import logging
import sys
from pathlib import Path

import uvicorn

from annotation.gate.app import Gate, application
from annotation.gate.assets import Assets
from annotation.gate.inner import Inner
from annotation.gate.owners import Owners
from annotation.gate.sessions import Sessions
from annotation.gate.settings import Address
from annotation.gate.sign_in import SignIn
from annotation.server.home import Home
from annotation.server.installation import environment
from schemas.errors import UserError

CONNECTIONS = 1024
"""The most connections at a time. Further connections get status 503."""
HEADER_BYTES = 32 << 10
KEPT_SECONDS = 75
"""An idle connection is kept for longer than a TLS proxy keeps its own (60 s in nginx)."""
END_SECONDS = 5


def server(home: Path, inner_url: str, address: Address) -> uvicorn.Server:
    """The gate of a home, ready to ``run``. Raises UserError if the studio was never started."""
    studio = Home(home)
    admin = studio.admin
    if admin is None or admin.token is None:
        raise UserError(f"{home} holds no studio: run `gristmill studio start`")
    inner = Inner(inner_url, admin.token)
    sessions = Sessions(studio.root / "sessions.sqlite3")
    sign_in = SignIn(inner, refused=admin.email.lower())
    gate = Gate(address, inner, Owners(inner), sessions, sign_in, Assets(environment(studio)))
    return uvicorn.Server(
        uvicorn.Config(
            application(gate),
            host="127.0.0.1",
            port=address.port,
            http="h11",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=CONNECTIONS,
            h11_max_incomplete_event_size=HEADER_BYTES,
            timeout_keep_alive=KEPT_SECONDS,
            timeout_graceful_shutdown=END_SECONDS,
        )
    )


def serve(home: Path, inner_url: str, port: int, public_url: str | None) -> None:
    """Serves on ``port`` of the loopback address until SIGTERM; the log goes to standard error."""
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    server(home, inner_url, Address(port, public_url)).run()
