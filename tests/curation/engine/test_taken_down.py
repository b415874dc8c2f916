"""What was taken down is gone for good: it is in no byte of the new folder, nor of a later crawl compared with that."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from curation.engine.driver import curate
from curation.engine.selection import Selection
from curation.job import Execution
from curation.release.folder import Folder
from curation.release.opening import open_release
from curation.sources.inputs import Input
from jobs.api import explain
from jobs.corpus.job_file import make_job
from jobs.verification.folder import faults, read_expected, sizes_of
from schemas.progress import ignore_progress
from tests.curation.engine.test_takedown import hash_of, take, text
from tests.curation.test_laws import digest, rows
from tests.jobs.calling import GRAIN

SECRET = f"{GRAIN}\nThe name of the miller is Ann of the upper mill."
MAIL = "\nWrite to ann@mill.example for more of the flour of this mill."
RECIPE: dict[str, Any] = {
    "steps": [
        {"use": "url", "domains": ["bad.example"]},
        {"use": "language", "languages": ["en"], "min_score": 0.5},
        {"use": "gopher_quality"},
        {"use": "redact"},
    ]
}
NEAR = {"bands": 40, "rows": 3, "min_similarity": 0.8}
SOFT: dict[str, Any] = {"steps": [{"use": "redact"}], "dedup": {"near": NEAR}}
OTHER = "Of this nobody has said anything, and so it is kept in the corpus of this crawl, whatever else went. " * 3


def write(source: Path, *documents: dict[str, Any] | str) -> None:
    source.mkdir()
    lines = [each if isinstance(each, str) else json.dumps(each) for each in documents]
    (source / "a.jsonl").write_text("".join(line + "\n" for line in lines))


def run(source: Path, output: Path, recipe: Any, against: Any = ()) -> Path:
    table = {"against": [str(each) for each in against]}
    job = make_job([Input(glob=str(source / "*.jsonl"))], recipe, ["unit_bytes=2000"], table)
    curate(job, str(output), Execution(workers=0, partitions=3))
    return output


def document(name: str, text: str, url: str | None = None) -> dict[str, Any]:
    return {"id": name, "text": text, "url": url}


def said(folder: Path) -> str:
    """All that the files of a folder say, every column of every table decoded."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".parquet":
            found += [str(part) for column in pq.read_table(path).columns for part in parts(column.to_pylist())]
            found.append(str(pq.read_schema(path)))
            found.append(str(pq.read_metadata(path).to_dict()))
        elif path.is_file():
            found.append(path.read_text())
    return "\n".join(found)


def parts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from parts(each)
    elif isinstance(value, dict):
        yield from parts(list(value.values()))
    elif isinstance(value, bytes):
        yield value.decode(errors="replace")
        yield value.decode("utf-16-le", errors="replace")
    else:
        yield str(value)


def test_no_byte_of_the_new_folder_holds_a_taken_down_text(tmp_path: Path) -> None:
    shown = "Ann of the upper mill"
    write(
        tmp_path / "in",
        document("named", SECRET, "http://mill.example/1"),
        document("copy", SECRET, "http://else.example/2"),
        document("copy that the url rule removed", SECRET, "http://bad.example/3"),
        document("copy before it is normalised", SECRET.replace("\n", "\r\n") + "\ufeff"),
        document("other", OTHER),
        document("short", "Flour."),
        document("short, removed by its url too", "Flour.", "http://bad.example/4"),
        '{"id": "broken", "text": ' + json.dumps(SECRET)[:-1],
    )
    released = run(tmp_path / "in", tmp_path / "released", RECIPE)
    assert said(released).count(shown) >= 5, "documents, a duplicate, two rejects and the quarantine hold it"
    before = rows(released, "quarantine")
    found = take(released, Selection.of(["named"]), tmp_path / "new")
    assert shown not in said(tmp_path / "new")
    assert "nobody" in said(tmp_path / "new")
    told = found["takedown"][-1]
    assert (told["taken_down"], told["same_text"], told["brought_back"]) == (4, 3, 0)
    down = {
        row["doc_id"]: row["reason"] for row in rows(tmp_path / "new", "rejects/filters") if row["stage"] == "takedown"
    }
    assert down.pop("named") == "doc_id"
    assert set(down.values()) == {"same_text"}
    assert {row["doc_id"] for row in rows(tmp_path / "new", "documents")} == {"other"}
    after = rows(tmp_path / "new", "quarantine")
    held_back = {"record": b"", "message": "of a record that could not be read nothing is kept after a takedown"}
    assert [{**row, **held_back} for row in before] == after, "the place, the kind of error and the size stay"
    assert not rows_wrong(tmp_path / "new")
    second = take(tmp_path / "new", Selection.of(["short"]), tmp_path / "second")
    assert second["takedown"][-1]["same_text"] == 1, "the copy that is removed by its url is one of a text that fails"
    assert "Flour." not in said(tmp_path / "second")


def rows_wrong(folder: Path) -> list[str]:
    it = Folder(str(folder))
    return [fault.name for fault in faults(it, read_expected(it), sizes_of(it), ignore_progress)]


def test_a_copy_is_known_by_the_text_that_the_recipe_keeps(tmp_path: Path) -> None:
    write(
        tmp_path / "in",
        document("kept", SECRET + MAIL),
        document("by its url", SECRET + MAIL, "http://bad.example/"),
        document("other", GRAIN),
    )
    for number, named in enumerate(("kept", "by its url")):
        released = run(tmp_path / "in", tmp_path / f"released{number}", RECIPE)
        assert "ann@mill.example" in said(released), "what the url rule removed stands there as it was read"
        take(released, Selection.of([named]), tmp_path / f"new{number}")
        for shown in ("ann@mill.example", "upper mill"):
            assert shown not in said(tmp_path / f"new{number}")
    assert hashes(tmp_path / "new0") == hashes(tmp_path / "new1")


def hashes(folder: Path) -> list[bytes]:
    return [row["content_hash"] for row in rows(folder, "taken_down")]


def test_what_rewriting_makes_alike_is_no_copy(tmp_path: Path) -> None:
    lines = {"steps": [{"use": "c4_lines"}, {"use": "gopher_quality"}]}
    write(
        tmp_path / "in",
        document("one", "Ann lives here\nShare this page with friends."),
        document("two", "Bob lives there\nShare this page with friends."),
        document("empty", "Ann\nlives"),
        document("also empty", "Bob\nlives"),
    )
    released = run(tmp_path / "in", tmp_path / "released", lines)
    found = take(released, Selection.of(["one", "empty"]), tmp_path / "new")
    assert found["takedown"][-1]["taken_down"] == 2
    assert "Bob lives there" in said(tmp_path / "new")
    assert "Ann" not in said(tmp_path / "new")


def test_a_later_crawl_takes_no_copy_in(tmp_path: Path) -> None:
    write(tmp_path / "in", document("a", SECRET), document("b", text(100)))
    write(
        tmp_path / "crawl",
        document("copy", SECRET, "http://new.example/1"),
        document("again", "\ufeff" + SECRET, "http://new.example/2"),
        document("new", OTHER),
    )
    released = run(tmp_path / "in", tmp_path / "released", SOFT)
    found = take(released, Selection.of(["a"]), tmp_path / "less")
    assert "taken_down/00000.parquet" in found["outputs"]
    later = run(tmp_path / "crawl", tmp_path / "later", SOFT, [tmp_path / "less"])
    assert [row["doc_id"] for row in rows(later, "documents")] == ["new"]
    removed = rows(later, "rejects/filters")
    assert [(row["stage"], row["reason"], row["text"], row["url"]) for row in removed] == [
        ("takedown", "same_text", None, None)
    ] * 2
    assert "upper mill" not in said(later)
    ledger = json.loads((later / "manifest.json").read_text())["ledger"]
    (entry,) = ledger["rejected"]
    assert (entry["stage"], entry["reason"], entry["documents"]) == ("takedown", "same_text", 2)
    (line,) = explain(later, "copy")
    assert "was kept out, because its text is that of a document that was taken down" in line
    assert {row["doc_id"] for row in rows(later, "sketches")} == {"new"}
    assert {row["doc_id"] for row in rows(later, "signals")} == {"new"}
    assert not rows_wrong(later)
    twice = take(tmp_path / "less", Selection.of(["b"]), tmp_path / "least")
    assert len(hashes(tmp_path / "least")) == 2
    assert [told["taken_down"] for told in twice["takedown"]] == [1, 1]
    assert not rows(run(tmp_path / "in", tmp_path / "last", SOFT, [tmp_path / "least"]), "documents")


def test_near_duplicates_are_listed_or_taken_down_too(tmp_path: Path) -> None:
    write(
        tmp_path / "in",
        document("0", text(0), "http://mill.example/0"),
        document("4", text(4)),
        document("8", text(8)),
        document("4 again", text(4)),
        document("far", text(100)),
        document("short", "too short"),
    )
    released = run(tmp_path / "in", tmp_path / "released", SOFT)
    found = take(released, Selection.of(["0"]), tmp_path / "listed")
    assert found["takedown"][-1]["near_left"] == 2
    listed = [json.loads(line) for line in (tmp_path / "listed/near.jsonl").read_text().splitlines()]
    assert [(each["doc_id"], each["like"], each["kept"]) for each in listed] == [
        ("4", "0", True),
        ("4 again", "0", False),
    ]
    assert all(0.8 <= each["similarity"] < 1 for each in listed)
    assert not rows_wrong(tmp_path / "listed")
    (tmp_path / "listed/near.jsonl").write_text("")
    assert rows_wrong(tmp_path / "listed") == ["near.jsonl"]
    found = take(released, Selection.of(["0"], near=True), tmp_path / "taken")
    told = found["takedown"][-1]
    assert (told["taken_down"], told["same_text"], told["near"], told["near_left"]) == (3, 0, 2, 0)
    assert {row["doc_id"] for row in rows(tmp_path / "taken", "documents")} == {"8", "far", "short"}
    assert not (tmp_path / "taken/near.jsonl").exists()
    assert hashes(tmp_path / "taken") == sorted([hash_of(text(0)), hash_of(text(4))])
    (line,) = explain(tmp_path / "taken", "4")
    assert "was taken down, because it is a near-duplicate of a document that was taken down" in line


def test_near_duplicates_equal_a_comparison_of_all_pairs(tmp_path: Path) -> None:
    starts = [start + 3 * (start % 5) for start in range(0, 230, 3)]
    write(tmp_path / "in", *(document(f"{number}", text(start)) for number, start in enumerate(starts)))
    released = run(tmp_path / "in", tmp_path / "released", SOFT)
    selected = {"3", "20", "21", "40", "70"}
    take(released, Selection.of(list(selected)), tmp_path / "new")
    sketches = {row["doc_id"]: row for row in rows(released, "sketches")}
    signatures = {name: np.frombuffer(row["signature"], "<u4") for name, row in sketches.items()}
    gone = {sketches[name]["content_hash"] for name in selected}
    expected = {}
    for name, own in signatures.items():
        bands = ((own == signatures[other]).reshape(40, 3) for other in selected)
        most = max([float(each.mean()) for each in bands if each.all(axis=1).any()], default=0.0)
        if most >= 0.8 and sketches[name]["content_hash"] not in gone:
            expected[name] = round(most, 4)
    listed = [json.loads(line) for line in (tmp_path / "new/near.jsonl").read_text().splitlines()]
    assert {each["doc_id"]: each["similarity"] for each in listed} == expected
    assert len(expected) > 5


def test_an_interrupted_search_for_near_duplicates_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "in", document("0", text(0)), document("4", text(4)), document("far", text(100)))
    released = run(tmp_path / "in", tmp_path / "released", SOFT)
    take(released, Selection.of(["0"], near=True), tmp_path / "alone")
    for step in ("select", "find_near"):
        with monkeypatch.context() as patched:
            patched.setattr(f"curation.engine.selecting_pass.{step}", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                take(released, Selection.of(["0"], near=True), tmp_path / step)
        take(released, Selection.of(["0"], near=True), tmp_path / step)
        assert digest(tmp_path / step) == digest(tmp_path / "alone")


def test_the_list_of_near_duplicates_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curation.engine.takedown_lists.LISTED", 3)
    monkeypatch.setattr("curation.engine.selecting_pass.COMPARED_AT_ONCE", 1)
    near = [document(f"{number}", text(number)) for number in range(1, 5)]
    write(tmp_path / "in", document("gone", text(0)), document("gone, too", text(200)), *near)
    released = run(tmp_path / "in", tmp_path / "released", SOFT)
    found = take(released, Selection.of(["gone", "gone, too"]), tmp_path / "new")
    assert found["takedown"][-1]["near_left"] == 4
    assert len((tmp_path / "new/near.jsonl").read_text().splitlines()) == 3


def test_a_release_of_an_earlier_version_stands_as_before(tmp_path: Path) -> None:
    """Without the table of hashes nothing is known of what was taken down."""
    write(tmp_path / "in", document("a", SECRET), document("b", text(100)))
    released = run(tmp_path / "in", tmp_path / "released", SOFT)
    take(released, Selection.of(["a"]), tmp_path / "less")
    manifest = json.loads((tmp_path / "less/manifest.json").read_text())
    del manifest["outputs"]["taken_down/00000.parquet"], manifest["lists"], manifest["schemas"]["taken_down"]
    for name in ("same_text", "near", "near_left"):
        del manifest["takedown"][0][name]
    (tmp_path / "less/manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "less/taken_down/00000.parquet").unlink()
    assert open_release(str(tmp_path / "less"))[0].units == 1
    later = run(tmp_path / "in", tmp_path / "later", SOFT, [tmp_path / "less"])
    assert [row["doc_id"] for row in rows(later, "documents")] == ["a"]
    assert not rows_wrong(tmp_path / "less")
