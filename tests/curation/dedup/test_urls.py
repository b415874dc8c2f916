"""Urls that lead to the same page are the same when normalised, and others are not."""

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from curation.dedup.sketch import url_hashes
from curation.dedup.urls import in_form, normalised
from curation.recipes.tables import make_recipe
from curation.reports.recipe_warnings import warnings_for


@pytest.mark.parametrize(
    "url",
    [
        "https://mill.example/a?x=1&y=2",
        "http://www.Mill.EXAMPLE:80/a?y=2&x=1",
        "https://mill.example:443/a/?x=1&y=2#part",
        "mill.example/./b/../a?x=1&y=2&utm_source=mail&gclid=7",
        " //www2.mill.example./%61?y=%32&&x=1 ",
    ],
)
def test_equivalent_urls_are_the_same(url: str) -> None:
    assert normalised(url) == "mill.example/a?x=1&y=2"


@pytest.mark.parametrize(
    "other",
    [
        "mill.example/A",
        "mill.example:8080/a",
        "ftp://mill.example/a",
        "shop.mill.example/a",
        "mill.example/a?x",
        "mill.example/a/b",
        "mill.example/%2Fa",
        "mill.example//a",
        "example/a",
    ],
)
def test_other_urls_stay_apart(other: str) -> None:
    assert normalised(other) != normalised("mill.example/a")


PARTS = st.sampled_from([*"/.?&=#:%@[]aé ", "..", "//", "www.", "%2f", "%7E", "utm_x=1", "http://", "80", "gclid"])


@given(st.lists(PARTS, max_size=14).map("".join))
@example("www.www.example")
def test_a_normalised_url_has_no_fragment_and_never_fails(url: str) -> None:
    assert "#" not in normalised(url)
    assert in_form(url, "whole") == url.split("#")[0].strip()


def test_hashes_are_those_of_the_form() -> None:
    urls = pa.array(["http://www.mill.example/a", "https://mill.example/a/", None, " ", "#x"])
    whole, normal = url_hashes(urls).to_pylist(), url_hashes(urls, "normalised").to_pylist()
    assert whole[0] != whole[1]
    assert normal[0] == normal[1]
    assert whole[2:] == normal[2:] == [None] * 3


def test_a_form_without_comparing_urls_is_a_warning() -> None:
    dedup = {"url_form": "normalised", "url": True}
    assert not list(warnings_for(make_recipe("own", {"dedup": dedup})))
    [warning] = warnings_for(make_recipe("own", {"dedup": {**dedup, "url": False}}))
    assert "set dedup.url to true" in warning
