"""What a page refuses to robots and miners: directives for robots, and the TDM Reservation Protocol.

Directives stand in ``<meta name="robots">`` and in the header X-Robots-Tag, in any case, separated by commas
(developers.google.com/search/docs/crawling-indexing/robots-meta-tag), or by spaces or semicolons: a refusal counts
however it is punctuated. ``noai`` and ``noimageai`` are DeviantArt's, who asks that data for training excludes what
either of the two directives marks (deviantart.com/team/journal, 11 November 2022); img2dataset honours these two,
``noindex`` and ``noimageindex`` (github.com/rom1504/img2dataset).
"""

import re
from collections.abc import Iterable, Iterator, Sequence

DIRECTIVES = ("noai", "noarchive", "nocache", "noimageai", "noindex", "nosnippet")
"""The directives that are opt-outs, sorted. The directive ``none`` stands for noindex and nofollow."""
OF_AI = ("noai", "noimageai")
"""Directives that count whichever robot they address. All others count only if they address all robots."""
RESERVED = "tdm_reservation"
OPT_OUTS = (*DIRECTIVES, RESERVED)
"""The names by which a recipe asks for opt-outs, sorted."""

ROBOTS = ("bot", "google-extended", "googleother", "anthropic-ai", "claude-", "chatgpt-user", "bytespider", "slurp")
"""Parts by which the name of a meta element is recognised as that of a robot; most robots' names end in ``bot``."""
_ALL_ROBOTS = ("robots", "*")
_ROBOT = re.compile(rf"[a-z0-9_-]*(?:{'|'.join(ROBOTS)})[a-z0-9_-]*")
_AGENT = re.compile(r"[a-z*][a-z0-9_*-]*")
_WITH_VALUES = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")
_VALUE = re.compile(r"[a-z_-]{1,40}\s{0,9}:\s{0,9}[^\s;]*")
"""A directive with its value, such as ``max-image-preview: none``, which refuses nothing."""
_MOST_CHARACTERS = 10_000


def is_for_robots(name: str) -> bool:
    """Whether a meta element of this name, in lower case, holds directives for all robots or for one of them."""
    return _ROBOT.fullmatch(name) is not None


def directives_of_meta(name: str, content: str) -> Iterator[str]:
    """The directives of a meta element that `is_for_robots`."""
    for part in content[:_MOST_CHARACTERS].lower().split(","):
        yield from _directives(name, part)


def directives_of_header(values: Iterable[str]) -> Iterator[str]:
    """The directives in the values of X-Robots-Tag fields. A robot's name and a colon before a directive address it and
    the directives after it to that robot (developer.mozilla.org/docs/Web/HTTP/Headers/X-Robots-Tag).

    >>> list(directives_of_header(["noai, googlebot: noindex, max-snippet: 9", "max-snippet: 9, NOARCHIVE"]))
    ['noai', 'noarchive']
    """
    for value in values:
        agent = "*"
        for part in value[:_MOST_CHARACTERS].lower().split(","):
            name, colon, rest = part.partition(":")
            if colon and name.strip() not in _WITH_VALUES and _AGENT.fullmatch(name.strip()):
                agent, part = name.strip(), rest
            yield from _directives(agent, part)


def _directives(agent: str, part: str) -> Iterator[str]:
    for word in re.split(r"[\s;]+", _VALUE.sub(" ", part)):
        directive = "noindex" if word == "none" else word
        if directive in OF_AI or (directive in DIRECTIVES and agent in _ALL_ROBOTS):
            yield directive


def reservation(values: Sequence[str]) -> int | None:
    """1 if one of the values reserves the rights of text and data mining, 0 if one says that they are not reserved,
    None without a valid value.

    TDM Reservation Protocol (W3C Community Group Report, w3c.github.io/tdm-reservation-protocol/spec), section
    "Declaring the reservation of TDM Rights": other values are errors, and count as not set.

    >>> reservation(["0", " 1 "]), reservation(["0"]), reservation(["yes"])
    (1, 0, None)
    """
    given = {part.strip() for value in values for part in value[:_MOST_CHARACTERS].split(",")}
    return 1 if "1" in given else 0 if "0" in given else None
