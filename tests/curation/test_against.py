"""The laws of a run that is held against earlier releases."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from curation.engine.driver import curate
from curation.engine.planning import plan_job
from curation.job import Execution
from curation.release.opening import open_release
from curation.sources.inputs import Input
from jobs.api import explain
from jobs.corpus.job_file import make_job
from schemas import REJECTS, SUPERSEDED
from schemas.errors import UserError
from tests.curation.test_laws import LINE, digest, rows

BRIEF = settings(max_examples=5, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
LONG = settings(BRIEF, max_examples=20)
CRAWL = st.lists(st.lists(LINE, max_size=6), min_size=1, max_size=2)
FIRST = st.lists(st.sampled_from(["dedup.url=true", "dedup.exact=false", "near.ngram=2"]), max_size=3, unique=True)
OTHER = st.sampled_from(["keep.policy=longest", "keep.policy=newest"])


def write(root: Path, crawl: str, files: list[list[str]]) -> None:
    source = root / "in"
    source.mkdir(exist_ok=True)
    for number, lines in enumerate(files):
        (source / f"{crawl}{number}.jsonl").write_text("".join(line + "\n" for line in lines))


def run(root: Path, crawls: str, name: str, changes: Any = (), against: Any = (), **how: Any) -> Path:
    """Curates the crawls (letters) into a folder."""
    inputs = [Input(glob=str(root / "in" / f"[{crawls}]*.jsonl"))]
    folders = {"against": [str(root / each) for each in against]}
    job = make_job(inputs, "none", ["unit_bytes=600", "allow_unreadable=true", *changes], folders)
    curate(job, str(root / name), Execution(**{"workers": 0, "partitions": 3, **how}))
    return root / name


def places(found: list[dict[str, Any]], prefix: str = "") -> set[tuple[str, int]]:
    return {(row[f"{prefix}file"], row[f"{prefix}offset"]) for row in found}


def together(folder: Path) -> dict[tuple[str, int], tuple[str, int]]:
    """The survivor of each document that reached deduplication."""
    found = {(row["file"], row["offset"]): (row["file"], row["offset"]) for row in rows(folder, "documents")}
    for row in rows(folder, "rejects/duplicates"):
        found[row["file"], row["offset"]] = (row["survivor_file"], row["survivor_offset"])
    return found


@BRIEF
@given(old=CRAWL, new=CRAWL, changes=FIRST)
def test_with_the_releases_listed_first_it_is_one_run_over_both(
    tmp_path_factory: pytest.TempPathFactory, old: list[list[str]], new: list[list[str]], changes: list[str]
) -> None:
    root = tmp_path_factory.mktemp("against")
    write(root, "a", old)
    write(root, "b", new)
    released, both = run(root, "a", "released", changes), run(root, "ab", "both", changes)
    found = run(root, "b", "found", changes, ["released"])
    kept, listed = places(rows(both, "documents")), places(rows(found, "superseded"))
    assert places(rows(found, "documents")) == {place for place in kept if place[0].startswith("b")}
    assert places(rows(released, "documents")) - listed == {place for place in kept if place[0].startswith("a")}
    assert listed <= places(rows(released, "documents"))
    survivors = together(both)
    for row in rows(found, "rejects/duplicates"):
        assert (row["survivor_file"], row["survivor_offset"]) == survivors[row["file"], row["offset"]]
        assert (row["survivor_release"] is not None) == row["survivor_file"].startswith("a")
        assert (row["matched_release"] is not None) == row["matched_file"].startswith("a")


@pytest.mark.soak
@LONG
@given(old=CRAWL, new=CRAWL, changes=FIRST, policy=OTHER)
def test_nothing_is_kept_that_one_run_removes_for_a_released_document(
    tmp_path_factory: pytest.TempPathFactory,
    old: list[list[str]],
    new: list[list[str]],
    changes: list[str],
    policy: str,
) -> None:
    root = tmp_path_factory.mktemp("against")
    write(root, "a", old)
    write(root, "b", new)
    changes = [*changes, policy, *GROUPED]
    released, both = run(root, "a", "released", changes), run(root, "ab", "both", changes)
    found = run(root, "b", "found", changes, ["released"])
    survivors = together(both)
    with_released = {survivor for place, survivor in survivors.items() if place[0].startswith("a")}
    kept = places(rows(found, "documents"))
    assert not {place for place in kept if survivors[place] in with_released}
    left = places(rows(released, "documents")) - places(rows(found, "superseded"))
    assert len({survivors[place] for place in left}) == len(left)
    assert not places(rows(found, "rejects/duplicates"), "survivor_") - left - kept


def lines(*documents: tuple[str, str] | str) -> list[str]:
    """A text, or (text, url), a line."""
    pairs = [each if isinstance(each, tuple) else (each, None) for each in documents]
    return [json.dumps({"text": text, "url": url}) for text, url in pairs]


WORDS = [f"word{number}" for number in range(200)]


def text(start: int, count: int = 60) -> str:
    """Two of these whose starts are four apart are near-duplicates, those eight apart are not (at 0.8)."""
    return " ".join(WORDS[start : start + count])


STRICT = ["near.bands=40", "near.rows=3", "near.min_similarity=0.8"]
GROUPED = ["near.verify=signature", "near.survivor=0"]
"""Of each connected group one document stays, as in versions before ``near.survivor``."""


def test_a_new_document_that_connects_two_released_ones_is_reported(tmp_path: Path) -> None:
    write(tmp_path, "a", [lines(text(0), text(8))])
    write(tmp_path, "b", [lines(text(4), text(100))])
    released = run(tmp_path, "a", "released", [*STRICT, *GROUPED])
    assert len(rows(released, "documents")) == 2, "the two are no duplicates of one another"
    found = run(tmp_path, "b", "found", [*STRICT, *GROUPED], ["released"])
    assert [row["offset"] for row in rows(found, "documents")] != [0]
    assert [row["text"] for row in rows(found, "documents")] == [text(100)]
    (superseded,) = rows(found, "superseded")
    name = open_release(str(released))[0].name
    assert (superseded["release"], superseded["survivor_release"], superseded["matched_release"]) == (name, name, None)
    assert (superseded["survivor_offset"], superseded["matched_file"]) == (0, "b0.jsonl")
    assert superseded["offset"] > 0
    assert superseded["similarity"] >= 0.8 > superseded["survivor_similarity"]
    (told, *_) = explain(found, superseded["doc_id"])
    assert f"in release {name}) is superseded, by near" in told
    manifest = json.loads((found / "manifest.json").read_text())
    assert manifest["against"] == [{"release": name, "removed_for": 1, "superseded": 1}]
    (listed,) = [name for name in manifest["outputs"] if name.startswith("superseded")]
    assert manifest["outputs"][listed]["sha256"] == digest(found)[listed]
    write(tmp_path, "c", [lines(text(6))])
    later = run(tmp_path, "c", "later", [*STRICT, *GROUPED], ["found", "released"])
    assert not rows(later, "superseded"), "what is known is not told again"
    assert not rows(later, "documents")


def test_the_connecting_document_is_named_and_no_known_copy(tmp_path: Path) -> None:
    write(tmp_path, "a", [lines(text(0), text(8), text(8))])
    write(tmp_path, "b", [lines(text(4))])
    run(tmp_path, "a", "released", [*STRICT, *GROUPED])
    (superseded,) = rows(run(tmp_path, "b", "found", [*STRICT, *GROUPED], ["released"]), "superseded")
    assert (superseded["stage"], superseded["matched_file"]) == ("near", "b0.jsonl")


def test_a_chain_holds_over_a_document_that_was_removed(tmp_path: Path) -> None:
    write(tmp_path, "a", [lines(text(0), text(4))])
    write(tmp_path, "b", [lines(text(8))])
    released = run(tmp_path, "a", "released", STRICT)
    assert len(rows(released, "documents")) == 1
    found = run(tmp_path, "b", "found", STRICT, ["released"])
    (removed,) = rows(found, "rejects/duplicates")
    assert (removed["survivor_offset"], removed["matched_offset"] > 0) == (0, True)
    assert not rows(found, "documents")
    assert not rows(found, "superseded")


def test_a_new_version_of_a_page_does_not_take_others_with_it(tmp_path: Path) -> None:
    """As in one run: a duplicate by url takes no part in what follows, so a copy of its text elsewhere is new."""
    write(tmp_path, "a", [lines((text(0), "http://mill.example/a"))])
    write(tmp_path, "b", [lines((text(100), "http://mill.example/a"), (text(100), "http://else.example/b"))])
    run(tmp_path, "a", "released", ["dedup.url=true"])
    found = run(tmp_path, "b", "found", ["dedup.url=true"], ["released"])
    assert [row["url"] for row in rows(found, "documents")] == ["http://else.example/b"]


@pytest.mark.soak
@LONG
@given(crawls=st.lists(CRAWL, min_size=3, max_size=3), changes=FIRST)
def test_a_series_of_releases_is_one_run_over_all(
    tmp_path_factory: pytest.TempPathFactory, crawls: list[list[list[str]]], changes: list[str]
) -> None:
    root = tmp_path_factory.mktemp("series")
    for letter, crawl in zip("abc", crawls, strict=True):
        write(root, letter, crawl)
    run(root, "a", "one", changes)
    run(root, "b", "two", changes, ["one"])
    three = run(root, "c", "three", changes, ["one", "two"])
    turned = run(root, "c", "turned", changes, ["two", "one"], partitions=1, workers=0)
    assert digest(three) == digest(turned)
    kept = places(rows(run(root, "abc", "all", changes), "documents"))
    listed = places(rows(root / "two", "superseded")) | places(rows(three, "superseded"))
    found = [rows(root / name, "documents") for name in ("one", "two", "three")]
    assert set.union(*map(places, found)) - listed == kept
    for row in rows(three, "superseded"):
        SUPERSEDED.check(SUPERSEDED.batch({name: [value] for name, value in row.items()}, 1))


def test_only_sketches_and_places_of_a_release_are_read(tmp_path: Path) -> None:
    write(tmp_path, "a", [lines(text(0), text(4), text(0))])
    write(tmp_path, "b", [lines(text(8), text(100))])
    released = run(tmp_path, "a", "released", [*STRICT, *GROUPED])
    whole = digest(run(tmp_path, "b", "whole", [*STRICT, *GROUPED], ["released"]))
    shutil.rmtree(released / "documents")
    shutil.rmtree(released / "rejects/filters")
    shutil.rmtree(released / "signals", ignore_errors=True)
    shutil.rmtree(tmp_path / "whole")
    assert digest(run(tmp_path, "b", "whole", [*STRICT, *GROUPED], ["released"], partitions=1)) == whole


@pytest.mark.soak
def test_the_same_crawl_again_leaves_nothing_and_worker_processes_change_nothing(tmp_path: Path) -> None:
    write(tmp_path, "a", [lines(*(text(start) for start in range(0, 45, 3))) for _ in range(3)])
    write(tmp_path, "b", [lines(text(2), text(130))])
    run(tmp_path, "a", "released", STRICT)
    again = run(tmp_path, "a", "again", STRICT, ["released"])
    assert not rows(again, "documents")
    assert not rows(again, "superseded")
    kept = run(tmp_path, "b", "found", STRICT, ["released"], workers=2, partitions=7)
    assert len(rows(kept, "documents")) == 1
    assert digest(kept) == digest(run(tmp_path, "b", "alone", STRICT, ["released"], workers=0, partitions=1))


def test_nothing_new_and_nothing_released(tmp_path: Path) -> None:
    write(tmp_path, "a", [[]])
    write(tmp_path, "b", [lines(text(0))])
    run(tmp_path, "a", "empty", STRICT)
    assert len(rows(run(tmp_path, "b", "found", STRICT, ["empty"]), "documents")) == 1
    assert not rows(run(tmp_path, "a", "none", STRICT, ["found", "empty"]), "documents")


def test_releases_that_cannot_be_compared_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "a", [lines(text(0))])
    write(tmp_path, "b", [lines(text(100))])
    run(tmp_path, "a", "one", STRICT)
    run(tmp_path, "b", "two", STRICT, ["one"])
    refused = {
        "a": (
            ["near.bands=20", "near.rows=3", "near.min_similarity=0.8"],
            ["one"],
            "dedup.near.bands was 40 and is 20",
        ),
        "b": (STRICT, ["one", "one"], "holds the same release as"),
        "c": (STRICT, ["two"], "add --against with the folder of that release"),
        "d": (STRICT, ["in"], "holds no finished run"),
        "e": (["dedup.exact=false", "near=false"], ["one"], "removes no duplicates: switch dedup.url"),
    }
    for name, (changes, against, told) in refused.items():
        with pytest.raises(UserError, match=told):
            run(tmp_path, "b", f"refused-{name}", changes, against)
        assert not (tmp_path / f"refused-{name}").exists()
    assert REJECTS.version == 2


REWRITTEN = {
    "as it is": [],
    "redacted": [{"use": "redact"}],
    "other": [{"use": "redact", "email": "me@mill.example"}],
    "turned": [{"use": "redact"}, {"use": "c4_lines"}],
    "twice": [{"use": "c4_lines"}, {"use": "redact"}],
}


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ("redacted", "as it is", "this run's: redact was .* and is gone. Use the release's settings"),
        ("as it is", "redacted", "this run's: redact is new. Use"),
        ("redacted", "other", "redact.email was .* and is me@mill.example. Use"),
        ("turned", "twice", "c4_lines.place was 2 and is 1; redact.place was 1 and is 2. Use"),
    ],
)
def test_texts_that_were_rewritten_otherwise_are_not_compared(tmp_path: Path, before: str, now: str, told: str) -> None:
    write(tmp_path, "a", [lines(text(0))])
    inputs = [Input(glob=str(tmp_path / "in/*.jsonl"))]
    curate(make_job(inputs, {"steps": REWRITTEN[before]}, []), str(tmp_path / "one"), Execution(workers=0))
    for steps, refused in ((REWRITTEN[before], None), (REWRITTEN[now], told)):
        job = make_job(inputs, {"steps": steps}, [], {"against": [str(tmp_path / "one")]})
        if refused is None:
            plan_job(job)
            continue
        with pytest.raises(UserError, match=refused):
            plan_job(job)


@pytest.mark.parametrize("name", ["sketches/00000.parquet", "rejects/duplicates/00000.parquet"])
def test_a_damaged_release_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    write(tmp_path, "a", [lines(text(0), text(100))])
    shard = run(tmp_path, "a", "one", STRICT) / name
    pq.write_table(pq.read_table(shard).slice(0, 1), shard)
    with pytest.raises(
        UserError, match=rf"{name} has [\d,]+ bytes, the manifest says [\d,]+: restore the original folder"
    ):
        run(tmp_path, "a", "again", STRICT, ["one"])
    shard.unlink()
    with pytest.raises(UserError, match=f"{name} is missing: restore the original folder"):
        run(tmp_path, "a", "again", STRICT, ["one"])
    shutil.rmtree(shard.parent)
    with pytest.raises(UserError, match=f"{name} is missing: restore the original folder"):
        run(tmp_path, "a", "again", STRICT, ["one"])
    assert not (tmp_path / "again").exists()


def test_an_interrupted_run_goes_on_with_the_same_releases_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a", [lines(text(0), text(8))])
    write(tmp_path, "b", [lines(text(4), text(100))])
    write(tmp_path, "c", [lines(text(130))])
    run(tmp_path, "a", "one", STRICT)
    run(tmp_path, "c", "other", STRICT)
    whole = digest(run(tmp_path, "b", "whole", STRICT, ["one"]))

    def interrupted(*_: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr("curation.engine.stages.write_superseded", interrupted)
        with pytest.raises(RuntimeError, match="killed"):
            run(tmp_path, "b", "found", STRICT, ["one"])
    with pytest.raises(UserError, match=r"an interrupted run that differs: against\[[01]\] "):
        run(tmp_path, "b", "found", STRICT, ["one", "other"])
    assert digest(run(tmp_path, "b", "found", STRICT, ["one"])) == whole
