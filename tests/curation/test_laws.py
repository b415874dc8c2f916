"""The laws of a run, over small corpora full of duplicates and broken records."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from curation.engine import dedup_stages as stages
from curation.engine.driver import curate
from curation.engine.planning import plan_job
from curation.engine.run import Run, written_name
from curation.engine.stages import Groups, judge, write
from curation.job import Execution
from curation.release.folder import Folder
from curation.release.ledger import Ledger
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job
from schemas import DOCUMENTS, QUARANTINE, REJECTS, SKETCHES
from schemas.manifest import MANIFEST

SENTENCES = [
    "The mill turns the grain of the village into flour that the bakers of the town will have with their bread.",
    "A river runs below the mill, and with its water the wheel is driven day and night to grind what is brought.",
    "People of the valley say that the miller and the baker have to be friends, or else the bread will be late.",
    "In winter the river freezes, and the mill stands still until the sun of the new year frees the wheel again.",
    "Every sack that comes in is weighed, counted and written into the book, and so is every sack that goes out.",
]
DOCUMENT = st.builds(
    lambda picks, extra: " ".join(SENTENCES[pick] for pick in picks) + extra,
    st.lists(st.integers(0, len(SENTENCES) - 1), max_size=6),
    st.sampled_from(["", "", " Truly so.", "\n\nlorem ipsum", " and more of it"]),
)
LINE = st.one_of(
    st.builds(
        lambda text, url: json.dumps({"text": text, "url": url}), DOCUMENT, st.sampled_from(["", "u/1", "u/2#x"])
    ),
    st.builds(lambda text: json.dumps({"text": text, "id": "same"}), DOCUMENT),
    st.sampled_from(["{broken", '{"text": null}', "[1]"]),
)
CORPUS = st.lists(st.lists(LINE, max_size=8), min_size=1, max_size=3)
PIECES = "pieces={unit = 'sentences', sentences = 1}"
CHANGES = st.lists(
    st.sampled_from(
        ["dedup.url=true", "keep.policy=longest", "dedup.exact=false", "near.ngram=2", "near=false", PIECES]
    ),
    max_size=3,
    unique=True,
)

SLOW = settings(max_examples=12, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def run(
    root: Path, corpus: list[list[str]], recipe: str, changes: list[str], name: str, **how: Any
) -> tuple[Path, Ledger]:
    """Writes the corpus (once) and runs a recipe over it, small units, no worker processes unless asked for."""
    source = root / "in"
    if not source.exists():
        source.mkdir()
        for number, lines in enumerate(corpus):
            (source / f"{number}.jsonl").write_text("".join(line + "\n" for line in ['{"text": "x"}', *lines]))
    if "near=false" in changes:
        changes = [change for change in changes if not change.startswith("near.")]
    job = make_job([Input(glob=str(source / "*.jsonl"))], recipe, ["unit_bytes=600", *changes])
    output = root / name
    return output, curate(job, str(output), Execution(**{"workers": 0, **how}))


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    files = sorted(folder.glob(f"{table}/**/*.parquet"))
    return ds.dataset(files).to_table().to_pylist() if files else []


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def place(row: dict[str, Any], prefix: str = "") -> tuple[str, int]:
    return row[f"{prefix}file"], row[f"{prefix}offset"]


@SLOW
@given(corpus=CORPUS, recipe=st.sampled_from(["none", "fineweb", "gopher"]), changes=CHANGES)
def test_every_record_is_accounted_for_once_and_every_removal_explained(
    tmp_path_factory: pytest.TempPathFactory, corpus: list[list[str]], recipe: str, changes: list[str]
) -> None:
    root = tmp_path_factory.mktemp("law")
    folder, ledger = run(root, corpus, recipe, changes, "out")
    kept, removed, broken = rows(folder, "documents"), rows(folder, "rejects"), rows(folder, "quarantine")
    lines = [1 + len(part) for part in corpus]
    assert len(kept) + len(removed) + len(broken) == sum(lines) == ledger.records
    assert ledger.total("kept")[0] == len(kept)
    places = [place(row) for row in [*kept, *removed, *broken]]
    assert len(set(places)) == len(places)
    alive = {place(row): row for row in kept}
    gone = {place(row): row for row in removed}
    for row in removed:
        assert row["failed"], row
        assert (row["stage"], row["reason"]) == (row["failed"][0]["stage"], row["failed"][0]["reason"])
        if row["stage"] not in ("url", "exact", "near"):
            assert row["survivor"] is None
            continue
        survivor = place(row, "survivor_")
        assert survivor in alive or gone[survivor]["stage"] == "pieces", "the survivor was kept, or nothing left of it"
        matched = alive.get(place(row, "matched_")) or gone[place(row, "matched_")]
        assert matched["doc_id"] == row["matched"]
        if row["stage"] == "exact":
            assert matched["text"] == row["text"]
            assert row["similarity"] == 1.0
        if row["stage"] == "url":
            assert matched["url"].partition("#")[0] == row["url"].partition("#")[0]
    assert not (folder / ".work").exists()
    for table in (DOCUMENTS, REJECTS, SKETCHES, QUARANTINE):
        for file in folder.glob(f"{table.name}/**/*.parquet"):
            for batch in pq.read_table(file).to_batches():
                table.check(batch)


@pytest.mark.soak
@SLOW
@given(corpus=CORPUS, changes=CHANGES)
def test_the_bytes_do_not_depend_on_partitions(
    tmp_path_factory: pytest.TempPathFactory, corpus: list[list[str]], changes: list[str]
) -> None:
    root = tmp_path_factory.mktemp("law")
    first, _ = run(root, corpus, "none", changes, "a", partitions=7)
    second, _ = run(root, corpus, "none", changes, "b", partitions=101)
    assert digest(first) == digest(second)


WAYS: dict[str, dict[str, Any]] = {
    "one": {"workers": 1},
    "two": {"workers": 2},
    "beam": {"beam_options": ("--runner=FnApiRunner",)},
    "processes": {"beam_options": ("--direct_running_mode=multi_processing", "--direct_num_workers=2")},
}


@pytest.mark.parametrize(
    "way", ["two", "beam", *(pytest.param(way, marks=pytest.mark.soak) for way in ("one", "processes"))]
)
@pytest.mark.parametrize("changes", [[], pytest.param(["near=false", PIECES], marks=pytest.mark.soak)])
def test_the_bytes_do_not_depend_on_workers_or_runners(tmp_path: Path, way: str, changes: list[str]) -> None:
    corpus = [
        [json.dumps({"text": f"Report {m % 3}. " + "\n".join(SENTENCES[:n])}) for n in (3, 4, 5) for m in range(6)]
    ] * 4
    here, _ = run(tmp_path, corpus, "fineweb", changes, "none", workers=0)
    there, _ = run(tmp_path, corpus, "fineweb", changes, way, **WAYS[way])
    assert rows(here, "documents")
    assert rows(here, "rejects/duplicates")
    assert bool(rows(here, "cuts")) == bool(changes)
    assert digest(there) == digest(here)


class Stale(Folder):
    """Looked at before another try of the same work ended: whoever asks through it sees no report of a written unit."""

    asked = 0

    def exists(self, name: str) -> bool:
        if name == written_name(0):
            object.__setattr__(self, "asked", self.asked + 1)
            return self.asked > 1 and super().exists(name)
        return super().exists(name)


def test_a_unit_that_another_try_has_written_in_the_meantime_is_no_failure(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "one two three"}\n')
    job = make_job([Input(glob=str(source))], "none", ["dedup.exact=false", "near=false"])
    (unit,) = plan_job(job).units
    stale = Run(job, Stale(str(tmp_path / "out")), 1, 1)
    judge(stale, unit, Groups([]))
    write(replace(stale, folder=Folder(stale.folder.root)), 0, Groups([]))
    before = digest(tmp_path / "out")
    write(stale, 0, Groups([]))
    assert digest(tmp_path / "out") == before
    (tmp_path / "out" / written_name(0)).unlink()
    with pytest.raises(FileNotFoundError):
        write(replace(stale, folder=Folder(stale.folder.root)), 0, Groups([]))


def test_the_manifest_is_true_of_every_file(tmp_path: Path) -> None:
    folder, _ = run(tmp_path, [[json.dumps({"text": "one two three " * 30})]], "none", [], "out")
    manifest = json.loads((folder / MANIFEST).read_text())
    found = digest(folder)
    del found[MANIFEST], found["README.md"]
    assert {name: entry["sha256"] for name, entry in manifest["outputs"].items()} == found
    (entry,) = manifest["inputs"]
    assert entry["sha256"] == hashlib.sha256((tmp_path / "in" / "0.jsonl").read_bytes()).hexdigest()


@pytest.mark.soak
@SLOW
@given(corpus=CORPUS, changes=CHANGES, partitions=st.integers(1, 5))
def test_links_too_many_for_one_process_give_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, corpus: list[list[str]], changes: list[str], partitions: int
) -> None:
    root = tmp_path_factory.mktemp("stars")
    whole, _ = run(root, corpus, "none", changes, "whole")
    by_stars, _ = run(root, corpus, "none", changes, "stars", links=1, partitions=partitions)
    assert digest(whole) == digest(by_stars)


@pytest.mark.soak
def test_rounds_over_the_links_go_on_after_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [f"word{number}" for number in range(200)]
    chain = [json.dumps({"text": " ".join(words[start : start + 60])}) for start in range(0, 120, 3)]
    corpus = [chain[0::3], chain[1::3], chain[2::3]]
    strict = ["near.bands=40", "near.rows=3", "near.min_similarity=0.8", "near.survivor=0"]
    whole, _ = run(tmp_path, corpus, "none", strict, "whole")
    assert len(rows(whole, "documents")) == 2, "the chain is one component"
    rounds: list[str] = []

    def interrupted(of: Run, partition: int, round_: int, *rest: Any) -> None:
        rounds.append(of.star_name(round_, partition))
        if round_ == 2 and partition == 1 and len(rounds) < 20:
            raise RuntimeError("killed")
        keep(of, partition, round_, *rest)

    keep = stages.write_small_stars
    monkeypatch.setattr(stages, "write_small_stars", interrupted)
    with pytest.raises(RuntimeError, match="killed"):
        run(tmp_path, corpus, "none", strict, "stars", links=1, partitions=3)
    before = list(rounds)
    rounds += [""] * 20
    stars, _ = run(tmp_path, corpus, "none", strict, "stars", links=1, partitions=3)
    assert digest(whole) == digest(stars)
    done = set(before[:-1]) & set(rounds[len(before) :])
    assert not done, "a finished round is not done again"
    parallel, _ = run(tmp_path, corpus, "none", strict, "parallel", links=1, partitions=3, workers=2)
    assert digest(whole) == digest(parallel)
