"""The laws of taking documents down from a release."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

import pyarrow.parquet as pq
import pytest
import xxhash
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from curation.engine.driver import curate
from curation.engine.selection import Selection
from curation.engine.takedown import takedown
from curation.job import Execution
from curation.recipes.tables import recipe_of
from curation.release.opening import open_release
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job
from schemas import REJECTS, SKETCHES
from schemas.errors import UserError
from schemas.records import to_json
from tests.curation.test_laws import DOCUMENT, PIECES, digest, rows

BRIEF = settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
LONG = settings(BRIEF, max_examples=8)
URL = st.sampled_from([None, "http://mill.example/1", "http://a.mill.example/2#x", "http://else.example/3", "u"])
CRAWL = st.lists(st.lists(st.tuples(DOCUMENT, URL), max_size=7), min_size=1, max_size=3)
CHANGES = st.lists(
    st.sampled_from(["dedup.url=true", "dedup.exact=false", "near.ngram=2", "keep.policy=longest", PIECES]),
    max_size=3,
    unique=True,
)
SELECTION = st.builds(
    Selection.of,
    st.lists(st.builds("{}-{}".format, st.integers(0, 2), st.integers(0, 6)), max_size=6),
    st.lists(st.sampled_from(["mill.example", "A.mill.example.", "nowhere.example"]), max_size=1),
    st.lists(st.sampled_from(["u", "http://else.example/3#top", "http://nowhere.example/"]), max_size=1),
)
COMPARED = (
    "doc_id",
    "text",
    "url",
    "source",
    "language",
    "stage",
    "reason",
    "survivor",
    "matched",
    "similarity",
    "words",
)


Crawl = list[list[tuple[str, str | None]]]


def write(source: Path, crawl: Crawl, without: Selection | None = None, texts: Collection[str] = ()) -> bool:
    """Writes the crawl as files, the documents named 0-0, 0-1, ...; whether something of a selection, or with one of
    some texts, was left out."""
    source.mkdir(parents=True)
    left_out = False
    gone = set() if without is None else all_taken(crawl, without)
    for number, documents in enumerate(crawl):
        lines = []
        for position, (text, url) in enumerate(documents):
            name = f"{number}-{position}"
            if name in gone or text in texts:
                left_out = True
                continue
            lines.append(json.dumps({"id": name, "text": text, "url": url}) + "\n")
        (source / f"{number}.jsonl").write_text("".join(lines))
    return left_out


def all_taken(crawl: Crawl, selection: Selection) -> set[str]:
    """The names of the documents that a selection takes, and of those that have the text of one of them."""
    texts = texts_taken(crawl, selection)
    documents = {f"{n}-{p}": each for n, file in enumerate(crawl) for p, each in enumerate(file)}
    return {name for name, (text, url) in documents.items() if text in texts or is_taken(name, url, selection)}


def texts_taken(crawl: Crawl, selection: Selection) -> set[str]:
    """The texts of the documents that a selection takes."""
    documents = ((f"{n}-{p}", *each) for n, file in enumerate(crawl) for p, each in enumerate(file))
    return {text for name, text, url in documents if is_taken(name, url, selection)} - {""}


def is_taken(name: str, url: str | None, selection: Selection) -> bool:
    """Written anew, in plain words, for these urls only."""
    host = "" if url is None or "//" not in url else url.split("/")[2]
    below = any(host == each or host.endswith("." + each) for each in selection.hosts)
    return name in selection.doc_ids or below or (url is not None and url.split("#")[0] in selection.urls)


def run(source: Path, output: Path, changes: Any = (), against: Any = (), recipe: str = "none", **how: Any) -> Path:
    table = {"against": [str(each) for each in against]}
    job = make_job(
        [Input(glob=str(source / "*.jsonl"))], recipe, ["unit_bytes=600", "allow_unreadable=true", *changes], table
    )
    curate(job, str(output), Execution(**{"workers": 0, "partitions": 3, **how}))
    return output


def take(release: Path, selection: Selection, output: Path, against: Any = (), **how: Any) -> dict[str, Any]:
    opened, before = open_release(str(release))
    recipe = recipe_of(before.recipe)
    execution = Execution(**{"workers": 0, "partitions": 3, **how})
    taken = takedown(opened, before, recipe, selection, str(output), execution, [str(each) for each in against])
    return cast("dict[str, Any]", to_json(taken))


def content(folder: Path, table: str) -> list[dict[str, Any]]:
    """The rows of a table, but for where they lay."""
    found = [row for row in rows(folder, table) if row.get("stage") != "takedown"]
    return [{name: row[name] for name in (*COMPARED, "content_hash", "signature") if name in row} for row in found]


def same(one: Path, other: Path) -> None:
    for table in ("documents", "rejects/duplicates", "rejects/filters", "sketches", "signals"):
        assert content(one, table) == content(other, table), table


@settings(BRIEF, max_examples=3)
@given(crawl=CRAWL, changes=CHANGES, selection=SELECTION)
def test_a_takedown_equals_a_run_without_the_documents(
    tmp_path_factory: pytest.TempPathFactory, crawl: Any, changes: list[str], selection: Selection
) -> None:
    root = tmp_path_factory.mktemp("takedown")
    write(root / "in", crawl)
    without = write(root / "less/in", crawl, selection)
    before = digest(run(root / "in", root / "released", changes))
    if not without:
        with pytest.raises(UserError, match=r"none of the selected documents|are empty"):
            take(root / "released", selection, root / "new")
        assert not (root / "new").exists()
        return
    found = take(root / "released", selection, root / "new")
    same(root / "new", run(root / "less/in", root / "expected", changes))
    assert digest(root / "released") == before
    written = {name: hash_ for name, hash_ in digest(root / "new").items() if name.endswith(".parquet")}
    assert written == {name: entry["sha256"] for name, entry in found["outputs"].items()}
    noted = {
        name: hash_ for name, hash_ in digest(root / "new").items() if not name.endswith((".parquet", "t.json", ".md"))
    }
    assert noted == {name: entry["sha256"] for name, entry in found["lists"].items()}
    ids = {f"{number}-{place}" for number, each in enumerate(crawl) for place in range(len(each))}
    missing = root / "new/not_found/doc_id.txt"
    assert (missing.read_text().split() if missing.exists() else []) == sorted(set(selection.doc_ids) - ids)
    down = [row for row in rows(root / "new", "rejects/filters") if row["stage"] == "takedown"]
    named = {(number, place) for number, each in enumerate(crawl) for place in range(len(each))}
    expected = all_taken(crawl, selection)
    selected = {f"{n}-{p}" for n, p in named if is_taken(f"{n}-{p}", crawl[n][p][1], selection)}
    assert {row["doc_id"] for row in down} == expected
    assert {row["doc_id"] for row in down if row["reason"] != "same_text"} == selected
    assert found["takedown"][-1]["same_text"] == len(expected - selected)
    assert len(down) == len(expected) == found["takedown"][-1]["taken_down"]
    kept = {row["doc_id"] for row in rows(root / "released", "documents")} - expected
    now = {row["doc_id"] for row in rows(root / "new", "documents")}
    told = found["takedown"][-1]
    assert (told["brought_back"], told["lost"]) == (len(now - kept), len(kept - now))
    entries = found["ledger"]["rejected"]
    assert sum(entry["documents"] for entry in entries if entry["stage"] == "takedown") == len(down)
    (read,) = found["ledger"]["read"].values()
    assert read["documents"] == len(named)
    for row in rows(root / "new", "rejects"):
        REJECTS.check(REJECTS.batch({name: [value] for name, value in row.items()}, 1))
    for row in rows(root / "new", "sketches"):
        SKETCHES.check(SKETCHES.batch({name: [value] for name, value in row.items()}, 1))


WORDS = [f"word{number}" for number in range(300)]


def text(start: int) -> str:
    """Two of these whose starts are four apart are near-duplicates, those eight apart are not (at 0.8)."""
    return " ".join(WORDS[start : start + 60])


STRICT = ["near.bands=40", "near.rows=3", "near.min_similarity=0.8"]
PAGES: list[list[tuple[str, str | None]]] = [
    [(text(0), "http://secret.example/0"), (text(4), None), ("too short", "http://secret.example/9")],
    [(text(8), None), (text(100), "http://mill.example/1")],
    [(text(100), "http://mill.example/2"), (text(200), None)],
]


def test_the_next_best_duplicate_comes_back_and_a_copy_goes_too(tmp_path: Path) -> None:
    write(tmp_path / "in", PAGES)
    released = run(tmp_path / "in", tmp_path / "released", STRICT)
    assert [row["doc_id"] for row in rows(released, "documents")] == ["0-0", "0-2", "1-1", "2-1"]
    found = take(released, Selection.of(["1-1", "0-1"], ["secret.example"], ["none"]), tmp_path / "new")
    assert [row["doc_id"] for row in rows(tmp_path / "new", "documents")] == ["1-0", "2-1"]
    told = found["takedown"][-1]
    assert (told["taken_down"], told["same_text"], told["brought_back"], told["lost"]) == (5, 1, 1, 0)
    assert told["asked"] == {"doc_id": 2, "host": 1, "url": 1}
    assert told["found"] == {"doc_id": 2, "host": 1, "url": 0}
    assert told["of"] == open_release(str(released))[0].name


def test_no_text_of_a_taken_down_document_is_left(tmp_path: Path) -> None:
    write(tmp_path / "in", PAGES)
    released = run(tmp_path / "in", tmp_path / "released", recipe="gopher")
    assert "secret.example" in everything(released)
    take(released, Selection.of(hosts=["secret.example"]), tmp_path / "new")
    assert "secret.example" not in everything(tmp_path / "new")
    assert "too short" not in everything(tmp_path / "new")
    (down, also) = [row for row in rows(tmp_path / "new", "rejects/filters") if row["stage"] == "takedown"]
    assert (down["text"], down["url"], down["date"], down["metadata"], down["language"]) == (None, None, None, "", None)
    assert {down["doc_id"], also["doc_id"]} == {"0-0", "0-2"}
    measured = {row["doc_id"] for row in rows(tmp_path / "new", "signals")}
    assert measured == {row["doc_id"] for row in rows(released, "signals")} - {"0-0", "0-2"}


def everything(folder: Path) -> str:
    """All that the files of a folder say."""
    tables = [pq.read_table(path) for path in sorted(folder.rglob("*.parquet"))]
    plain = [path.read_text() for path in sorted(folder.rglob("*.json"))]
    return "".join([str(table.to_pylist()) for table in tables] + plain)


@pytest.mark.soak
def test_worker_processes_change_nothing_and_it_goes_on_after_an_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "in", PAGES)
    released = run(tmp_path / "in", tmp_path / "released", STRICT)
    selection = Selection.of(["0-0"])
    take(released, selection, tmp_path / "alone", partitions=1)
    take(released, selection, tmp_path / "several", workers=2, partitions=7)
    take(released, selection, tmp_path / "runner", beam_options=("--runner=FnApiRunner",))
    assert digest(tmp_path / "alone") == digest(tmp_path / "several") == digest(tmp_path / "runner")
    with monkeypatch.context() as patched:
        patched.setattr("curation.engine.stages.write_documents", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            take(released, selection, tmp_path / "again")
    with pytest.raises(UserError, match="an interrupted run that differs"):
        take(released, Selection.of(["0-1"]), tmp_path / "again")
    take(released, selection, tmp_path / "again")
    assert digest(tmp_path / "alone") == digest(tmp_path / "again")
    assert take(released, selection, tmp_path / "again")["takedown"], "what is finished is not done again"
    with pytest.raises(UserError, match="holds a finished run of another job"):
        take(released, Selection.of(["0-1"]), tmp_path / "again")


@pytest.mark.soak
def test_two_takedowns_equal_one_of_both_selections(tmp_path: Path) -> None:
    write(tmp_path / "in", PAGES)
    released = run(tmp_path / "in", tmp_path / "released", STRICT)
    take(released, Selection.of(["0-0", "2-1"]), tmp_path / "first")
    found = take(tmp_path / "first", Selection.of(["1-1"], ["secret.example"]), tmp_path / "second")
    take(released, Selection.of(["0-0", "2-1", "1-1"], ["secret.example"]), tmp_path / "both")
    same(tmp_path / "second", tmp_path / "both")
    assert [told["taken_down"] for told in found["takedown"]] == [2, 3]
    assert hashes(tmp_path / "second") == hashes(tmp_path / "both")
    assert hashes(tmp_path / "first") < hashes(tmp_path / "second")
    later = run(tmp_path / "in", tmp_path / "later", STRICT, [tmp_path / "second"])
    assert not rows(later, "documents"), "what was taken down, in whichever takedown, is not taken in again"


def hashes(folder: Path) -> set[bytes]:
    return {row["content_hash"] for row in rows(folder, "taken_down")}


def hash_of(text: str) -> bytes:
    return xxhash.xxh3_128_digest(text.encode())


def test_only_hashes_of_taken_down_documents_stay(tmp_path: Path) -> None:
    write(tmp_path / "in", PAGES)
    released = run(tmp_path / "in", tmp_path / "released", STRICT)
    assert not (released / "taken_down").exists()
    found = take(released, Selection.of(["0-0", "1-1"]), tmp_path / "new")
    table = pq.read_table(tmp_path / "new/taken_down/00000.parquet")
    assert table.column_names == ["content_hash"]
    assert table["content_hash"].to_pylist() == sorted([hash_of(text(0)), hash_of(text(100))])
    assert found["schemas"]["taken_down"] == 1


def test_a_release_that_followed_on_another_needs_that_one(tmp_path: Path) -> None:
    write(tmp_path / "a", [[(text(0), None), (text(200), None)]])
    write(tmp_path / "b", PAGES)
    first = run(tmp_path / "a", tmp_path / "first", STRICT)
    second = run(tmp_path / "b", tmp_path / "second", STRICT, [first])
    with pytest.raises(UserError, match="add --against with the folder of that release"):
        take(second, Selection.of(["1-1"]), tmp_path / "new")
    with pytest.raises(UserError, match="leave that folder out"):
        take(first, Selection.of(["0-0"]), tmp_path / "new", [second, first])
    take(second, Selection.of(["1-1"]), tmp_path / "new", [first])
    write(tmp_path / "less", PAGES, Selection.of(["1-1"]))
    same(tmp_path / "new", run(tmp_path / "less", tmp_path / "expected", STRICT, [first]))


@pytest.mark.soak
@LONG
@given(crawls=st.lists(CRAWL, min_size=3, max_size=3), changes=CHANGES, selection=SELECTION)
def test_a_takedown_stands_where_the_release_stood(
    tmp_path_factory: pytest.TempPathFactory, crawls: list[Any], changes: list[str], selection: Selection
) -> None:
    root = tmp_path_factory.mktemp("series")
    for letter, crawl in zip("abc", crawls, strict=True):
        write(root / letter, crawl)
    assume(write(root / "less-a", crawls[0], selection))
    texts = texts_taken(crawls[0], selection)
    write(root / "less-b", crawls[1], selection, texts)
    write(root / "renewed-b", crawls[1], None, texts)
    write(root / "less-c", crawls[2], None, texts)
    first = run(root / "a", root / "first", changes)
    second = run(root / "b", root / "second", changes, [first])
    take(first, selection, root / "less")
    expected = run(root / "less-a", root / "expected", changes)
    take(second, Selection.of(), root / "renewed", [root / "less"])
    same(root / "renewed", run(root / "renewed-b", root / "expected-renewed", changes, [expected]))
    take(second, selection, root / "less-second", [root / "less"])
    same(root / "less-second", run(root / "less-b", root / "expected-second", changes, [expected]))
    later = run(root / "c", root / "later", changes, [root / "renewed", root / "less"])
    same(later, run(root / "less-c", root / "expected-later", changes, [expected, root / "expected-renewed"]))
    third = run(root / "c", root / "third", changes, [second, root / "less"])
    documents = {open_release(str(each))[0].name: places(each) for each in (root / "less", second)}
    if PIECES in changes:
        return  # nothing may be left of a survivor
    for row in rows(third, "rejects/duplicates"):
        in_corpus = documents[row["survivor_release"]] if row["survivor_release"] else places(third)
        assert (row["survivor_file"], row["survivor_offset"]) in in_corpus
    if "dedup.exact=false" not in changes and "dedup.url=true" not in changes:
        released = {row["content_hash"] for each in (root / "less", second) for row in kept_sketches(each)}
        assert released.isdisjoint(row["content_hash"] for row in kept_sketches(third))


def places(folder: Path) -> set[tuple[str, int]]:
    return {(row["file"], row["offset"]) for row in rows(folder, "documents")}


def kept_sketches(folder: Path) -> list[dict[str, Any]]:
    return [row for row in rows(folder, "sketches") if (row["file"], row["offset"]) in places(folder)]


def test_a_document_lost_to_a_taken_down_one_comes_back_later(tmp_path: Path) -> None:
    write(tmp_path / "a", [[(text(0), "http://secret.example/"), (text(200), None)]])
    write(tmp_path / "b", [[(text(4), None), (text(200), None), (text(100), None)]])
    write(tmp_path / "c", [[(text(8), None), (text(200), None)]])
    first = run(tmp_path / "a", tmp_path / "first", STRICT)
    second = run(tmp_path / "b", tmp_path / "second", STRICT, [first])
    take(first, Selection.of(hosts=["secret.example"]), tmp_path / "less")
    take(tmp_path / "less", Selection.of(["0-1"]), tmp_path / "least")
    third = run(tmp_path / "c", tmp_path / "third", STRICT, [tmp_path / "less", second])
    assert [row["doc_id"] for row in rows(third, "documents")] == ["0-0"], "what it is like is in no corpus any more"
    found = take(second, Selection.of(), tmp_path / "renewed", [tmp_path / "less"])
    assert [row["doc_id"] for row in rows(tmp_path / "renewed", "documents")] == ["0-0", "0-2"]
    assert (found["takedown"][-1]["taken_down"], found["takedown"][-1]["brought_back"]) == (0, 1)
    take(second, Selection.of(["0-2"]), tmp_path / "again", [tmp_path / "least"])
    assert [row["doc_id"] for row in rows(tmp_path / "again", "documents")] == ["0-0"]
    gone = [row["doc_id"] for row in rows(tmp_path / "again", "rejects/filters") if row["reason"] == "same_text"]
    assert gone == ["0-1"], "a copy of what was taken down from the release before it"
    with pytest.raises(UserError, match="one release before and after a takedown: name one of them"):
        run(tmp_path / "c", tmp_path / "new", STRICT, [tmp_path / "less", first, second])
    with pytest.raises(UserError, match="one release before and after a takedown: name one of them"):
        run(tmp_path / "c", tmp_path / "new", STRICT, [tmp_path / "least", tmp_path / "less", second])
    with pytest.raises(UserError, match="holds a finished run of another job"):
        take(second, Selection.of(), tmp_path / "renewed", [tmp_path / "least"])
    with pytest.raises(UserError, match="are empty"):
        take(second, Selection.of(), tmp_path / "new", [first])


def test_what_was_superseded_by_a_document_that_is_gone_counts_again(tmp_path: Path) -> None:
    longest = [*STRICT, "keep.policy=longest", "near.verify=signature", "near.survivor=0"]
    for letter, page in (("a", text(0)), ("b", text(8) + " truly so"), ("c", text(4)), ("d", text(0))):
        write(tmp_path / letter, [[(page, None)]])
    first = run(tmp_path / "a", tmp_path / "first", longest)
    second = run(tmp_path / "b", tmp_path / "second", longest, [first])
    third = run(tmp_path / "c", tmp_path / "third", longest, [first, second])
    (superseded,) = rows(third, "superseded")
    names = [open_release(str(each))[0].name for each in (first, second)]
    assert [superseded["release"], superseded["survivor_release"]] == names
    take(second, Selection.of(["0-0"]), tmp_path / "less", [first])
    later = run(tmp_path / "d", tmp_path / "later", longest, [first, third, tmp_path / "less"])
    (lost,) = rows(later, "rejects/duplicates")
    assert lost["survivor_release"] == names[0], "it is in the corpus, so its copy is not kept"


def test_what_cannot_be_taken_down_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "in", PAGES)
    bare = run(tmp_path / "in", tmp_path / "bare", [*STRICT, "rejects_text=false"])
    none = run(tmp_path / "in", tmp_path / "none", STRICT)
    with pytest.raises(UserError, match="no duplicate can be brought back"):
        take(bare, Selection.of(["0-0"]), tmp_path / "new")
    with pytest.raises(UserError, match="are empty"):
        take(none, Selection.of([], [" . "], ["#x"]), tmp_path / "new")
    with pytest.raises(UserError, match="holds no finished run"):
        take(tmp_path / "in", Selection.of(["x"]), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_list_is_compared_with_what_is_still_there(tmp_path: Path) -> None:
    write(tmp_path / "in", PAGES)
    released = run(tmp_path / "in", tmp_path / "released", STRICT)
    take(released, Selection.of(["0-0"]), tmp_path / "first")
    told = take(tmp_path / "first", Selection.of(["0-0", "0-1"]), tmp_path / "second")["takedown"][-1]
    assert (told["found"]["doc_id"], told["taken_down"]) == (1, 1)
    assert (tmp_path / "second/not_found/doc_id.txt").read_text() == "0-0\n"


def test_a_folder_that_a_user_made_stays(tmp_path: Path) -> None:
    write(tmp_path / "in", PAGES)
    released = run(tmp_path / "in", tmp_path / "released", STRICT)
    (tmp_path / "made").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "made")
    for output in (tmp_path / "made", tmp_path / "link"):
        with pytest.raises(UserError, match="nothing to take down"):
            take(released, Selection.of(["none"]), output)
        assert not list(output.iterdir())
    assert (tmp_path / "link").is_symlink()
