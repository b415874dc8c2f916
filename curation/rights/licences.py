"""The names of licences: read from the addresses of Creative Commons, and by which a recipe asks for licences."""

import re
from collections.abc import Collection, Iterable

NONE, OTHER, AMBIGUOUS, UNKNOWN = "none", "other", "ambiguous", "unknown"
"""What stands in place of a licence's name: the page states no licence; a licence that is not Creative Commons', or
that Creative Commons retired; several different licences; the document was not read for licences, or not to its end."""

VERSIONS = ("1.0", "2.0", "2.1", "2.5", "3.0", "4.0")
"""The versions of Creative Commons' licences (wiki.creativecommons.org/wiki/License_versions); ports to the laws of a
country keep the version that they port."""

_CODES = {frozenset(code.split("-")): code for code in ("by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd")}
"""The licences by their elements, whose order differs in addresses of version 1.0 (``by-nd-nc``)."""
_DEEDS = {"zero": "cc0", "mark": "pdm"}
_ONLY_VERSION = "1.0"
"""The only version of CC0 and of the Public Domain Mark."""

FAMILIES = (*_DEEDS.values(), *(f"cc-{code}" for code in _CODES.values()))
"""The names of licences without a version. A name with a version is that of SPDX in lower case, such as
``cc-by-sa-4.0``."""

_ADDRESS = re.compile(
    r"(?:https?:)?//(?:www\.)?creativecommons\.org/(?:licen[cs]es|publicdomain)/"
    r"([a-z+-]{1,40})(?:/v?(\d\.\d)(?!\d))?(?![a-z0-9+])",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"cc-?(0|by(?:-(?:sa|nd|nc)){0,2})(?:-v?(\d\.\d)(?:-igo|-(?!nd|nc|sa)[a-z]{2})?)?"
    r"(?:-international|-unported|-universal)?(?:-licen[cs]e|-deed)?|pdm(-1\.0)?"
)
"""A licence by its name; SPDX names ports to the law of a country, too (``CC-BY-SA-3.0-DE``)."""
_WORDS = (
    (re.compile(r"creative-commons-zero"), "cc0"),
    (re.compile(r"creative-commons"), "cc"),
    (re.compile(r"attribution"), "by"),
    (re.compile(r"non-?commercial"), "nc"),
    (re.compile(r"no-?deriv(?:ative)?s?(?:-works)?"), "nd"),
    (re.compile(r"share-?alike"), "sa"),
    (re.compile(r"public-domain-mark"), "pdm"),
)
"""The words of a licence's long name (``Creative Commons Attribution-ShareAlike 4.0 International``)."""
_WEB = re.compile(r"(?:https?:)?//[^\s/]", re.IGNORECASE)
_MAX_STATEMENT = 1000
"""Characters of a statement that are searched for an address."""


def licence_at(address: str) -> str | None:
    """The licence that the address of a link names; None if the address is not that of a licence of Creative Commons.

    >>> licence_at("https://creativecommons.org/licenses/by-nd-nc/1.0/deed.de"), licence_at("https://mill.example/by/4.0")
    ('cc-by-nc-nd-1.0', None)
    """
    found = _ADDRESS.match(address.strip())
    return None if found is None else _licence(found[1].lower().strip("-"), found[2])


def stated_licence(text: str) -> str | None:
    """The licence that a field for licences names: by its address or its name, or `OTHER` for any other address on the
    web. None for other text, such as a notice of copyright.

    >>> [stated_licence(text) for text in ("CC BY-SA 4.0", "under https://creativecommons.org/publicdomain/zero/1.0/.",
    ...     "https://mill.example/terms", "All rights reserved")]
    ['cc-by-sa-4.0', 'cc0-1.0', 'other', None]
    >>> stated_licence("Creative Commons Attribution-NonCommercial 4.0 International (CC BY-NC 4.0)")
    'cc-by-nc-4.0'
    """
    text = text[:_MAX_STATEMENT].strip()
    found = {_licence(each[1].lower().strip("-"), each[2]) for each in _ADDRESS.finditer(text)}
    if found:
        return combined(found)
    named = _named(text.lower())
    return named or (OTHER if _WEB.match(text) else None)


def _named(text: str) -> str | None:
    """The licence of a name in lower case, which may be followed by the same licence's short name in brackets."""
    long, bracket, short = text.removesuffix(")").partition("(")
    text = re.sub(r"[\s_/-]+", "-", long.strip())
    for words, code in _WORDS:
        text = words.sub(code, text)
    name = _NAME.fullmatch(text)
    if name is None:
        return None
    deed = "mark" if name[1] is None else "zero" if name[1] == "0" else name[1]
    found = _licence(deed, name[2])
    return found if not bracket or _named(short) == found else None


def combined(licences: Collection[str]) -> str:
    """The licence that all statements name: `NONE` without statements, `AMBIGUOUS` if they name different licences.

    >>> combined([]), combined(["cc-by-4.0", "cc-by-4.0"]), combined(["cc-by-4.0", "other"])
    ('none', 'cc-by-4.0', 'ambiguous')
    """
    different = set(licences)
    return NONE if not different else different.pop() if len(different) == 1 else AMBIGUOUS


def with_versions(names: Iterable[str]) -> tuple[str, ...]:
    """The names of licences; a name without a version is followed by the names of all its versions.

    >>> with_versions(["cc-by-4.0", "cc0"])
    ('cc-by-4.0', 'cc0', 'cc0-1.0')
    """
    return tuple(dict.fromkeys(each for name in names for each in (name, *_versions(name))))


def is_licence(name: str) -> bool:
    """Whether a recipe may ask for the name: that of a licence, or one of `NONE`, `OTHER`, `AMBIGUOUS`, `UNKNOWN`."""
    return name in (NONE, OTHER, AMBIGUOUS, UNKNOWN) or name in with_versions(FAMILIES)


def _versions(name: str) -> tuple[str, ...]:
    if name in _DEEDS.values():
        return (f"{name}-{_ONLY_VERSION}",)
    return tuple(f"{name}-{version}" for version in VERSIONS) if name in FAMILIES else ()


def _licence(code: str, version: str | None) -> str:
    if code in _DEEDS:
        return f"{_DEEDS[code]}-{_ONLY_VERSION}" if version in (None, _ONLY_VERSION) else OTHER
    known = _CODES.get(frozenset(code.split("-")))
    if known is None or version not in (None, *VERSIONS):
        return OTHER
    return f"cc-{known}-{version}" if version else f"cc-{known}"
