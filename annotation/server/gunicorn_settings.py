"""gunicorn's settings for Label Studio. Runs in Label Studio's own environment, and imports nothing of Gristmill."""

import ctypes
import gc
import os
import signal
import sys
from typing import Any

from label_studio.server import LS_PATH

os.environ["DJANGO_SETTINGS_MODULE"] = "label_studio.core.settings.label_studio"
sys.path.insert(0, LS_PATH)

wsgi_app = "core.wsgi:application"
preload_app = True
"""Loads Label Studio once, before the workers start, so that the workers share its memory."""

worker_class = "gthread"
workers = 2
threads = 8
timeout = 300
"""Seconds without a sign of life after which gunicorn replaces a worker. A worker with a long request gives signs."""
graceful_timeout = 8
"""Seconds that requests have to end after SIGTERM."""
keepalive = 75
"""Seconds for which an idle connection stays open: longer than a client keeps it."""

accesslog = "-"
access_log_format = '%(t)s "%(r)s" %(s)s %(B)s bytes %(M)s ms'
forwarded_allow_ips = ""
"""No proxy is believed when it says that a request came by https."""
control_socket_disable = True

DATABASES = {
    "sqlite": {
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
        },
    },
    "postgresql": {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True},
}
"""Django's settings for each kind of database; times in seconds.

With write-ahead logging readers and a writer do not wait for each other. A transaction that begins by reading and then
writes would fail at once if another writer came first; an immediate transaction waits for its turn instead.
"""

PR_SET_PDEATHSIG = 1
"""The option of prctl(2) that sets the signal for a process whose parent ends."""


def on_starting(_: Any) -> None:
    """Completes the database, and creates the administrator that the environment names."""
    from django.conf import settings
    from django.db import connections
    from label_studio.core.argparser import parse_input_args
    from label_studio.server import _apply_database_migrations, _create_user

    settings.DATABASES["default"].update(DATABASES[settings.DJANGO_DB])
    _apply_database_migrations()
    if "LABEL_STUDIO_USERNAME" in os.environ:
        _create_user(parse_input_args(["start"]), {})
    connections.close_all()
    gc.freeze()  # workers go on sharing the memory of all objects so far


def post_fork(_: Any, __: Any) -> None:
    """Makes a worker end with gunicorn, even if gunicorn is killed: otherwise the worker would keep the port."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
