"""An output folder is for one run, and an interrupted one goes on only where nothing has changed."""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.engine import claim, driver
from curation.engine.claim import Claim, claim_folder, tidy
from curation.engine.driver import Watch, curate, finished_run
from curation.engine.planning import plan_job
from curation.filters.url import Url
from curation.job import Execution, Job
from curation.release.differences import differences
from curation.release.folder import WORK, Folder
from curation.release.ledger import Ledger
from curation.release.manifest import Manifest
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job
from schemas.errors import RunError, UserError
from tests.curation.test_laws import digest

CLAIM = Claim(gristmill="1", files={"a": [1, "x"], "b": [2, "y"]}, asked={"job": {"limit": None}})


def interrupted(folder: Folder, described: Claim = CLAIM) -> None:
    with claim_folder(folder, described) as earlier:
        assert not earlier
        folder.write_json("documents/a.json", {})


def test_an_interrupted_run_goes_on_with_the_same_claim(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path / "new"))
    interrupted(folder)
    half = tmp_path / "new" / "documents" / ".b.parquet.77.tmp"
    half.write_bytes(b"half")
    with claim_folder(folder, CLAIM) as earlier:
        assert earlier
        assert not half.exists()
        assert folder.exists("documents/a.json")
        folder.release()
    assert not folder.exists(WORK)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"asked": {"job": {"limit": 3}}}, "differs: job.limit was not set and is 3. Resume the run with the same job"),
        ({"files": {"a": [1, "z"], "b": [2, "y"]}}, "differs: input file a has changed."),
        ({"files": {"a": [1, "x"]}}, "differs: input file b is gone."),
        ({"files": {**CLAIM.files, "c": [1, ""]}}, "differs: input file c is new."),
        (
            {"files": {"a": [0, ""], "b": [0, ""], "c": [0, ""], "d": [0, ""]}},
            "differs: input file a has changed; input file b has changed; input file c is new; and 1 more.",
        ),
    ],
)
def test_another_claim_is_refused_with_what_changed(tmp_path: Path, other: dict[str, Any], told: str) -> None:
    folder = Folder(str(tmp_path / "new"))
    interrupted(folder)
    with pytest.raises(UserError) as refused, claim_folder(folder, replace(CLAIM, **other)):
        pass
    assert told in str(refused.value)
    assert folder.exists("documents/a.json")


def test_another_list_is_another_job(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text('{"text": "a", "url": "https://a.example/"}\n')
    listed, out = tmp_path / "hosts.txt", tmp_path / "out"

    def run() -> None:
        recipe = {"steps": [{"use": "url", "domains": [f"@{listed}"]}], "dedup": {}}
        curate(make_job([Input(glob=str(tmp_path / "in"))], recipe, []), str(out), Execution(workers=0))

    listed.write_text("a.example")
    with patch("curation.engine.driver.run_pipelines", side_effect=RunError("stopped")), pytest.raises(RunError):
        run()
    listed.write_text("b.example")
    with pytest.raises(UserError, match=r"differs: list or model \S+hosts\.txt has changed\. Resume"):
        run()
    listed.write_text("a.example\n\n# a comment changes nothing\n")
    run()
    assert json.loads((out / "manifest.json").read_text())["job"]["lists"].keys() == {str(listed)}


@pytest.mark.parametrize("workers", [0, 2])
def test_no_document_is_judged_by_a_list_that_changed_in_the_middle(tmp_path: Path, workers: int) -> None:
    listed, out = tmp_path / "hosts.txt", tmp_path / "out"
    (tmp_path / "in.jsonl").write_text('{"text": "a", "url": "https://a.example/"}\n')
    listed.write_text("a.example")
    recipe = {"steps": [{"use": "url", "domains": [f"@{listed}"]}], "dedup": {}}

    def run(watch: Watch | None = None) -> Ledger:
        asked = make_job([Input(glob=str(tmp_path / "in.jsonl"))], recipe, [])
        return curate(asked, str(out), Execution(workers=workers), watch)

    @contextmanager
    def another(*_: object) -> Iterator[None]:
        listed.write_text("b.example")
        Url(domains=(f"@{listed}",)).read_lists()
        yield

    said = ""
    try:
        ledger = run(another)
    except RunError as error:
        said = str(error)
        listed.write_text("a.example")
        ledger = run()
    assert workers or said, "only a process that was forked before the change has the list of the manifest"
    assert re.fullmatch(r"|the list or model \S+hosts\.txt has changed since the run began: restore it.*", said)
    assert ledger.total("rejected")[0] == 1


def test_what_changed_is_seen_in_long_lists_and_texts(tmp_path: Path) -> None:
    inputs = [{"glob": f"crawl-{number}/*.jsonl"} for number in range(30)]
    for other, told in (
        ([*inputs[:29], {"glob": "crawl-99/*.jsonl"}], r"inputs\[29\]\.glob was crawl-29/\*\.jsonl and is crawl-99/"),
        ([*inputs, {"glob": "a"}], r"inputs\[30\] is new"),
        ([{"glob": "x" * 99 + "y"}, *inputs[1:]], r"crawl-0/\*\.jsonl and is x+\.\.\."),
    ):
        assert re.search(told, next(differences({"inputs": inputs}, {"inputs": other})))
    [told] = differences({"path": "a/" * 99 + "1"}, {"path": "a/" * 99 + "2"})
    assert re.fullmatch(r"path was \.\.\.[a/]+/1 and is \.\.\.[a/]+/2", told)


def test_a_refusal_names_the_grown_input_and_not_its_units(tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    for size in (70 << 20, 90 << 20):
        with open(source, "wb") as stream:
            stream.truncate(size)
        asked = make_job([Input(glob=str(source))], "none", [])
        described = driver._claim(asked, plan_job(asked))
        if size == 70 << 20:
            interrupted(Folder(str(tmp_path / "out")), described)
    with pytest.raises(UserError, match=r"that differs: input file in\.txt has changed\. Resume"):
        interrupted(Folder(str(tmp_path / "out")), described)


def test_one_run_at_a_time(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path / "new"))
    with (
        claim_folder(folder, CLAIM),
        pytest.raises(UserError, match="is in use by another run"),
        claim_folder(folder, CLAIM),
    ):
        pass


def test_a_folder_that_holds_anything_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    notes = tmp_path / "other" / "notes.txt"
    notes.write_text("mine")
    for root, sentence in ((notes.parent, r"not empty \(1 entries\)"), (notes, "is a file")):
        with pytest.raises(UserError, match=sentence), claim_folder(Folder(str(root)), CLAIM):
            pass
    assert notes.read_text() == "mine"
    Folder(str(tmp_path / "done")).write_json("manifest.json", {})
    with pytest.raises(UserError, match="holds a finished run"), claim_folder(Folder(str(tmp_path / "done")), CLAIM):
        pass


def test_where_nothing_locks_a_run_goes_on_too() -> None:
    folder = Folder("memory://claimed")
    interrupted(folder)
    with claim_folder(folder, CLAIM) as earlier:
        assert earlier
        folder.release()


def job(source: Path, *changes: str) -> Job:
    return make_job([Input(glob=str(source))], "none", ["unit_bytes=600", *changes])


def ledger_of(manifest: Manifest | None) -> Ledger:
    assert manifest is not None
    return Ledger.of(manifest.ledger)


def test_a_finished_run_of_the_same_job_is_known(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "one two"}\n{"text": "three"}\n')
    out = tmp_path / "out"
    assert finished_run(job(source), str(out)) is None
    ledger = curate(job(source), str(out), Execution(workers=0))
    (out / WORK).mkdir()  # ended between its last two steps
    before = digest(out)
    assert ledger_of(finished_run(job(source), str(out))) == ledger
    assert digest(out) == before
    assert not (out / WORK).exists()
    assert finished_run(job(source, "near=false"), str(out)) is None
    source.write_text('{"text": "one two"}\n{"text": "threw"}\n')
    assert finished_run(job(source), str(out)) is None
    with pytest.raises(UserError, match="holds a finished run of another job"):
        curate(job(source), str(out), Execution(workers=0))


@pytest.mark.parametrize("changes", [["unit_bytes=8000"], ["unit_bytes=8000", "limit=7"]])
@pytest.mark.parametrize("rows", [{}, {"row_group_size": 100}])
def test_each_byte_that_was_read_is_compared(tmp_path: Path, changes: list[str], rows: dict[str, int]) -> None:
    texts = [f"{number} {number**7:x}" for number in range(3000)]
    source = tmp_path / "in"
    source.mkdir()
    if rows:
        pq.write_table(pa.table({"text": texts}), source / "in.parquet", compression="none", **rows)
    (source / "in.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    ledger = curate(job(source, *changes), str(tmp_path / "out"), Execution(workers=0))
    assert ledger_of(finished_run(job(source, *changes), str(tmp_path / "out"))) == ledger
    for path in source.iterdir():
        before = path.read_bytes()
        path.write_bytes(before.replace(b"2999 ", b"2998 "))
        assert len(changes) > 1 or finished_run(job(source, *changes), str(tmp_path / "out")) is None
        path.write_bytes(before)


def test_a_folder_that_a_takedown_wrote_is_of_another_job(tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out"
    source.write_text('{"text": "one two"}\n')
    curate(job(source), str(out), Execution(workers=0))
    manifest = json.loads((out / "manifest.json").read_text())
    takedown = {"of": "an earlier release", "selection": "", "asked": {}, "found": {}}
    takedown |= dict.fromkeys(("taken_down", "brought_back", "lost"), 0)
    (out / "manifest.json").write_text(json.dumps({**manifest, "takedown": [takedown]}))
    assert finished_run(job(source), str(out)) is None


def test_a_second_run_does_not_overwrite_the_first(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path / "new"))

    def finish(*_: object) -> object:
        folder.write_json("manifest.json", {})
        folder.release()
        (tmp_path / "new" / WORK).mkdir()
        return locking(*_)

    locking = claim._lock
    with (
        patch.object(claim, "_lock", finish),
        pytest.raises(UserError, match="holds a finished run"),
        claim_folder(folder, CLAIM),
    ):
        pass
    assert os.listdir(tmp_path / "new") == ["manifest.json"]


def test_what_is_left_in_progress_goes_only_when_nobody_is_at_it(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path / "new"))
    tidy(folder)
    with claim_folder(folder, CLAIM):
        tidy(folder)
        assert folder.exists(WORK)
    tidy(folder)
    assert not folder.exists(WORK)
    folder.release()


def test_an_input_of_the_same_size_that_was_written_again_is_noticed(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "one"}\n' + "{broken\n" * 300)
    with pytest.raises(RunError, match="above max_quarantined"):
        curate(job(source), str(tmp_path / "out"), Execution(workers=0))
    os.utime(source, ns=(time.time_ns(), source.stat().st_mtime_ns + 1))
    with pytest.raises(UserError, match=r"differs: input file in\.jsonl has changed\."):
        curate(job(source), str(tmp_path / "out"), Execution(workers=0))


def test_a_share_that_is_only_checked_at_the_end_may_be_raised(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "one"}\n' + "{broken\n" * 300)
    with pytest.raises(RunError, match="or raise the limit: --set max_quarantined="):
        curate(job(source), str(tmp_path / "out"), Execution(workers=0))
    ledger = curate(job(source, "max_quarantined=1"), str(tmp_path / "out"), Execution(workers=0))
    assert ledger.total("quarantined")[0] == 300
    curate(job(source, "max_quarantined=1"), str(tmp_path / "at once"), Execution(workers=0))
    assert digest(tmp_path / "out") == digest(tmp_path / "at once")
