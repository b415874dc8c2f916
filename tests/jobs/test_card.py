"""``gristmill card`` on small folders."""

import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.engine.carried_files import send_files
from curation.fasttext import files
from curation.fasttext.files import forget_models
from curation.fasttext.training import LabelledTexts, Training
from curation.fasttext.writing import empty_model, write_model
from curation.release.folder import Folder
from curation.release.manifest import CARD_FILES
from curation.release.readme import MARK
from curation.reports.card_measures import Task, measured
from curation.reports.card_scores import by_model
from curation.reports.card_terms import wanted_terms
from curation.reports.card_workers import _measure_unit
from jobs.corpus.card import write_card
from schemas.errors import RunError, UserError
from schemas.intervals import wilson
from tests.jobs.calling import GRAIN, call

Card = Callable[..., dict[str, Any]]
HOSTILE = "<script>alert(1)</script>|`*_[x](y)\u202e"


@pytest.fixture
def card(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Card:
    """Runs the command, which has to succeed; returns the card."""

    def run(folder: Path, *words: str | Path) -> dict[str, Any]:
        capsys.readouterr()
        ended = call("card", folder, *words, monkeypatch=monkeypatch)
        printed = capsys.readouterr()
        assert ended == 0, printed.err
        found = json.loads(printed.out if "--json" in words else (folder / "card.json").read_text())
        for share in _shares(found):
            whole = share["of"]
            assert share["share"] == (share["documents"] / whole if whole else None)
            assert share["interval"] == (list(wilson(share["documents"], whole)) if whole else None)
        return dict(found)

    return run


def _shares(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "interval" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _shares(each)


def curate(folder: Path, rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, *options: str) -> Path:
    source = folder / "rows.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words: tuple[str | Path, ...] = ("curate", "--input", source, "--output", folder / "made", "--recipe", "none")
    assert call(*words, "--workers", "0", "--progress", "none", *options, monkeypatch=monkeypatch) == 0
    return folder / "made"


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in CARD_FILES}


def test_a_card_says_what_is_in_the_corpus(curated: Path, card: Card) -> None:
    found = card(curated)
    assert found["measured"] == {"share": 1, "documents": 1, "of": 1}
    assert found["pronouns"]["among_gendered"]["unspecified"]["documents"] == 1
    assert found["pronouns"]["among_personal"]["first"]["documents"] == 0
    assert [each["name"] for each in found["languages"]] == ["en"]
    assert found["hosts"]["listed"][0]["name"] == "mill.example"
    assert [(each["stage"], each["documents"], each["of"]) for each in found["removed"]] == [
        ("exact", 1, 4),
        ("gopher_repetition", 1, 4),
        ("near", 1, 4),
    ]
    assert found["near_duplicates"][0] | {"interval": None} == {
        "size": "3 to 9", "documents": 1, "of": 1, "share": 1, "interval": None
    }  # fmt: skip
    assert found["quarantined"] == {"bad_json": 1}
    assert found["toxicity"] is None
    assert "Not measured: no classifier was given." in (curated / "README.md").read_text()


def test_a_second_run_gives_the_same_bytes_and_changes_no_other_file(curated: Path, card: Card) -> None:
    before = {path: path.read_bytes() for path in curated.rglob("*") if path.is_file()}
    card(curated)
    first = bytes_of(curated)
    card(curated)
    assert bytes_of(curated) == first
    assert {path for path in before if path.read_bytes() != before[path]} == {curated / "README.md"}


def test_the_bytes_do_not_depend_on_threads(tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"text": f"she sees mill {n}\nhe", "url": f"http://m{n % 9}.example/{n}", "date": str(1990 + n % 30)}
        for n in range(300)
    ]
    made = curate(tmp_path, rows, monkeypatch, "--set", "unit_bytes=2000")
    assert len(list((made / "documents").iterdir())) > 3
    card(made, "--sample", "0.5")
    several = bytes_of(made)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0})
    found = card(made, "--sample", "0.5")
    assert bytes_of(made) == several
    assert 90 < found["measured"]["documents"] < 210
    assert found["pronouns"]["gendered"]["share"] == 1


def test_the_bytes_do_not_depend_on_the_runner(tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beam's own runner, with a classifier, signals and descriptors that travel to its workers."""
    (tmp_path / "own.py").write_text(
        "import pyarrow as pa\n"
        "def score(lines):\n"
        "    return pa.table({'score': [len(line) % 10 / 9 for line in lines['text'].to_pylist()]})\n"
    )
    (tmp_path / "own.json").write_text('{"axis": ["mill"]}')
    (tmp_path / "own.toml").write_text('[[steps]]\nuse = "redact"\nkinds = ["email"]\n')
    rows = [{"text": f"she sees mill {n}\na{n}@b.example", "url": f"http://m{n % 9}.example/"} for n in range(90)]
    made = curate(tmp_path, rows, monkeypatch, "--recipe", str(tmp_path / "own.toml"), "--set", "unit_bytes=2000")
    words = ("--descriptors", tmp_path / "own.json", "--function", f"{tmp_path / 'own.py'}:score")
    found = card(made, *words)
    local = bytes_of(made)
    card(made, *words, "--", "--runner=FnApiRunner")
    assert bytes_of(made) == local
    assert not (made / ".work").exists()
    assert found["toxicity"]["toxic"]["documents"] > 0
    assert found["personal_information"]["kinds"][0]["count"] == 90


def test_verify_knows_the_files_of_a_card(curated: Path, card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    card(curated)
    assert call("verify", curated, monkeypatch=monkeypatch) == 0
    (curated / "other.md").write_text("")
    assert call("verify", curated, monkeypatch=monkeypatch) == 1


def test_a_readme_of_the_users_stays(
    curated: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = (curated / "README.md").read_text().replace(MARK, "# of my own")
    (curated / "README.md").write_text(own)
    assert call("card", curated, monkeypatch=monkeypatch) == 2
    assert f"has no line '{MARK}'" in capsys.readouterr().err
    assert call("card", curated, "--json", monkeypatch=monkeypatch) == 0
    assert (curated / "README.md").read_text() == own


def test_a_folder_in_place_of_the_readme_is_one_sentence(
    curated: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (curated / "README.md").unlink(missing_ok=True)
    (curated / "README.md").mkdir()
    assert call("card", curated, monkeypatch=monkeypatch) == 2
    assert "README.md cannot be read (Is a directory): rename it" in capsys.readouterr().err


def test_a_card_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"card\.json cannot be written \(.*\): repeat"):
        write_card(Folder(str(tmp_path / "file")), "card.json", "{}")


def test_documents_without_url_date_or_language(tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    made = curate(tmp_path, [{"text": GRAIN}, {"text": "you"}], monkeypatch)
    found = card(made)
    assert (
        found["years"] is found["hosts"] is found["top_level_domains"] is found["languages"] is found["robots"] is None
    )
    assert found["removed"] == []
    assert found["personal_information"] == {"replaced": False, "kinds": [], "counted": []}
    text = (made / "README.md").read_text()
    assert "did not identify languages" in text
    assert "## Hosts" not in text


def test_a_corpus_without_documents(tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    made = curate(tmp_path, [], monkeypatch)
    found = card(made)
    assert found["measured"]["documents"] == 0
    assert found["pronouns"]["gendered"]["share"] is None
    assert "0 documents" in (made / "README.md").read_text()


def test_what_was_replaced_is_counted(tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["Write to a@mill.example or b@mill.example.", "Write to c@mill.example.", "Write to us."]
    own = tmp_path / "own.toml"
    own.write_text('[[steps]]\nuse = "redact"\nkinds = ["email"]\n')
    made = curate(tmp_path, [{"text": text} for text in texts], monkeypatch, "--recipe", str(own))
    [email] = card(made)["personal_information"]["kinds"]
    assert (email["name"], email["count"], email["documents"], email["of"]) == ("email", 3, 2, 3)


def test_refusals_of_robots_are_counted(tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = tmp_path / "robots.jsonl"
    listed.write_text(json.dumps({"host": "mill.example", "robots": "User-agent: *\nDisallow: /a"}) + "\n")
    own = tmp_path / "own.toml"
    own.write_text(f'[[steps]]\nuse = "robots"\nrobots = ["@{listed}"]\n')
    rows = [
        {"text": f"text {n}", "url": url} for n, url in enumerate(["http://mill.example/b", "http://rye.example/a"])
    ]
    robots = card(curate(tmp_path, rows, monkeypatch, "--recipe", str(own)))["robots"]
    assert (robots["documents"], robots["of"]) == (0, 1)


def test_licences_and_counts_for_sites_are_shown(tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[sites]\nkinds = ["email"]\nper_thousand_words = 900\n[[steps]]\nuse = "rights"\n')
    rows = [{"text": f"a{n}@mill.example", "url": "http://mill.example/", "license": "cc-by-4.0"} for n in range(2)]
    made = curate(tmp_path, [*rows, {"text": "Nothing."}], monkeypatch, "--recipe", str(own))
    found = card(made)
    assert [(each["name"], each["documents"]) for each in found["rights"]["licence"]["listed"]] == [
        ("cc-by-4.0", 2),
        ("unknown", 1),
    ]
    [email] = found["personal_information"]["counted"]
    assert (email["name"], email["count"], email["documents"]) == ("email", 2, 2)
    assert "| cc-by-4.0 | 2 |" in (made / "README.md").read_text()


def test_scores_by_a_model_are_named_in_the_card(tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    with LabelledTexts() as texts:
        for label, text in enumerate(("kind words", "bad words")):
            texts.add(pa.array([text] * 20, pa.large_string()), label)
        trained = texts.train(("fine", "toxic"), Training(epochs=30), np.arange(40), lambda steps: None)
    write_model(tmp_path / "model.bin", trained)
    made = curate(tmp_path, [{"text": "bad bad\nbad"}, {"text": "kind kind"}, {"text": "kind\nkind\nbad"}], monkeypatch)
    found = card(made, "--model", tmp_path / "model.bin", "--label", "toxic")["toxicity"]
    assert (found["toxic"]["documents"], found["toxic"]["of"]) == (1, 3)
    assert {found["classifier"][name] for name in ("model", "label")} == {"model.bin", "toxic"}
    assert "model `model.bin`" in (made / "README.md").read_text()


def test_a_worker_scores_by_a_model_that_it_does_not_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a cluster: the task comes as a pickle, and the model from the folder of the corpus."""
    model = tmp_path / "model.bin"
    write_model(model, empty_model(labels=("fine", "toxic")))
    made = curate(tmp_path, [{"text": "mill"}], monkeypatch)
    classifier = by_model(str(model), "toxic")
    task = Task(Folder(str(made)), False, wanted_terms(None), 1.0, classifier.scores, classifier.models)
    send_files(task.folder, task.models)
    model.unlink()
    forget_models()
    files._held.clear()
    at_worker = pickle.loads(pickle.dumps(task))
    with pytest.raises(UserError, match=r"model\.bin cannot be read"):
        measured(at_worker, [0], 1)
    _measure_unit(at_worker, 0)
    assert json.loads((made / ".work/card/00000.json").read_text())["scored"] == [1]


def test_texts_of_documents_do_nothing_in_a_card(tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    descriptors = tmp_path / "descriptors.json"
    descriptors.write_text(json.dumps({HOSTILE: ["mill", HOSTILE]}))
    rows = [
        {"text": f"mill {HOSTILE}", "url": f"http://{HOSTILE}/", "date": HOSTILE},
        {"text": "x" * 10_000_000 + " she"},
    ]
    source = tmp_path / "rows.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = tmp_path / "made"
    words = ("--input", f"_b_={source}", "--output", made, "--recipe", "none", "--workers", "0", "--progress", "none")
    assert call("curate", *words, monkeypatch=monkeypatch) == 0
    found = card(made, "--descriptors", descriptors, "--name", f'"{HOSTILE}\n---')
    assert found["pronouns"]["among_gendered"]["she"]["documents"] == 1
    assert found["descriptors"]["axes"][0]["documents"] == 1
    text = (made / "README.md").read_text()
    body = text.split("---\n", 2)[2]
    assert "<script" not in body
    assert "\\_b\\_" in body
    assert "\u202e" not in body
    for line in body.splitlines():
        if line.startswith("| ") and "script" in line:
            assert line.replace("\\|", "").count("|") in (4, 5)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "m.bin"), "belong together"),
        (("--model", "m.bin", "--label", "x", "--function", "a.py:f"), "exclude each other"),
        (("--model", "m.bin", "--label", "x"), "cannot be read"),
        (("--function", "missing.py:f"), "cannot be read"),
        (("--descriptors", "missing.json"), "cannot be read"),
        (("--sample", "0"), "--sample"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    words: tuple[str, ...],
    said: str,
    curated: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert call("card", curated, *words, monkeypatch=monkeypatch) == 2
    assert said in capsys.readouterr().err
    assert not (curated / "card.json").exists()


def test_the_croissant_names_each_column_once(curated: Path, card: Card) -> None:
    card(curated, "--license", "odc-by")
    found = json.loads((curated / "croissant.json").read_text())
    assert found["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert found["license"] == "odc-by"
    [files], [records] = found["distribution"], found["recordSet"]
    shards = [path for path in curated.rglob("*.parquet") if path.match(files["includes"])]
    assert [field["source"]["extract"]["column"] for field in records["field"]] == pq.read_schema(shards[0]).names
    ids = [each["@id"] for each in (files, records, *records["field"])]
    assert len(set(ids)) == len(ids)
    assert records["key"]["@id"] in ids
    assert {field["source"]["fileSet"]["@id"] for field in records["field"]} == {files["@id"]}
    assert {field["dataType"] for field in records["field"]} == {"sc:Text", "sc:Integer", "sc:Float"}
