"""Blocklists: hosts exactly, domains with what is below, words by word, soft words by number; no url fails nothing."""

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.engine.manifest import job_json
from curation.filters.bare_urls import bare_url, bare_urls, whole_urls
from curation.filters.host_table import HostTable
from curation.filters.hosts import host_of, named_host
from curation.filters.rules import failures
from curation.filters.url import Url
from curation.recipes.tables import recipe_of
from jobs.corpus.job_file import load_recipe, make_job
from schemas.errors import UserError


def reasons(filter_: Url, url: str | None) -> list[str]:
    batch = pa.RecordBatch.from_arrays([pa.array([url], pa.string())], ["url"])
    failed = failures(filter_.measure(batch), filter_.rules())[0]
    return [rule.reason for rule, fails in zip(filter_.rules(), failed, strict=True) if fails]


@pytest.mark.parametrize(
    ("lists", "url", "expected"),
    [
        ({"hosts": ("bad.example",)}, "https://bad.example/page", ["host"]),
        ({"hosts": ("bad.example",)}, "https://www.bad.example/page", []),
        ({"domains": ("bad.example",)}, "https://www.BAD.example:443/page", ["domain"]),
        ({"domains": ("bad.example",)}, "https://notbad.example/", []),
        ({"domains": (".bad.example.",)}, "bad.example", ["domain"]),
        ({"domains": ("example",)}, "http://a.b.example./x", ["domain"]),
        ({"domains": ("bad.example",)}, "www.bad.example/x//y", ["domain"]),
        ({"domains": ("bad.example",)}, "//bad.example/x", ["domain"]),
        ({"domains": ("bad.example",)}, "HTTP://bad.example", ["domain"]),
        ({"domains": ("bücher.example",)}, "http://xn--bcher-kva.example/", ["domain"]),
        ({"domains": ("HTTPS://bad.example:443/",)}, "http://www.bad.example/", ["domain"]),
        ({"domains": ("bad_one.example", "1.2.3.4")}, "http://1.2.3.4/", ["domain"]),
        ({"hosts": ("xn--bcher-kva.example",)}, "http://BÜCHER.example/", ["host"]),
        ({"urls": ("http://x.example/a",)}, "http://x.example/a", ["address"]),
        ({"urls": ("http://x.example/a",)}, "http://x.example/a/b", []),
        ({"words": ("casino",)}, "http://x.example/Best-Casino_24", ["word"]),
        ({"words": ("casino",)}, "http://x.example/casinos", []),
        ({"subwords": ("casino",)}, "http://my-ca.sinos.example/", ["subword"]),
        ({"soft_words": ("hot", "chat", "live")}, "http://hot.example/hot", []),
        ({"soft_words": ("hot", "chat", "live")}, "http://hot.example/chat", ["soft_words"]),
        ({"soft_words": ("hot", "chat", "live"), "min_soft_words": 3}, "http://hot.example/chat", []),
        ({"hosts": ("bad.example",), "words": ("bad",)}, "http://bad.example", ["host", "word"]),
    ],
)
def test_lists(lists: dict[str, tuple[str, ...]], url: str, expected: list[str]) -> None:
    assert reasons(Url(**lists), url) == expected  # type: ignore[arg-type]


LABELS = st.sampled_from(["a", "b", "www", "a-b", "ab", "xn--a", "b_"])
HOSTS = st.lists(LABELS, min_size=1, max_size=5).map(".".join)
FORMS = st.sampled_from(
    ["{}", "{}", ".{}", "{}.", "||{}^", "0.0.0.0 {}", "127.0.0.1\t{} # bad", "https://{}/", "{}:80"]
)


@given(st.lists(st.builds(str.format, FORMS, HOSTS) | st.sampled_from(["!no", "", "."])), st.lists(HOSTS, min_size=1))
def test_hosts_and_domains_are_found_in_any_form_as_in_a_set(entries: list[str], hosts: list[str]) -> None:
    marks = r"^(\S+[ \t]|https://|\|\||\.)|([.^/]|:80)$"
    listed = {re.sub(marks, "", entry.removesuffix(" # bad")) for entry in entries}
    batch = pa.RecordBatch.from_arrays([pa.array([f"http://{host}/page" for host in hosts])], ["url"])
    found = Url(hosts=tuple(entries), domains=tuple(entries)).measure(batch)
    assert found["url_host"].to_pylist() == [int(host in listed) for host in hosts]
    assert found["url_domain"].to_pylist() == [
        int(any(host == each or host.endswith(f".{each}") for each in listed - {"", "!no"})) for host in hosts
    ]


def test_many_hosts_are_found_and_no_others() -> None:
    hosts = [f"h{n * 7919}.example" for n in range(300_000)]
    table = HostTable.of(pa.array(hosts, pa.large_string()), named_host)
    asked = [each for n, host in enumerate(hosts[::1000]) for each in (host, f"w{n}.{host}", f"x{host}")]
    column = pa.array(asked, pa.large_string())
    assert table.find(column, False, 2000).tolist() == [True, False, False] * 300
    assert table.find(column, True, 2000).tolist() == [True, True, False] * 300


def test_folders_of_categories_have_domains_and_urls(tmp_path: Path) -> None:
    """The layout of UT1."""
    for name, entries in (("adult/domains", "bad.example\n1.2.3.4\n"), ("adult/urls", "good.example/bad\n")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(entries)
    step = Url(folders=(str(tmp_path / "adult"),))
    assert reasons(step, "https://www.bad.example/") == ["domain"]
    assert reasons(step, "https://good.example/Bad/") == ["address"]
    assert reasons(step, "https://good.example/") == []
    assert sorted(step.list_digests()) == [str(tmp_path / "adult" / name) for name in ("domains", "urls")]
    hint = f"without a file domains or urls: give folders of categories, such as '{tmp_path}/adult'"
    with pytest.raises(UserError, match=re.escape(hint)):
        Url(folders=(str(tmp_path),)).read_lists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"give folders of categories$"):
        Url(folders=(str(tmp_path / "empty"),)).read_lists()


URLS = st.text(st.sampled_from("aAbZ./?#: \t\x1f\u00a0\u00c9\u0130%") | st.characters(codec="utf-8"), max_size=12)
LISTED = st.builds("{}{}{}".format, st.sampled_from(["", "http://", "HTTPS://", "//", "a+b:"]), URLS, URLS)


@given(st.lists(LISTED, max_size=8))
def test_columns_of_urls_have_the_forms_of_single_urls(urls: list[str]) -> None:
    column = pa.array(urls, pa.large_string())
    assert bare_urls(column).to_pylist() == list(map(bare_url, urls))
    assert whole_urls(column).to_pylist() == [url.strip() for url in urls]


@given(st.lists(LISTED, min_size=1, max_size=8), st.lists(LISTED, max_size=4), st.booleans())
def test_urls_are_found_as_in_a_set(listed: list[str], others: list[str], bare: bool) -> None:
    listed = [url for url in listed if not url.startswith("@")]  # which names a file
    form = bare_url if bare else str.strip
    asked = [*listed, *others, *(f" {url}" for url in listed), *map(str.swapcase, listed)]
    batch = pa.RecordBatch.from_arrays([pa.array(asked, pa.string())], ["url"])
    found = Url(urls=tuple(listed), bare_urls=bare).measure(batch)["url_address"].to_pylist()
    assert found == [int(form(url) in set(map(form, listed)) - {""}) if url.strip() else None for url in asked]


def test_a_line_of_a_hosts_file_may_have_several_names() -> None:
    lines = ("::1 ip6-localhost ip6-loopback", "255.255.255.255\tbroadcasthost # all", "127.0.0.1  a.example b.example")
    found = Url(hosts=lines)
    for host in ("ip6-loopback", "broadcasthost", "a.example", "b.example"):
        assert reasons(found, f"http://{host}/") == ["host"]
    assert reasons(found, "http://255.255.255.255/") == []


EVERYTHING = Url(hosts=("", "."), domains=("", "."), urls=("",), words=("", "!"), subwords=("",), soft_words=("",))


@pytest.mark.parametrize("url", [None, "", "  ", "http://", "http://[broken", "::", "http://x.example"])
def test_no_url_and_empty_entries_fail_nothing(url: str | None) -> None:
    assert reasons(EVERYTHING, url) == []


@given(st.text(max_size=60))
def test_any_text_may_stand_for_a_url(url: str) -> None:
    assert host_of(url) == host_of(url).lower()
    reasons(Url(domains=("example",), words=("a",), subwords=("b",)), url)


@pytest.mark.parametrize(
    "url", ["urn:isbn:0451450523", "about:blank", "data:text/a", "mailto:jo@mill.example", "C:\\a"]
)
def test_a_url_without_slashes_before_a_host_has_none(url: str) -> None:
    assert host_of(url) == ""
    assert reasons(Url(domains=("urn", "about", "data", "c", "mill.example")), url) == []


def test_without_lists_there_are_no_rules() -> None:
    assert Url().rules() == ()


def test_lists_come_from_files_too(tmp_path: Path) -> None:
    listed = tmp_path / "hosts.txt"
    listed.write_text("\ufeffbad.example\n# comment\n\nworse.example\n", encoding="utf-8")
    found = Url(domains=("first.example", f"@{listed}"))
    for host in ("bad.example", "worse.example", "first.example"):
        assert reasons(found, f"https://www.{host}/") == ["domain"]
    assert reasons(found, "https://comment/") == []


def test_a_list_that_cannot_be_read_is_the_users_error(tmp_path: Path) -> None:
    listed = Url(hosts=("@nowhere.txt",))
    (tmp_path / "latin.txt").write_bytes("bücher.example".encode("latin-1"))
    with pytest.raises(UserError, match=r"latin\.txt of the step url is not in UTF-8: convert it"):
        Url(hosts=(f"@{tmp_path}/latin.txt",)).read_lists()
    with pytest.raises(UserError, match=r"nowhere\.txt of the step url cannot be read"):
        listed.read_lists()
    with pytest.raises(UserError, match=r"nowhere\.txt of the step url cannot be read"):
        make_job([], {"steps": [{"use": "url", "hosts": ["@nowhere.txt"]}]}, [])
    with pytest.raises(UserError, match=r"nowhere\.txt of the step url cannot be read"):
        load_recipe("none", ["url.domains=@nowhere.txt"])


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("*.bad.example", "url.hosts: '*.bad.example' is not a host: give hosts without *"),
        ("http://[", "url.hosts: 'http://[' is not a host: give hosts such as mill.example"),
        ("bad.example worse.example", "url.hosts: 'bad.example worse.example' is more than a host: give each host as"),
        ("bad.example/x", "url.hosts: 'bad.example/x' is more than a host: give bad.example, or list the page under"),
    ],
)
def test_an_invalid_host_is_refused_before_anything_is_read(entry: str, told: str) -> None:
    with pytest.raises(UserError) as refused:
        Url(hosts=(entry,)).read_lists()
    assert str(refused.value).startswith(told)


@pytest.mark.parametrize("name", ["words", "soft_words"])
def test_several_words_in_one_entry_are_refused(name: str) -> None:
    lists: dict[str, Any] = {name: ("free casino",)}
    with pytest.raises(UserError, match=f"^url.{name} has 'free casino': give each word as an entry of its own, or"):
        Url(**lists).read_lists()
    assert reasons(Url(subwords=("free casino",)), "http://x.example/free-casino") == ["subword"]


def test_a_list_is_read_once_for_all_batches_and_anew_for_another_run(tmp_path: Path) -> None:
    listed = tmp_path / "hosts.txt"
    found = Url(domains=(f"@{listed}",))
    for host in ("bad.example", "worse.example"):
        listed.write_text(host)
        found.read_lists()
        listed.unlink()
        assert reasons(found, f"https://{host}/") == ["domain"]


def test_a_finished_folder_does_not_need_its_lists() -> None:
    steps = [{"use": "url", "hosts": ["@nowhere.txt"]}]
    recipe = recipe_of({**job_json(make_job([], "none", []))["recipe"], "steps": steps})
    assert [rule.reason for rule in recipe.steps[0].rules()] == ["host"]  # type: ignore[union-attr]
