"""What a page states of its rights: directives, reservations and its own licence, but not licences that it links."""

import json
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.rights.opt_outs import DIRECTIVES
from curation.rights.pages import licence_of_record, stated_rights

BY = "https://creativecommons.org/licenses/by/4.0/"
BY_SA = "https://creativecommons.org/licenses/by-sa/3.0/"


def opt_outs(page: str | None = None, **header: list[str]) -> dict[str, str]:
    found = stated_rights(page, {name.replace("_", "-"): values for name, values in header.items()})
    return found["opt_outs"]  # type: ignore[no-any-return]


def licence(body: str, **header: list[str]) -> str:
    return stated_rights(body, header)["licence"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ('<meta name="robots" content="noai, noimageai">', ["noai", "noimageai"]),
        ("<META CONTENT='NoIndex,NOAI' NAME=Robots>", ["noai", "noindex"]),
        ('<meta name="robots" content="no&#97;i">', ["noai"]),
        ('<meta name="robots" content="none">', ["noindex"]),
        ('<meta name="robots" content="index; noai noimageai">', ["noai", "noimageai"]),
        ('<meta name="robots" content="max-image-preview : none, max-video-preview:\nnone">', []),
        ('<meta name="robots" content="index, follow, max-snippet:-1">', []),
        ('<meta name="googlebot" content="noindex, noai">', ["noai"]),
        ('<meta name="robots" content="noindex nofollow;NoAI">', ["noai", "noindex"]),
        ('<meta name="robots" content="noindexes, no-ai, max-image-preview:none, max-image-preview: none">', []),
        ('<meta name="keywords" content="noai, robots">', []),
        ('<meta name="description" content="noai">', []),
        ('<meta name="robots">', []),
        ('<!-- <meta name="robots" content="noai"> -->', []),
        ('<script>\'<meta name="robots" content="noai">\'</script>', []),
        ('<textarea><meta name="robots" content="noai"></textarea>', []),
        ('<body><p>x<meta name="robots" content="noai">', ["noai"]),
        ('<meta name="robots" content="index"><meta name="robots" content="noai">', ["noai"]),
        ('<meta name="robots" content="noai"', []),
        ("", []),
    ],
)
def test_directives_of_meta_elements(page: str, found: list[str]) -> None:
    assert opt_outs(page) == dict.fromkeys(found, "meta")


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["noai, noimageai"], ["noai", "noimageai"]),
        (["NOINDEX", "noarchive"], ["noarchive", "noindex"]),
        (["googlebot: noindex, noarchive"], []),
        (["googlebot: noindex", "nosnippet"], ["nosnippet"]),
        (["GPTBot: noai"], ["noai"]),
        (["unavailable_after: Saturday, 25-Jun-30 15:00:00 PST, noindex"], ["noindex"]),
        (["*: noindex"], ["noindex"]),
        (["max-image-preview: none", "unavailable_after: none; noarchive"], ["noarchive"]),
        (["noindex nofollow", "gptbot: noarchive noai"], ["noai", "noindex"]),
        (["googlebot : noindex nosnippet; noai", "noarchive nocache"], ["noai", "noarchive", "nocache"]),
        (["max-image-preview: none"], []),
        (["max-snippet: 20, noai"], ["noai"]),
        ([""], []),
    ],
)
def test_directives_of_headers(values: list[str], found: list[str]) -> None:
    assert opt_outs(x_robots_tag=values) == dict.fromkeys(found, "header")


@pytest.mark.parametrize(
    ("header", "meta", "reserved"),
    [
        ("1", None, 1),
        ("0", None, 0),
        (None, "1", 1),
        ("0", "1", 1),
        ("1", "0", 0),  # what the page says supersedes its header
        ("1", "yes", 1),  # an invalid value counts as not set
        ("2", None, None),
        (None, None, None),
    ],
)
def test_reservations(header: str | None, meta: str | None, reserved: int | None) -> None:
    page = f'<meta name="TDM-Reservation" content="{meta}">' if meta is not None else ""
    page += '<meta name="tdm-policy" content="https://mill.example/policy.json">'
    found = stated_rights(page, {"tdm-reservation": [header]} if header is not None else {})
    assert found.get("tdm_reservation") == reserved
    assert ("tdm_reservation" in found["opt_outs"]) == (reserved == 1)
    assert found["tdm_policy"] == "https://mill.example/policy.json"


@pytest.mark.parametrize(
    "body",
    [
        f'<link rel="license" href="{BY}">',
        f'<p>Licensed under <a href="{BY}" rel="nofollow License">CC BY</a>',
        f'<footer><p>All texts <a href="{BY}">CC BY</a></p></footer>',
        f'<div role="contentinfo"><a href="{BY}">CC BY</a></div>',
        f'<div class="site-footer"><a HREF={BY}deed.de>CC BY</a></div>',
        f'<div id="license"><a href="{BY}">CC BY</a></div>',
        f'<meta name="DC.rights" content="{BY}">',
        '<meta property="og:license" content="CC BY 4.0">',
        f'<span itemprop="license" content="{BY}"></span>',
        f'<script type="application/ld+json">{json.dumps({"@type": "Article", "license": BY})}</script>',
        f'<script type="application/ld+json">{json.dumps([{"@graph": [{"license": {"@id": BY}}]}])}</script>',
        f'<footer><a href="{BY}"><img src="by.png"></a> Images and texts: CC BY</footer>',
        f'<aside class="widget"><a rel="license" href="{BY}">CC BY</a></aside>',
        f'<div class="has-image"><div><main><p><a rel="license" href="{BY}">CC</a></p></main></div></div>',
        f'<table><tr><td class="pageFooter"><a href="{BY}">CC BY</a></table>',
    ],
)
def test_a_statement_licenses_the_page(body: str) -> None:
    assert licence(f"<html><body>{body}</body></html>") == "cc-by-4.0"


@pytest.mark.parametrize(
    "body",
    [
        f'<p>The best known licence is <a href="{BY}">CC BY</a>.</p>',
        f'<figure><img src=a.png><figcaption>A mill (<a rel="license" href="{BY}">CC BY</a>)</figcaption></figure>',
        f'<div class="photo-credit"><a rel="license" href="{BY}">CC BY</a></div>',
        f'<footer><p>Photo: A. Miller, <a href="{BY}">CC BY</a></p></footer>',
        f'<footer><p>Some content is under <a href="{BY}">CC BY</a></p></footer>',
        f'<div class="football"><p><a href="{BY}">CC BY</a> on the ball</p></div>',
        f'<ol class="comment-list"><li><div><p><a rel="license" href="{BY}">my licence</a></p></div></li></ol>',
        f'<div itemscope itemtype="https://schema.org/ImageObject"><a itemprop="license" href="{BY}">CC</a></div>',
        f'<blockquote><footer><a href="{BY}">CC BY</a></footer></blockquote>',
        f'<footer><a href="https://mill.example/?u={BY}">share</a></footer>',
        '<footer><a href="https://creativecommons.org/">Creative Commons</a></footer>',
        f"<footer>{BY}</footer>",
        f'<!-- <link rel="license" href="{BY}"> -->',
        f'<template><link rel="license" href="{BY}"></template>',
        f"<script>document.write('<link rel=license href={BY}>')</script>",
        f'<script type="application/ld+json">{json.dumps({"@type": "ImageObject", "license": BY})}</script>',
        f'<script type="application/ld+json">{json.dumps({"image": {"license": BY}})}</script>',
        '<script type="application/ld+json">{"license": </script>',
        '<meta name="copyright" content="Mill Ltd, all rights reserved">',
        '<meta name="rights" content="https://mill.example">',
        '<link rel="license">',
        f'<div class="footer">{f"<a href={BY}>CC BY</a>" * 101}</div>',
    ],
)
def test_a_mere_link_does_not_license_the_page(body: str) -> None:
    assert licence(f"<html><body>{body}</body></html>") == "none"


def test_several_licences_are_ambiguous_and_listed() -> None:
    body = f'<link rel="license" href="{BY}"><footer><a href="{BY_SA}">a</a><a href="{BY}">b</a></footer>'
    found = stated_rights(body)
    assert found["licence"] == "ambiguous"
    assert [(each["licence"], each["place"]) for each in found["licences"]] == [
        ("cc-by-4.0", "link"),
        ("cc-by-sa-3.0", "footer"),
        ("cc-by-4.0", "footer"),
    ]
    assert licence(f'<link rel="license" href="{BY}"><a rel="license" href="/terms">Terms</a>') == "ambiguous"
    assert licence('<a rel="license" href="/terms">Terms</a>') == "other"


def test_a_link_field_licenses_the_page() -> None:
    assert licence("", link=[f'<{BY}>; rel="license", </style.css>; rel=preload']) == "cc-by-4.0"
    assert licence("", link=[f'</a>; rel="next", <{BY_SA}>; title="a, b"; rel=license']) == "cc-by-sa-3.0"
    assert licence("", link=[f'<{BY}>; rel="author"', "broken <"]) == "none"
    assert licence("", link=[f'<{BY}>; crossorigin; title="a \\" b; c"; rel=license; hreflang=de']) == "cc-by-4.0"


def test_the_licence_of_a_page_that_was_cut_is_unknown() -> None:
    assert stated_rights("<p>The beginning", cut=True)["licence"] == "unknown"
    assert stated_rights(f'<link rel="license" href="{BY}"><p>The', cut=True)["licence"] == "cc-by-4.0"


def test_records_name_their_licence() -> None:
    assert licence_of_record({"license": "CC-BY-4.0"}) == "cc-by-4.0"
    assert licence_of_record({"licence": f"Creative Commons, {BY}"}) == "cc-by-4.0"
    assert licence_of_record({"license": "MIT"}) == "other"
    assert licence_of_record({"license": None, "text": "a"}) is None
    assert licence_of_record({"license": ["MIT", "CC0"]}) == "ambiguous"
    assert licence_of_record({"license": {"name": "MIT"}}) is None


PIECES = st.sampled_from(
    [
        *(
            "<meta ",
            "name=",
            "content=",
            "robots",
            "'noai'",
            '"noindex"',
            "noai,",
            "tdm-reservation",
            "1",
            ">",
            "/>",
            '"',
        ),
        *(
            "<",
            "</",
            "<!--",
            "-->",
            "<script>",
            "</script>",
            "<a ",
            "rel=license ",
            f"href={BY}",
            "footer",
            "&#97;",
            "=",
            " ",
        ),
        *("<textarea>", "</textarea>", "<template>", "<title>", "<style>", "\x00", "é", "<body>", "<head>", "{", "}"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_page_is_read(page: str) -> None:
    found = stated_rights(page)
    assert json.loads(json.dumps(found)) == found
    assert set(found["opt_outs"]) <= {*DIRECTIVES, "tdm_reservation"}


class _Metas(HTMLParser):
    """The directives of meta elements, by another parser."""

    def __init__(self) -> None:
        super().__init__()
        self.found = set[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = dict(reversed(attrs))
        if tag == "meta" and (fields.get("name") or "").lower() == "robots":
            self.found |= {part.strip().lower() for part in (fields.get("content") or "").split(",")} & set(DIRECTIVES)


META = st.tuples(
    st.sampled_from(["robots", "ROBOTS", "viewport", "keywords"]),
    st.lists(st.sampled_from([*DIRECTIVES, "NoAI", "index", "follow", "no&#97;i", "noai2"]), max_size=3),
    st.sampled_from(['"', "'"]),
    st.booleans(),
    st.sampled_from(
        ["", "<p>text</p>", "<!-- <meta name='robots' content='noai'> -->", "<title>noai</title>", "<br/>"]
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(META, max_size=5))
def test_directives_equal_those_of_another_parser(
    metas: list[tuple[str, list[str], str, bool, str]],
) -> None:
    page = ""
    for name, directives, quote, turned, between in metas:
        attributes = [f"name={quote}{name}{quote}", f"content={quote}{', '.join(directives)}{quote}"]
        page += f"<meta {' '.join(reversed(attributes) if turned else attributes)}>{between}"
    other = _Metas()
    other.feed(page)
    assert set(opt_outs(page)) == other.found


@pytest.mark.parametrize(
    "part",
    [
        "<meta ",
        '<meta name="',
        "<!--",
        f'<a rel="license" href="{BY}">',
        f'<div class="footer"><a href="{BY}">CC</a></div>',
        f'<div class="{"x" * 500}">',
        f'<a rel="license" href="{BY}"></a>' * 100 + "<b></b>" * 230_000,
        '<script type="application/ld+json">[[[[[[',
        '<meta name="description" content="creativecommons">',
        "creativecommons.org/licenses/by/",
        f'<meta name="robots" content="{" " * 16_000}:">',
    ],
)
def test_hostile_pages_are_read_in_time(part: str) -> None:
    """A search in time that grows with the square of the length would take minutes."""
    page = part * (1_600_000 // len(part)) or f"<footer>{part}</footer>"
    start = time.process_time()
    stated_rights(page, {"x-robots-tag": [page], "link": [f"<a>{page}", f'<a>; a="{page}']})
    assert time.process_time() - start < 5


def test_far_too_many_meta_elements_are_refused() -> None:
    with pytest.raises(ValueError, match="meta elements"):
        stated_rights('<meta name="robots" content="index">' * 101)
