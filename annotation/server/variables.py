"""The environment variables of Label Studio: no telemetry, and no connections beyond this machine."""

import os
from ipaddress import IPv4Network, IPv6Network
from urllib.parse import urlsplit

from annotation.server.database import database_variables
from annotation.server.home import Home
from schemas.errors import UserError

KEPT = ("LANG", "LC_ALL", "LC_CTYPE", "PATH", "TMPDIR", "TZ")
"""The only variables of the user that Label Studio receives: it would obey general names, such as HOST and DEBUG."""

CALLBACK_HOST = "127.83.0.1"
"""The only address to which Label Studio may connect: a pull on this machine receives webhooks there.

In Label Studio's open-source edition every annotator can make the server fetch or call an address.
"""
CLOSED = (*IPv4Network("0.0.0.0/0").address_exclude(IPv4Network(f"{CALLBACK_HOST}/32")), IPv6Network("::/0"))
DEAD_PROXY = "http://127.0.0.1:9"
"""A proxy that does not exist. It stops requests that Label Studio does not check, such as for its page's news."""


def variables(home: Home, database: str | None) -> dict[str, str]:
    """The complete environment of Label Studio 1.23.2; some variables are for Django or Python."""
    env = {name: os.environ[name] for name in KEPT if name in os.environ}
    env |= {
        **database_variables(database),
        "HOME": str(home.root),
        "LABEL_STUDIO_ALLOWED_HOSTS": "127.0.0.1,localhost",
        "LABEL_STUDIO_BASE_DATA_DIR": str(home.data),
        "LABEL_STUDIO_CORS_ALLOW_ALL_ORIGINS": "false",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "false",
        "LABEL_STUDIO_ENABLE_LOCAL_FILES_STORAGE": "false",
        "ML_BLOCK_LOCAL_IP": "true",
        "PYTHONSAFEPATH": "1",  # no modules from the current folder
        "PYTHONUNBUFFERED": "1",  # the log shows at once that Label Studio listens
        "SSRF_PROTECTION_ENABLED": "true",
        "USE_DEFAULT_BANNED_SUBNETS": "false",  # CLOSED contains them all
        "USER_ADDITIONAL_BANNED_SUBNETS": ",".join(map(str, CLOSED)),
        "TASK_LOCK_TTL": "3600",  # seconds; the default is a day
        "XDG_CONFIG_HOME": str(home.root / "config"),
    }
    env |= {"COLLECT_ANALYTICS": "false", "FRONTEND_SENTRY_DSN": "", "LATEST_VERSION_CHECK": "false", "SENTRY_DSN": ""}
    env |= {"HTTP_PROXY": DEAD_PROXY, "HTTPS_PROXY": DEAD_PROXY, "NO_PROXY": CALLBACK_HOST}
    return env


def check_public_url(text: str) -> str:
    """The URL without a slash at its end. Raises UserError unless it is a server's URL, without path or password."""
    if "@" in text:  # checked first, because other messages repeat the URL and no message may show a password
        raise UserError("--public-url holds an @: leave out name and password, annotators sign in on the page")
    problem = f"--public-url {text} is not the URL of a server: give a URL such as https://labels.example.org"
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises for an invalid port
    except ValueError as error:
        raise UserError(problem) from error
    plain = not (parts.path.strip("/") or parts.query or parts.fragment)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain or set(text) & set(", \n"):
        raise UserError(problem)
    return f"{parts.scheme}://{parts.netloc}"
