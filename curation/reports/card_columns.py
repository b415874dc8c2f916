"""What a data card counts in the columns of documents: languages, years, hosts and sizes of clusters."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.filters.hosts import hosts_of

LEAST_SCORE = 0.5
"""A language counts if its identifier gives it at least this probability (Llama 2, Section 4.1)."""
UNKNOWN = "unknown"
CLUSTERS = {1: "1", 2: "2", 3: "3 to 9", 10: "10 to 99", 100: "100 to 999", 1000: "1000 or more"}
"""Sizes of clusters of near-duplicates, by the least size of each."""
LONGEST_NAME = 253
"""Maximum length of a name in the domain name system in characters; a longer host is invalid."""
_YEAR = r"^\s*(?P<year>[0-9]{4})(?:[^0-9]|$)"


def languages(labels: pa.Array, scores: pa.Array) -> pa.Array:
    """The label of each language, ``unknown`` below LEAST_SCORE."""
    certain = pc.fill_null(pc.greater_equal(scores, pa.scalar(LEAST_SCORE, scores.type)), False)
    return pc.fill_null(pc.if_else(certain, labels, UNKNOWN), UNKNOWN)


def years(dates: pa.Array) -> pa.Array:
    """The year with which each date begins, null for other dates.

    >>> years(pa.array(["2024-05-06", "1999", "May 2001", None])).to_pylist()
    ['2024', '1999', None, None]
    """
    return pc.struct_field(pc.extract_regex(dates, _YEAR), "year")


def hosts(urls: pa.Array) -> pa.Array:
    """The host of each url in lower case and ASCII, null if a url has no host.

    >>> hosts(pa.array(["https://user@Mill.Example:80/a?b", "mill.example/a", "", None])).to_pylist()
    ['mill.example', 'mill.example', None, None]
    """
    found = hosts_of(urls)
    return pc.if_else(pc.less_equal(pc.binary_length(found), LONGEST_NAME), found, pa.scalar(None, found.type))


def top_level_domains(named: pa.Array) -> pa.Array:
    """The last part of each host; ``address`` for an IP address.

    >>> top_level_domains(pa.array(["mill.example", "10.0.0.1", "localhost", "::1", None])).to_pylist()
    ['example', 'address', 'localhost', 'address', None]
    """
    address = pc.or_(pc.match_substring_regex(named, r"^[0-9.]+$"), pc.match_substring(named, ":"))
    return pc.if_else(address, "address", pc.replace_substring_regex(named, r"^.*\.", ""))


def clusters(sizes: pa.Array) -> pa.Array:
    """The name of each size of a cluster, as in CLUSTERS."""
    least = np.array(list(CLUSTERS))
    place = np.searchsorted(least, sizes.to_numpy(), side="right") - 1
    return pa.array(list(CLUSTERS.values()), pa.string()).take(pa.array(np.maximum(place, 0)))
