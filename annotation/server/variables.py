"""The environment variables under which Label Studio runs: private, quiet, and closed to strangers."""

import os
from ipaddress import IPv4Network, IPv6Network
from urllib.parse import urlsplit

from annotation.server.home import Home
from schemas.errors import UserError

KEPT = ("LANG", "LC_ALL", "LC_CTYPE", "PATH", "TMPDIR", "TZ")
"""All that it sees of its user's own. It obeys names as plain as HOST, PORT and DEBUG."""

CALLBACK_HOST = "127.83.0.1"
"""The one address to which the server may connect on its own: where this machine listens for its webhooks.

In Label Studio's open-source edition each annotator may name addresses that it is to fetch or to call.
"""
CLOSED = (*IPv4Network("0.0.0.0/0").address_exclude(IPv4Network(f"{CALLBACK_HOST}/32")), IPv6Network("::/0"))
NOBODY = "http://127.0.0.1:9"
"""A proxy that nobody serves: where Label Studio asks no leave it gets nowhere. Its front page has it fetch news."""


def variables(home: Home, public_url: str | None) -> dict[str, str]:
    """What Label Studio 1.23.2 sees; names that are not its own are Django's or Python's."""
    seen = {name: os.environ[name] for name in KEPT if name in os.environ}
    seen |= {
        "DJANGO_DB": "sqlite",
        "HOME": str(home.root),
        "LABEL_STUDIO_ALLOWED_HOSTS": "127.0.0.1,localhost",
        "LABEL_STUDIO_BASE_DATA_DIR": str(home.data),
        "LABEL_STUDIO_CORS_ALLOW_ALL_ORIGINS": "false",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "false",
        "LABEL_STUDIO_ENABLE_LOCAL_FILES_STORAGE": "false",
        "ML_BLOCK_LOCAL_IP": "true",
        "PYTHONSAFEPATH": "1",  # no modules from the current folder
        "PYTHONUNBUFFERED": "1",  # the log shows when it listens
        "SSRF_PROTECTION_ENABLED": "true",
        "USE_DEFAULT_BANNED_SUBNETS": "false",  # CLOSED has them all
        "USER_ADDITIONAL_BANNED_SUBNETS": ",".join(map(str, CLOSED)),
        "TASK_LOCK_TTL": "3600",  # seconds; a day otherwise
        "XDG_CONFIG_HOME": str(home.root / "config"),
    }
    seen |= {"COLLECT_ANALYTICS": "false", "FRONTEND_SENTRY_DSN": "", "LATEST_VERSION_CHECK": "false", "SENTRY_DSN": ""}
    seen |= {"HTTP_PROXY": NOBODY, "HTTPS_PROXY": NOBODY, "NO_PROXY": CALLBACK_HOST}
    if public_url:
        seen |= {
            "LABEL_STUDIO_ALLOWED_HOSTS": f"127.0.0.1,localhost,{urlsplit(public_url).hostname}",
            "LABEL_STUDIO_CSRF_TRUSTED_ORIGINS": public_url,
            "LABEL_STUDIO_HOST": public_url,
        }
        if public_url.startswith("https:"):
            seen |= {"LABEL_STUDIO_CSRF_COOKIE_SECURE": "1", "LABEL_STUDIO_SESSION_COOKIE_SECURE": "1"}
    return seen


def check_public_url(text: str) -> str:
    """The address without a slash at its end; raises UserError for what is no address of a whole server."""
    if "@" in text:  # whatever else is wrong with it: no message may repeat a password
        raise UserError("--public-url holds an @: leave out name and password, annotators sign in on the page")
    problem = f"--public-url {text} is not the address of a server: give it like https://labels.example.org"
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises for what is no number
    except ValueError as error:
        raise UserError(problem) from error
    plain = not (parts.path.strip("/") or parts.query or parts.fragment)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain or set(text) & set(", \n"):
        raise UserError(problem)
    return f"{parts.scheme}://{parts.netloc}"
