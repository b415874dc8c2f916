"""Folders that earlier versions wrote (tests/stored) are read as before, by every command that takes such a folder."""

import csv
import json
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from annotation.dataset.master import load
from annotation.evaluation.sources import read_sources
from curation.release.lookup import Lookup
from jobs import api
from jobs.corpus.look_pages import Pages
from jobs.corpus.look_tables import CorpusTables
from schemas import open_packed
from schemas.torch_reader import SequenceDataset
from tests.annotation.evaluation.endpoint import MODEL
from tests.architecture.tree import ROOT
from tests.curation.test_laws import rows
from tests.jobs.calling import call
from tests.stored.write_verdicts import REPORT

VERDICTS = "verdicts_1.tar.xz"
PADDED = "padded_2.tar.xz"
STORED = sorted(
    {path.name for path in (ROOT / "tests/stored").glob("*.tar.xz")} - {"journal_2.tar.xz", VERDICTS, PADDED}
)
OLDEST = "without_page_checksums.tar.xz"
"""Of before takedowns kept hashes of what they took, and before `tests/stored/write.py` wrote all kinds of folders."""
COMPLETE = [name for name in STORED if name != OLDEST]
THEN = ("--set", "near.verify=signature", "--set", "near.survivor=0")
"""The rules for near-duplicates of version 0.1.0."""
OWN = ("--workers", "0", "--progress", "none")

Gristmill = Callable[..., str]


@pytest.fixture(params=STORED)
def stored(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What one version wrote, in the current folder."""
    return unpacked(request.param, tmp_path, monkeypatch)


def unpacked(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The archive's files in the folder, which is the current one then."""
    with tarfile.open(ROOT / "tests/stored" / name) as archive:
        archive.extractall(folder, filter="data")
    monkeypatch.chdir(folder)
    return folder


complete = pytest.mark.parametrize("stored", COMPLETE, indirect=True)
oldest = pytest.mark.parametrize("stored", [OLDEST], indirect=True)


@pytest.fixture
def gristmill(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Gristmill:
    """Runs a command, which has to succeed; returns what it printed."""

    def run(*words: str) -> str:
        ended = call(*words, monkeypatch=monkeypatch)
        printed = capsys.readouterr()
        assert ended == 0, printed.err
        return printed.out

    return run


def arrows(folder: str | Path) -> dict[str, bytes]:
    """The Arrow files of a folder, by name."""
    return {path.name: path.read_bytes() for path in sorted(Path(folder).rglob("*.arrow"))}


def ledger(folder: str | Path) -> object:
    return json.loads(Path(folder, "manifest.json").read_bytes())["ledger"]


def columns_then(folder: Path, table: str) -> list[dict[str, object]]:
    """The rows of a table, without the columns that `documents` has since its version 2."""
    later = {"near_cluster_size", "rehydration_weight"}
    return [{name: value for name, value in row.items() if name not in later} for row in rows(folder, table)]


def test_each_folder_is_whole(stored: Path, gristmill: Gristmill) -> None:
    folders = [path.parent for path in stored.rglob("manifest.json")]
    assert len(folders) >= 7
    for folder in folders:
        assert "all as they were written" in gristmill("verify", str(folder)), folder


def test_a_corpus_can_be_looked_into(stored: Path, gristmill: Gristmill) -> None:
    assert "was removed by near" in gristmill("explain", "corpus", "near")
    assert any("was removed by near" in line for line in api.explain("corpus", "near"))
    told = gristmill("explain", "corpus", "--sample", "9", "--no-diff")
    assert all(row["doc_id"] in told for row in rows(stored / "corpus", "rejects"))


def test_a_corpus_can_be_looked_at(stored: Path, gristmill: Gristmill) -> None:
    for folder in ("corpus", "later", "takedown"):
        gristmill("report", folder, "--against", "corpus", "--output", "page.html")
        kept = len(rows(stored / folder, "documents"))
        assert f"A corpus of {kept} document" in Path("page.html").read_text(encoding="utf-8")


def test_every_document_has_a_page(stored: Path) -> None:
    for folder in ("corpus", "later", "takedown"):
        lookup = Lookup(folder)
        with closing(CorpusTables.of(lookup)) as tables:
            pages = Pages(lookup, tables)
            for verdict in pages.verdicts.values():
                assert tables.count(verdict.wanted) == verdict.documents
                for place, row in tables.page(verdict.wanted).rows:
                    assert row["doc_id"] in (pages.document(verdict.wanted.table, place) or "")


def test_other_thresholds_can_be_tried(stored: Path, gristmill: Gristmill) -> None:
    for folder in ("corpus", "later", "takedown"):
        told = json.loads(gristmill("what-if", folder, "--set", "near.survivor=0", "--json"))
        assert told["read"]["documents"] == told["run"]["kept"]["documents"] + len(rows(stored / folder, "rejects"))
        assert told["run"]["kept"]["documents"] == len(rows(stored / folder, "documents"))
        assert told["cases"][0]["kept"] == told["run"]["kept"]


def test_a_corpus_can_be_described(stored: Path, gristmill: Gristmill) -> None:
    for folder in ("corpus", "later", "takedown"):
        gristmill("card", folder)
        found = json.loads((stored / folder / "card.json").read_bytes())
        assert found["measured"]["documents"] == len(rows(stored / folder, "documents"))
        assert "all as they were written" in gristmill("verify", folder)


def test_a_corpus_can_be_held_against(stored: Path, gristmill: Gristmill) -> None:
    """By the rules of then with the same result; by those of now, with the texts of the release."""
    asked = ("curate", "--input", "in/second.jsonl", "--against", "corpus", *OWN)
    gristmill(*asked, "--output", "again", *THEN)
    assert columns_then(stored / "again", "documents") == rows(stored / "later", "documents")
    assert ledger("again") == ledger("later")
    assert rows(stored / "again", "superseded") == rows(stored / "later", "superseded")
    gristmill(*asked, "--output", "exact")
    removed = rows(stored / "exact", "rejects/duplicates")
    assert {row["doc_id"] for row in removed} >= {"again"}
    assert all(row["survivor_similarity"] >= 0.65 for row in removed)
    assert not rows(stored / "exact", "superseded"), "the documents of a group are not like each other"
    gristmill("takedown", "corpus", "--doc-id", "ids.txt", "--output", "less", *OWN)
    gristmill("curate", "--input", "in/first.jsonl", "--output", "none", "--against", "less", *OWN)
    assert not {"page-1", "copy", "page-3"} & {row["doc_id"] for row in rows(stored / "none", "documents")}


@oldest
def test_a_takedown_without_hashes_is_read(stored: Path, gristmill: Gristmill) -> None:
    gristmill("takedown", "corpus", "--doc-id", "ids.txt", "--output", "less", *OWN)
    kept = [{row["doc_id"] for row in rows(stored / each, "documents")} for each in ("takedown", "less")]
    assert kept[0] - kept[1] == {"copy"}, "a copy of what was taken down had come back"
    gristmill("curate", "--input", "in/first.jsonl", "--output", "against", "--against", "takedown", *OWN)
    assert [row["doc_id"] for row in rows(stored / "against", "documents")] == ["page-3"], "it keeps no hashes"
    gristmill("takedown", "later", "--against", "takedown", "--output", "renewed", *OWN)
    assert json.loads((stored / "renewed/manifest.json").read_text())["takedown"][-1]["taken_down"] == 0


@complete
def test_what_was_taken_down_stays_so(stored: Path, gristmill: Gristmill) -> None:
    takedown = ("takedown", "corpus", "--doc-id", "ids.txt")
    gristmill(*takedown, "--output", "less", *OWN)
    gristmill(*takedown, "--near", "--output", "less_near", *OWN)
    gristmill("takedown", "later", "--against", "takedown", "--output", "anew", *OWN)
    for before, now in {"takedown": "less", "takedown_near": "less_near", "renewed": "anew"}.items():
        for table in ("documents", "rejects", "taken_down", "sketches", "signals"):
            assert rows(stored / before, table) == columns_then(stored / now, table), (before, table)
        lists = [sorted(path.relative_to(each) for path in each.rglob("*.jsonl")) for each in map(Path, (before, now))]
        assert lists[0] == lists[1]
    assert {row["stage"] for row in rows(stored / "takedown_near", "rejects")} >= {"takedown"}
    gristmill("curate", "--input", "in/first.jsonl", "--output", "against", "--against", "takedown", *OWN)
    assert not rows(stored / "against", "documents"), "a copy of what was taken down came back"


@complete
def test_a_job_file_makes_the_same_corpus(stored: Path, gristmill: Gristmill) -> None:
    """If the default extractor of then is named, the definitions that the recipe gopher had, and the rules for
    near-duplicates."""
    job = Path("job.toml")
    job.write_text(job.read_text().replace('output = "crawl"', 'output = "again"'))
    changes = ("reading.extract=trafilatura", "gopher_quality.dialect=datatrove", "gopher_repetition.dialect=datatrove")
    gristmill("curate", "job.toml", *(word for each in changes for word in ("--set", each)), *THEN, *OWN)
    for table in ("documents", "rejects", "quarantine", "signals", "sketches"):
        assert columns_then(stored / "again", table) == rows(stored / "crawl", table), table
    assert ledger("again") == ledger("crawl")
    assert {row["source"] for row in rows(stored / "crawl", "documents")} == {"notes", "crawl"}


def test_a_corpus_can_be_packed_and_a_packed_folder_read(stored: Path, gristmill: Gristmill) -> None:
    before = open_packed("packed", verify=True)
    gristmill("pack", "corpus", "--tokenizer", "tokenizer.json", "--length", "16", "--output", "anew")
    assert before.length == 16
    assert len(SequenceDataset("packed", verify=True)) == len(before) == len(open_packed("anew", verify=True)) > 60
    assert arrows("packed") == arrows("anew")
    gristmill("pack-export", "packed", "--format", "megatron", "--output", "exported")
    assert Path("exported.bin").stat().st_size > 1000


def test_a_packed_folder_with_padding_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gristmill: Gristmill
) -> None:
    unpacked(PADDED, tmp_path, monkeypatch)
    assert "all as they were written" in gristmill("verify", "packed")
    stored = open_packed("packed", verify=True)
    filled = [stored.filled(row) for row in range(len(stored))]
    assert stored.manifest.padding is not None
    assert 0 < stored.manifest.padding.tokens == len(stored) * 128 - sum(filled)
    labels = [SequenceDataset("packed", labels=True)[row]["labels"].tolist() for row in range(len(stored))]
    assert [row.count(-100) for row in labels] == [128 - count for count in filled]
    again = ("--tokenizer", "tokenizer.json", "--length", "128", "--packing", "best-fit", "--output", "anew")
    gristmill("pack", "texts.parquet", *again)
    assert arrows("packed") == arrows("anew")


@complete
def test_corpora_can_be_mixed_and_exported_anew(stored: Path, gristmill: Gristmill) -> None:
    gristmill("train-tokenizer", "corpus", "--vocabulary", "300", "--output", "again.json")
    assert Path("again.json").read_bytes() == Path("tokenizer.json").read_bytes()
    pack = ("pack", "--mixture", "packs.toml", "--tokenizer", "tokenizer.json", "--length", "16", "--output", "anew")
    gristmill(*pack)
    assert arrows("packed_mixture") == arrows("anew")
    gristmill("pack-export", "packed_mixture", "--format", "megatron", "--output", "exported")
    for kind in ("bin", "idx"):
        assert Path(f"exported.{kind}").read_bytes() == Path(f"tokens.{kind}").read_bytes()


def test_datasets_can_be_mixed_exported_and_upgraded(stored: Path, gristmill: Gristmill) -> None:
    gristmill("dataset", "mix", "mix.toml", "--output", "mixed")
    assert load(stored / "mixed").splits == load(stored / "mixture").splits
    for name in ("comparisons", "mixture", "mixed"):
        gristmill("dataset", "export", name, "--format", "trl-dpo", "--output", f"{name}-dpo")
        gristmill("dataset", "upgrade", name, "--output", f"{name}-newer")
        assert load(stored / f"{name}-newer").splits == load(stored / name).splits


@complete
def test_an_open_set_is_imported_as_before(stored: Path, gristmill: Gristmill) -> None:
    files = ("in/pairs.jsonl", "--held-out", "in/held_out.jsonl")
    gristmill("dataset", "import", *files, "--schema", "hh", "--output", "again")
    assert arrows("again") == arrows("comparisons")
    assert load(stored / "upgraded").splits == load(stored / "mixture").splits


@complete
def test_exports_hold_what_their_dataset_does(stored: Path, gristmill: Gristmill) -> None:
    for export in sorted((stored / "exports").iterdir()):
        checked = ("dataset", "check", str(export), "--format", export.name, "--dataset", "mixture")
        assert "every row matches the dataset" in gristmill(*checked), export.name
        gristmill("dataset", "export", "mixture", "--format", export.name, "--output", f"again/{export.name}")
        assert [path.name for path in sorted(export.rglob("*"))] == [
            path.name for path in sorted(Path("again", export.name).rglob("*"))
        ]


def built_again(stored: Path, gristmill: Gristmill) -> list[Path]:
    """The stored datasets of a campaign at several revisions; each is equal to what is built of it now."""
    revisions = sorted((stored / "as_of").iterdir(), key=lambda path: int(path.name))
    for before in revisions:
        gristmill("dataset", "build", "mill", "--as-of", before.name, "--output", f"again/{before.name}")
        assert arrows(f"again/{before.name}") == arrows(before)
        assert ledger(f"again/{before.name}") == ledger(before)
    return revisions


@complete
def test_a_campaign_comes_to_the_same_at_every_revision(stored: Path, gristmill: Gristmill) -> None:
    assert len(built_again(stored, gristmill)) == 5
    gristmill("dataset", "build", "mill", "guard", "--output", "both")
    assert arrows("both") == arrows("built")
    assert ledger("both") == ledger("built")


@complete
def test_a_campaign_can_be_looked_at_and_gone_on_with(stored: Path, gristmill: Gristmill) -> None:
    assert "tasks done" in gristmill("campaign", "status", "mill")
    assert "better" in gristmill("campaign", "resolve", "mill")
    assert "tasks done" in gristmill("campaign", "status", "guard")
    told = gristmill("campaign", "withdraw", "mill", "ann@mill.example")
    assert "the votes of ann@mill.example no longer count" in told
    gristmill("dataset", "build", "mill", "--output", "fewer")
    gristmill("campaign", "withdraw", "mill", "ann@mill.example", "--undo")
    gristmill("dataset", "build", "mill", "--output", "same")
    newest = max((stored / "as_of").iterdir(), key=lambda path: int(path.name))
    assert arrows("same") == arrows(newest) != arrows("fewer")


@pytest.fixture
def verdicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Verdicts, grades and imported judgments of before tables had preferences, and a report of all, as the current
    folder."""
    return unpacked(VERDICTS, tmp_path, monkeypatch)


def numbers(folder: str) -> list[dict[str, str]]:
    """All numbers of a report's files, without their place, to nine decimals."""
    found = []
    for path in sorted(Path(folder).glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            found += [{**row, "number": ""} for row in csv.DictReader(lines)]
    for row in found:
        for name in ("value", "low", "high", "error", "iid_error"):
            row[name] = row[name] and f"{float(row[name]):.9f}"
    return found


def test_stored_verdicts_come_to_the_same_numbers(verdicts: Path, gristmill: Gristmill) -> None:
    for folder in ("verdicts", "graded", "others", "report"):
        assert "all as they were written" in gristmill("verify", folder)
    gristmill(*REPORT.replace("--output report", "--output again").split())
    before = numbers("report")
    assert len(before) > 100
    assert all(row in numbers("again") for row in before)
    assert "stone-3" in gristmill("evaluation", "leaderboard", "verdicts")


def test_a_damaged_table_of_verdicts_is_named_with_what_helps(
    verdicts: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("verdicts/answers.parquet").open("ab") as table:
        table.write(b"!")
    assert call("evaluation", "leaderboard", "verdicts", monkeypatch=monkeypatch) == 2
    printed = capsys.readouterr().err
    assert "verdicts/answers.parquet" in printed
    assert "or make the folder again" in printed
    assert "dataset" not in printed


def test_grades_are_given_in_no_order(verdicts: Path) -> None:
    paired, graded = (dict(source.facts) for source in read_sources([Path("verdicts"), Path("graded")]))
    assert paired["orders"] == "both"
    assert "orders" not in graded


def test_every_number_of_a_stored_report_leads_to_its_votes(verdicts: Path, gristmill: Gristmill) -> None:
    for row in pq.read_table("report/numbers.parquet").to_pylist()[::9]:
        assert f"number {row['number']}: {row['measure']}" in gristmill(
            "evaluation", "why", "report", str(row["number"])
        )


@pytest.mark.parametrize("form", ["alpaca-eval", "battles", "inspect"])
def test_stored_verdicts_can_be_exported(form: str, verdicts: Path, gristmill: Gristmill) -> None:
    for folder in ("verdicts", "others"):
        gristmill("evaluation", "export", folder, "--format", form, "--output", f"exports/{folder}")
        assert list(Path("exports", folder).iterdir())


def test_a_stored_book_answers_again(verdicts: Path, gristmill: Gristmill) -> None:
    """No endpoint listens at the address: everything is answered from the book."""
    words = ("--model", MODEL, "--base-url", "http://127.0.0.1:9/v1", "--progress", "none")
    for template, name in (("pairwise", "verdicts"), ("single", "graded")):
        told = gristmill("judge", "responses.jsonl", *words, "--template", template, "--output", f"again/{name}")
        assert "requests: 0 answered now" in told
        before, now = (json.loads(Path(at, name, "manifest.json").read_bytes())["ledger"] for at in (".", "again"))
        assert now == before
