"""Forms of a url by which documents are compared."""

import re
from typing import Literal
from urllib.parse import urlsplit

UrlForm = Literal["whole", "normalised"]

_AUTHORITY = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//")
_WWW = re.compile(r"\Awww[0-9]*\.(?=.*\.)")
_ENCODED = re.compile("%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_TRACKING = re.compile(
    r"(?:utm_[a-z_]+|gclid|dclid|fbclid|msclkid|yclid|igshid|mc_[ce]id|_ga|_gl)(?:=|\Z)", re.IGNORECASE
)
"""Parameters that say where a reader came from."""
_DEFAULT_PORTS = (None, 80, 443)


def in_form(url: str, form: UrlForm) -> str:
    """A url without its fragment and the space around it; normalised if ``form`` says so."""
    whole = url.partition("#")[0].strip()
    return normalised(whole) if form == "normalised" else whole


def normalised(url: str) -> str:
    """The url as equivalent urls have it (RFC 3986, section 6.2): without http or https, port 80 or 443 and user; with
    the host in lower case, percent-encodings as they must be, and no dot segments. As in the keys of web archives
    (SURT), also without www, a slash at the end, and tracking parameters, and with sorted parameters.

    >>> normalised("HTTP://www.Mill.example:80/a/../%7ejo/?utm_source=x&b=%c3%a9&a=1#top")
    'mill.example/~jo?a=1&b=%C3%A9'
    """
    url = url.partition("#")[0].strip()
    try:
        parts = urlsplit(url if _AUTHORITY.match(url) else f"//{url}")
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return url
    if not host:
        return url
    scheme = "" if parts.scheme.lower() in ("", "http", "https") else f"{parts.scheme.lower()}://"
    path = "/".join(_without_dots(_encoded(parts.path).split("/"))).rstrip("/")
    parameters = sorted(each for each in _encoded(parts.query).split("&") if each and not _TRACKING.match(each))
    return (
        f"{scheme}{_WWW.sub('', host, count=1)}{'' if port in _DEFAULT_PORTS else f':{port}'}{path}"
        f"{'?' if parameters else ''}{'&'.join(parameters)}"
    )


def _encoded(part: str) -> str:
    def decode(found: re.Match[str]) -> str:
        character = chr(int(found[1], 16))
        return character if character in _UNRESERVED else found[0].upper()

    return _ENCODED.sub(decode, part)


def _without_dots(segments: list[str]) -> list[str]:
    left = list[str]()
    for segment in segments:
        if segment == "..":
            del left[max(1, len(left) - 1) :]
        elif segment != ".":
            left.append(segment)
    return left
