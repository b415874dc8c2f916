"""Urls in the forms in which lists of urls are compared, for whole columns."""

import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

BEFORE_HOST = re.compile("^([a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_BEHIND_PATH = "[?#]"
_PRINTABLE = "^[!-~](?:[ -~]*[!-~])?$"
"""A text of printable ASCII without white space at its ends, for which Arrow and Python agree."""


def bare_url(url: str) -> str:
    """The host, port and path of a url in lower case, without a slash at the end.

    >>> bare_url("https://Mill.example:8080/Grain/?sort=age"), bare_url("mill.example/grain")
    ('mill.example:8080/grain', 'mill.example/grain')
    """
    return re.split(_BEHIND_PATH, BEFORE_HOST.sub("", url.strip()), maxsplit=1)[0].rstrip("/").lower()


def bare_urls(urls: pa.LargeStringArray) -> pa.LargeStringArray:
    """The urls as `bare_url` returns them."""
    paths = pc.replace_substring_regex(urls, f"(?i){BEFORE_HOST.pattern}", "")
    paths = pc.replace_substring_regex(paths, f"(?s){_BEHIND_PATH}.*", "")
    return _with_others(urls, pc.ascii_lower(pc.ascii_rtrim(paths, "/")), bare_url)


def whole_urls(urls: pa.LargeStringArray) -> pa.LargeStringArray:
    """The urls without white space at their ends."""
    return _with_others(urls, urls, str.strip)


def _with_others(
    urls: pa.LargeStringArray, printable: pa.LargeStringArray, form: Callable[[str], str]
) -> pa.LargeStringArray:
    """``printable``, with the ``form`` of each url that is not printable ASCII."""
    others = pc.invert(pc.match_substring_regex(urls, _PRINTABLE))
    if not pc.any(others).as_py():
        return printable
    return pc.replace_with_mask(
        printable, others, pa.array(map(form, urls.filter(others).to_pylist()), pa.large_string())
    )
