"""Takedowns find a host in each of its spellings; an entry that is not a host is refused."""

import numpy as np
import pyarrow as pa
import pytest

from curation.engine.selection import REASONS, Matcher, Selection
from schemas.errors import UserError

HOSTS = [
    ("mill.example", [0, 1]),
    ("https://MILL.example:8080/", [0, 1]),
    (".mill.example.", [0, 1]),
    ("//www.mill.example", [1]),
    ("bücher.example", [2, 3]),
    ("xn--bcher-kva.example", [2, 3]),
]


@pytest.mark.parametrize(("host", "expected"), HOSTS)
def test_a_host_is_found_however_it_is_written(host: str, expected: list[int]) -> None:
    urls = ["mill.example/x//y", "http://www.mill.example:80/", "http://xn--bcher-kva.example/", "BÜCHER.example/1"]
    found = pa.array([*urls, "http://else.example/", None])
    matcher = Matcher(Selection.of(hosts=[host]))
    reasons = matcher.reasons(pa.array([str(number) for number in range(len(found))]), found)
    assert np.flatnonzero(reasons >= 0).tolist() == expected
    assert {REASONS[reason] for reason in reasons[expected]} == {"host"}
    assert len(matcher.found["host"]) == 1


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("*.mill.example", "give hosts without \\*"),
        ("https://mill.example/page", "is more than a host: give mill.example, or list the page"),
        ("mill.example?q", "is more than a host"),
        ("mill.example/x//y", "is more than a host"),
        ("http://mill.example/x//", "is more than a host"),
        ("ann@mill.example", "is more than a host"),
        ("http://", "is not a host: give hosts"),
        ("http://[broken", "is not a host: give hosts"),
    ],
)
def test_what_is_no_host_is_refused(host: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        Selection.of(hosts=["fine.example", host])
