"""Real pages: another parser finds the same directives, and the licences are those that people read there."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lxml.html
import orjson
import pytest

from curation.rights.opt_outs import DIRECTIVES, OF_AI
from curation.rights.pages import stated_rights
from curation.sources.inputs import Unit
from curation.sources.reading import ReadingSettings, read_unit
from tests.curation.sources.made import whole

LICENSED = {
    "https://wiki.archlinux.org/title/Sudo": "other",  # the GNU Free Documentation License
    "https://wiki.gentoo.org/wiki/Portage": "cc-by-sa-4.0",
    "https://en.wikipedia.org/wiki/List_of_programming_languages": "cc-by-sa-4.0",
}
ARCHIVED = {
    "http://www.archive.org/details/no_thoroughfare_librivox": "other",  # a dedication that was withdrawn
    "http://www.archive.org/details/JTRNET15": "cc-by-nc-nd-3.0",
    "http://www.archive.org/details/zh27814": "cc-by-nc-sa-2.0",
    "http://www.archive.org/details/code4lib.conf.2008.keynote.Coyle.CanResourceDescriptionBecomeRigorousData":
        "cc-by-sa-3.0",
    "https://soldaini.net/": "cc-by-4.0",
    "https://an.wikipedia.org/wiki/Escopete": "cc-by-sa-4.0",
}  # fmt: skip


def _pages(shared: Path) -> Iterator[tuple[str, str]]:
    """Address and HTML of 270 pages."""
    for name in ("articles_60", "typed_pages"):
        with gzip.open(shared / "data" / "pages" / f"{name}.jsonl.gz") as rows:
            for row in map(orjson.loads, rows):
                yield row["url"], row["html"]


def _directives(tree: Any) -> set[str]:
    """The directives for all robots in a tree of lxml."""
    metas = tree.iterfind(".//meta[@content]")
    contents = [meta.get("content", "") for meta in metas if meta.get("name", "").strip().lower() == "robots"]
    found = {part.strip().lower() for content in contents for part in content.split(",")}
    return ({*found, "noindex"} if "none" in found else found) & set(DIRECTIVES)


@pytest.mark.soak
def test_pages_state_what_another_parser_and_people_read(shared: Path) -> None:
    licensed, refusing = {}, 0
    for url, page in _pages(shared):
        stated = stated_rights(page)
        tree = lxml.html.fromstring(page.encode())
        ours, others = stated["opt_outs"].keys() & DIRECTIVES, _directives(tree)
        assert ours >= others, url
        assert ours - others <= {*OF_AI}, url  # for single robots too
        marked = [each for each in tree.iterfind(".//*[@rel]") if "license" in each.get("rel").lower().split()]
        assert stated["licence"] != "none" or not marked, url
        refusing += bool(stated["opt_outs"])
        if stated["licence"] != "none":
            licensed[url] = stated["licence"]
    assert licensed == LICENSED
    assert refusing == 6


@pytest.mark.soak
def test_archived_pages_have_the_licences_that_people_read(shared: Path) -> None:
    files = sorted((shared / "data" / "warc").glob("*.warc.gz"))
    licensed = {}
    for chunk in read_unit(Unit(0, tuple(map(whole, files))), ReadingSettings(extract="resiliparse"), rights=True):
        for row in chunk.documents.to_pylist():
            stated = orjson.loads(row["metadata"]).get("rights")
            assert stated is not None or "text/plain" in row["metadata"], row["url"]  # extracted, or not from the web
            if stated is not None and stated["licence"] != "none":
                licensed[row["url"]] = stated["licence"]
    assert licensed == ARCHIVED
