"""Sites with much personal information leave a corpus before its duplicates do, as a naive program says."""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from curation.engine import stages
from curation.engine.driver import curate
from curation.engine.selection import Selection
from curation.filters.hosts import host_of, hosts_of
from curation.job import Execution
from curation.recipe import Recipe
from curation.recipes.tables import make_recipe
from curation.release.folder import Folder
from curation.release.lookup import Lookup
from curation.release.manifest import read_finished
from curation.reports.explain import explain
from curation.reports.heavy_rules import heavy_rules
from curation.sites.evidence import STEPS
from curation.sites.settings import Sites
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job
from schemas.errors import UserError
from schemas.manifest import MANIFEST
from tests.curation.engine.test_takedown import take
from tests.curation.test_laws import SENTENCES, WAYS, digest, rows

SLOW = settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
VALUES = {"email": "jo.do@mail.example.org", "ssn": "536-22-1234", "card": "4111 1111 1111 1111"}
HOSTS = ("mill.example", "people.example", "www.people.example", "list.example")
URL = st.one_of(
    st.sampled_from([None, "", "#top", "http://[broken"]),
    st.builds("https://{}/{}".format, st.sampled_from([*HOSTS, "People.Example:8080"]), st.integers(0, 9)),
)
DOCUMENT = st.tuples(
    st.integers(0, len(SENTENCES) - 1), st.lists(st.sampled_from(sorted(VALUES)), max_size=3), st.booleans(), URL
)
CRAWL = st.lists(st.lists(DOCUMENT, max_size=8), min_size=1, max_size=4)
REDACT = {"use": "redact", "kinds": ["email", "ssn", "card"]}

Crawl = list[list[tuple[int, list[str], bool, str | None]]]


def text_of(document: tuple[int, list[str], bool, str | None]) -> str:
    sentence, values, filtered, _ = document
    return " ".join([SENTENCES[sentence], *(f"Ask {VALUES[kind]} soon." for kind in values), "filtered out" * filtered])


def write(source: Path, crawl: Crawl) -> Path:
    source.mkdir()
    for number, documents in enumerate(crawl):
        lines = [
            json.dumps({"id": f"{number}-{place}", "text": text_of(each), "url": each[3]}) + "\n"
            for place, each in enumerate(documents)
        ]
        (source / f"{number}.jsonl").write_text("".join(lines))
    return source


def run(source: Path, output: Path, recipe: dict[str, Any], changes: Any = (), against: Any = (), **how: Any) -> Path:
    table = {"against": [str(each) for each in against]}
    asked = ["unit_bytes=600", "allow_unreadable=true", *changes]
    job = make_job([Input(glob=str(source / "*.jsonl"))], recipe, asked, table)
    curate(job, str(output), Execution(**{"workers": 0, "partitions": 3, **how}))
    return output


def recipe_with(sites: dict[str, Any] | None, redact: Any = None, **more: Any) -> dict[str, Any]:
    steps = [{"use": "pattern", "patterns": ["filtered out"]}, *([redact] if redact else [])]
    return {"steps": steps, **({"sites": sites} if sites else {}), **more}


def naive_host(url: str | None) -> str:
    """Written anew, for these urls only."""
    return url.split("/")[2].partition(":")[0].lower() if url and url.startswith("https://") else ""


def naive_sites(crawl: Crawl, kinds: list[str]) -> dict[str, Counter[str]]:
    """The documents, words and matches of each host, of documents that are not filtered out."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for document in (each for file in crawl for each in file if not each[2]):
        if host := naive_host(document[3]):
            values = Counter(kind for kind in document[1] if kind in kinds)
            found[host].update({"documents": 1, "words": naive_words(text_of(document))}, **values)
    return found


def naive_words(text: str) -> int:
    """Words as in shingles: runs of letters and digits."""
    return len("".join(letter if letter.isalnum() else " " for letter in text).split())


ASKED = {
    "crawl": CRAWL,
    "kinds": st.sampled_from([["email"], ["card", "ssn"], ["email", "ssn", "card"]]),
    "density": st.sampled_from([0.0, 20.0, 40.0, 60.0, 10000.0]),
    "least": st.integers(1, 4),
    "redact": st.sampled_from([None, {"use": "redact"}, REDACT, {**REDACT, "kinds": ["email"]}]),
    "changes": st.lists(
        st.sampled_from(["dedup.url=true", "near=false", "signals=false", "keep.policy=longest", "dedup.exact=false"]),
        unique=True,
    ),
}


@settings(SLOW, max_examples=5)
@given(**ASKED)
def test_the_sites_that_go_and_their_evidence_are_those_of_a_naive_program(
    tmp_path_factory: pytest.TempPathFactory, **asked: Any
) -> None:
    check(tmp_path_factory.mktemp("sites"), **asked)


@pytest.mark.soak
@settings(SLOW, max_examples=80)
@given(**ASKED)
def test_the_sites_that_go_in_many_corpora(tmp_path_factory: pytest.TempPathFactory, **asked: Any) -> None:
    check(tmp_path_factory.mktemp("sites"), **asked)


def check(
    root: Path, crawl: Crawl, kinds: list[str], density: float, least: int, redact: Any, changes: list[str]
) -> None:
    source = write(root / "in", crawl)
    sites = {"kinds": kinds, "per_thousand_words": density, "min_documents": least}
    out = run(source, root / "out", recipe_with(sites, redact), changes)
    wanted = naive_sites(crawl, kinds)
    matches = {host: sum(found[kind] for kind in kinds) for host, found in wanted.items()}
    gone = {
        host
        for host, found in wanted.items()
        if found["documents"] >= least and 1000 * matches[host] > density * found["words"]
    }
    evidence = {row["host"]: row for row in rows(out, "sites")}
    assert set(evidence) == {host for host in wanted if matches[host]}
    for host, row in evidence.items():
        found = wanted[host]
        assert row["documents"] == found["documents"]
        assert row["words"] == found["words"]
        assert {kind: row[kind] for kind in kinds} == {kind: found[kind] for kind in kinds}
        assert row["matches"] == matches[host]
        assert row["per_thousand_words"] == 1000 * matches[host] / found["words"]
        assert row["removed"] == (host in gone)
    documents = {f"{n}-{p}": each for n, file in enumerate(crawl) for p, each in enumerate(file)}
    removed = {row["doc_id"]: row for row in rows(out, "rejects") if row["stage"] == "sites"}
    assert set(removed) == {name for name, each in documents.items() if not each[2] and naive_host(each[3]) in gone}
    for name, row in removed.items():
        value = evidence[naive_host(documents[name][3])]["per_thousand_words"]
        [failed] = row["failed"]
        assert failed == {"stage": "sites", "reason": "personal_information", "value": value, "threshold": density}
    report = json.loads((out / MANIFEST).read_text())["sites"]
    assert (report["hosts"], report["removed"]) == (len(wanted), len(gone))
    enough = [found["documents"] for found in wanted.values() if found["documents"] >= least]
    assert report["large_enough"] == len(enough)
    counted = {each["at_least"]: (each["hosts"], each["documents"]) for each in report["densities"]}
    steps = Counter[float](), Counter[float]()
    for host, found in wanted.items():
        if found["documents"] >= least:
            step = max(step for step in STEPS if step <= 1000 * matches[host] / found["words"])
            steps[0][step] += 1
            steps[1][step] += found["documents"]
    assert counted == {step: (steps[0][step], steps[1][step]) for step in steps[0]}
    assert list(counted) == sorted(counted)


@pytest.mark.soak
@SLOW
@given(crawl=CRAWL, changes=st.sampled_from([[], ["dedup.url=true"], ["pieces={unit = 'sentences', sentences = 1}"]]))
def test_what_is_left_is_deduplicated_as_if_the_sites_were_not_in_the_input(
    tmp_path_factory: pytest.TempPathFactory, crawl: Crawl, changes: list[str]
) -> None:
    root = tmp_path_factory.mktemp("left")
    sites = {"kinds": ["email", "ssn"], "per_thousand_words": 30.0, "min_documents": 2}
    out = run(write(root / "in", crawl), root / "out", recipe_with(sites), changes)
    gone = {row["host"] for row in rows(out, "sites") if row["removed"]}
    left = [[each for each in file if each[2] or naive_host(each[3]) not in gone] for file in crawl]
    other = run(write(root / "left", left), root / "other", recipe_with(None), changes)

    def plain(folder: Path, table: str) -> list[Any]:
        return [(row["text"], row["url"], row.get("stage"), row.get("similarity")) for row in rows(folder, table)]

    for table in ("documents", "rejects/duplicates"):
        assert plain(out, table) == plain(other, table)
    assert sorted(row["doc_id"] for row in rows(out, "sketches")) == sorted(
        row["doc_id"] for table in ("documents", "rejects/duplicates") for row in rows(out, table)
    )


PEOPLE: Crawl = [
    [(n % 5, ["email"] * (host == "people.example"), False, f"https://{host}/{n}") for n in range(6)]
    for host in ("people.example", "mill.example", "people.example", "list.example")
]
SITES = {"kinds": ["email"], "per_thousand_words": 20.0}


@pytest.mark.parametrize(
    "way", ["two", "beam", *(pytest.param(way, marks=pytest.mark.soak) for way in ("one", "processes"))]
)
def test_the_bytes_do_not_depend_on_runners_or_partitions(tmp_path: Path, way: str) -> None:
    source = write(tmp_path / "in", PEOPLE)
    here = run(source, tmp_path / "here", recipe_with(SITES, REDACT), partitions=1)
    there = run(source, tmp_path / "there", recipe_with(SITES, REDACT), partitions=7, **WAYS[way])
    assert len(rows(here, "sites")) == 1
    assert len({path.name for path in (here / "sites").iterdir()}) > 4, "several units"
    assert len(rows(here, "rejects/sites")) == 12
    assert digest(here) == digest(there)


def test_no_document_of_a_removed_site_stands_in_for_another(tmp_path: Path) -> None:
    """The removed site has the first and the longest copy of each text, and the same url."""
    crawl: Crawl = [
        [(n, ["email"], False, f"https://people.example/{n}") for n in range(5)],
        [(n, ["email"], False, "https://mill.example/1") for n in range(5)],
        [(0, [], False, "https://mill.example/2")] * 30,
    ]
    sites = {**SITES, "min_documents": 1, "per_thousand_words": 30.0}
    for policy in ("first", "longest"):
        changes = [f"keep.policy={policy}", "dedup.url=true"]
        out = run(write(tmp_path / f"in-{policy}", crawl), tmp_path / policy, recipe_with(sites), changes)
        assert {row["host"]: row["removed"] for row in rows(out, "sites")} == {
            "people.example": True,
            "mill.example": False,
        }
        kept = rows(out, "documents")
        assert {naive_host(row["url"]) for row in kept} == {"mill.example"}
        survivors = {row["survivor"] for row in rows(out, "rejects/duplicates")}
        assert survivors <= {row["doc_id"] for row in kept}


def test_a_run_warns_where_sites_take_much_of_a_source(tmp_path: Path) -> None:
    crawl: Crawl = [[(0, ["email"] * (n % 4 == 0), False, f"https://{HOSTS[n % 4]}/{n}") for n in range(120)]]
    out = run(
        write(tmp_path / "in", crawl), tmp_path / "out", recipe_with(SITES, dedup={"exact": False, "near": False})
    )
    found = read_finished(Folder(str(out)))[0]
    assert list(heavy_rules(Folder(str(out)), found)) == [
        "sites: personal_information removed 25% of the documents of source default: read some of them with gristmill "
        f"explain {out} --sample 10 --reason personal_information"
    ]


def test_a_removal_is_explained_by_the_evidence_on_its_site(tmp_path: Path) -> None:
    out = run(write(tmp_path / "in", PEOPLE), tmp_path / "out", recipe_with({**SITES, "kinds": ["email", "ssn"]}))
    lookup = Lookup(str(out))
    [row] = lookup.find("0-3")
    lines = list(explain(lookup, row))
    [site] = rows(out, "sites")
    density = f"{site['per_thousand_words']:.6g}"
    assert lines == [
        f"0-3 (0.jsonl at {row['offset']}) was removed by sites, for personal_information.",
        f"  passed the filters from people.example: 12 documents of {site['words']} words",
        "  found in them: e-mail addresses (12)",
        f"  together {density} per 1,000 words, the recipe asks for at most 20.",
    ]


@pytest.mark.parametrize(
    "name",
    ["without_sites", *(pytest.param(name, marks=pytest.mark.soak) for name in ("host_sums", "hosts", "url_keys"))],
)
def test_a_run_resumes_wherever_it_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    source, changes = write(tmp_path / "in", PEOPLE), ["dedup.url=true", "near=false"]
    stage, calls = getattr(stages, name), list[int]()

    def killed(of: Any, key: int, groups: Any) -> Any:
        calls.append(key)
        if len(calls) == 3:
            raise RuntimeError("killed")
        return stage(of, key, groups)

    with monkeypatch.context() as patched:
        patched.setattr(stages, name, killed)
        with pytest.raises(RuntimeError, match="killed"):
            run(source, tmp_path / "out", recipe_with(SITES), changes)
        assert not (tmp_path / "out" / MANIFEST).exists()
    out = run(source, tmp_path / "out", recipe_with(SITES), changes)
    assert digest(out) == digest(run(source, tmp_path / "anew", recipe_with(SITES), changes))


def test_a_takedown_keeps_removed_sites_removed(tmp_path: Path) -> None:
    """By id one document of the removed site and one that stays; by its text also a copy in the removed site."""
    crawl: Crawl = [*PEOPLE, [(3, ["email"], False, "https://mill.example/copy")]]
    out = run(write(tmp_path / "in", crawl), tmp_path / "out", recipe_with(SITES))
    taken = take(out, Selection.of(["0-2", "1-1", "4-0"]), tmp_path / "less")
    assert taken["takedown"][0]["same_text"] > 0
    before = {row["doc_id"]: row for row in rows(out, "rejects/sites")}
    after = {row["doc_id"]: row for row in rows(tmp_path / "less", "rejects/sites")}
    assert set(before) == set(after)
    texts = {before["0-2"]["text"], next(row["text"] for row in rows(out, "documents") if row["doc_id"] == "4-0")}
    for name, row in after.items():
        if before[name]["text"] in texts:
            assert (row["stage"], row["text"], row["url"]) == ("takedown", None, None)
        else:
            assert row == before[name]
    assert rows(out, "sites") == rows(tmp_path / "less", "sites")
    assert "people.example" not in {naive_host(row["url"]) for row in rows(tmp_path / "less", "documents")}
    assert json.loads((out / MANIFEST).read_text())["sites"] == taken["sites"]
    take(out, Selection.of(hosts=["people.example"]), tmp_path / "none")
    assert {row["host"] for row in rows(tmp_path / "none", "sites")} == {"mill.example"}
    for path in (tmp_path / "none").rglob("*"):
        assert not path.is_file() or b"people.example" not in path.read_bytes() or path.name == MANIFEST, path
    assert {row["stage"] for row in rows(tmp_path / "none", "rejects/sites")} == {"takedown"}
    assert {row["doc_id"] for row in rows(out, "documents")} - {
        row["doc_id"] for row in rows(tmp_path / "none", "documents")
    } == {"4-0"}, "it has a text of the host"


def test_a_later_crawl_may_remove_sites_that_its_release_has(tmp_path: Path) -> None:
    """A removed document is compared with no other, neither of this run nor of the release."""
    released = run(write(tmp_path / "in", PEOPLE), tmp_path / "released", recipe_with(None))
    later = run(write(tmp_path / "new", PEOPLE), tmp_path / "later", recipe_with(SITES), against=[released])
    assert Counter(row["stage"] for row in rows(later, "rejects")) == {"sites": 12, "exact": 12}
    third = run(write(tmp_path / "more", PEOPLE), tmp_path / "third", recipe_with(None), against=[released, later])
    assert Counter(row["stage"] for row in rows(third, "rejects")) == {"exact": 24}


@pytest.mark.parametrize(
    ("sites", "told"),
    [
        ({"kinds": ["email"]}, "sites: the field per_thousand_words is missing"),
        ({"kinds": [], "per_thousand_words": 1}, "sites.kinds is empty"),
        ({"kinds": ["email", "email"], "per_thousand_words": 1}, "has a kind twice"),
        ({"kinds": ["name"], "per_thousand_words": 1}, "sites.kinds cannot be 'name'"),
        ({"kinds": ["phone"], "per_thousand_words": 1}, "need each other"),
        ({"kinds": ["phone"], "regions": ["XX"], "per_thousand_words": 1}, "sites.regions cannot have 'XX'"),
        ({"kinds": ["email"], "per_thousand_words": -1}, "give 0 or more"),
        ({"kinds": ["email"], "per_thousand_words": 1, "min_documents": 0}, "give at least 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(sites: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        make_recipe("own", {"sites": sites})


PARTS = ["http://", "https://", "HTTP://", "//", "mill", "Mill", "example", ".", ":", "80", "@", "/", "?", "#", "\n"]
ODD = [*PARTS, "\t", " ", "É", "a-b", "[", "]", "::1", "\\", "_", "%41", "ﬀ"]
ODD_URL = st.lists(st.sampled_from(ODD)).map("".join)


@settings(SLOW, max_examples=200)
@given(urls=st.lists(st.none() | ODD_URL | ODD_URL.map("http://{}".format), max_size=20))
def test_the_hosts_of_a_column_are_those_of_its_urls(urls: list[str | None]) -> None:
    wanted = [(host_of(url) or None) if url else None for url in urls]
    assert hosts_of(pa.array(urls, pa.string())).to_pylist() == wanted


def test_redact_counts_for_sites_if_it_finds_the_same() -> None:
    def counter(redact: dict[str, Any], **sites: Any) -> object:
        asked = {"kinds": ["email", "phone"], "regions": ["US"], "per_thousand_words": 1, **sites}
        recipe: Recipe = make_recipe("own", {"sites": asked, "steps": [{"use": "redact", **redact}]})
        return recipe.site_counter

    both = {"kinds": ["card", "email", "phone"], "regions": ["US"]}
    assert counter(both) is None
    assert counter(both, kinds=["email"], regions=[]) is None
    assert counter({**both, "regions": ["GB"]}) is not None
    assert counter({}) is not None
    assert (
        counter({"kinds": ["email"]}) == Sites(kinds=("email", "phone"), regions=("US",), per_thousand_words=1).counter
    )
