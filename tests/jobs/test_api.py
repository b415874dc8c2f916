"""The Python API says what the commands say."""

import inspect
import json
import re
from pathlib import Path

import pytest

import jobs
from schemas.errors import RunError, UserError
from tests.annotation.campaigns import PEOPLE, desk, prompts

TEXT = "Grain is ground between two stones, and the flour is sifted with care before it is sold to the bakers. "


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(json.dumps({"id": f"d{n}", "text": TEXT * 3 + f"Sack {n // 2}."}) + "\n" for n in range(4)))
    return path


def test_curate_and_explain(corpus: Path, tmp_path: Path) -> None:
    ledger = jobs.curate(str(corpus), tmp_path / "out", recipe="none", changes=["near=false"], workers=0)
    assert ledger.total("read")[0] == 4
    assert ledger.total("kept")[0] == 2
    (first,) = (line for line in jobs.explain(tmp_path / "out", "d1") if line.startswith("d1"))
    assert first.endswith("it has the same text as d0 (corpus.jsonl at 0).")
    assert jobs.explain(tmp_path / "out", "nobody") == []
    again = jobs.curate(
        corpus, tmp_path / "again", recipe="none", changes="near=false", against=tmp_path / "out", workers=0
    )
    assert again.total("kept")[0] == 0, "a single text is a list of one"


@pytest.mark.parametrize(
    ("function", "arguments", "said"),
    [
        ("curate", {"inputs": [], "output": "out"}, "inputs is empty: give at least one"),
        ("curate", {"inputs": 5, "output": "out"}, "inputs is 5: give a text or a list of texts"),
        ("curate", {"inputs": ["a", None], "output": "out"}, "an entry of inputs is None: give a text"),
        ("curate", {"inputs": "a", "output": None}, "output is None: give a text"),
        ("curate", {"inputs": "a", "output": "out", "recipe": {}}, "recipe is {}: give a text"),
        ("curate", {"inputs": "a", "output": "out", "changes": "near"}, "--set 'near' is not key=value"),
        ("curate", {"inputs": "a", "output": "out", "changes": 5}, "changes is 5: give a text or a list of texts"),
        ("curate", {"inputs": "a", "output": "out", "against": {"a": 1}}, "against is {'a': 1}: give a text or a list"),
        ("curate", {"inputs": "a", "output": "out", "workers": "2"}, "workers is '2': give a whole number"),
        ("curate", {"inputs": "a", "output": "out", "storage": "anon"}, "storage is 'anon': give options by name"),
        ("curate", {"inputs": "a", "output": "out", "format": 5}, "format is 5: give a text"),
        ("verdicts", {"files": []}, "files is empty: give at least one"),
        ("open_corpus", {"folder": None}, "folder is None: give a text"),
        ("explain", {"folder": ".", "doc_id": 5}, "holds no finished run"),
        ("open_campaign", {"folder": ".", "as_of": "1"}, "as_of is '1': give a whole number"),
        ("agreement", {"campaign": "mill"}, "campaign is 'mill': give what open_campaign returned"),
        ("resolve", {"campaign": None}, "campaign is None: give what open_campaign returned"),
        ("build_dataset", {"campaigns": [], "output": "out"}, "campaigns is empty: give at least one"),
        ("load_dataset", {"folder": 5}, "folder is 5: give a text"),
    ],
)
def test_a_wrong_argument_is_a_user_error(
    function: str, arguments: dict[str, object], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=re.escape(said)):
        found = getattr(jobs, function)(**arguments)
        list(found)
    assert not list(tmp_path.iterdir())


def test_verdicts_come_in_order(corpus: Path) -> None:
    found = list(jobs.verdicts(str(corpus), recipe="gopher"))
    assert [verdict.doc_id for verdict in found] == ["d0", "d1", "d2", "d3"]
    assert {failure.stage for failure in found[0].reasons} == {"gopher_repetition"}


def test_a_corpus_is_opened_as_it_was_written(corpus: Path, tmp_path: Path) -> None:
    ledger = jobs.curate(str(corpus), tmp_path / "out", recipe="none", changes=["near=false"], workers=0)
    opened = jobs.open_corpus(tmp_path / "out")
    assert opened.ledger == ledger
    assert opened.documents.to_table()["doc_id"].to_pylist() == ["d0", "d2"]
    assert sum(opened.rejected["documents"].to_pylist()) == opened.rejects.count_rows() == 2
    assert opened.signals.count_rows() == 0, "this recipe measures nothing"
    assert opened.explain("d1") == jobs.explain(tmp_path / "out", "d1")


def test_a_dataset_is_loaded_as_it_was_built(tmp_path: Path) -> None:
    with desk(tmp_path, prompts(range(3))) as people:
        for task in people.tasks():
            people.answer(task)
    with (tmp_path / "campaign.toml").open("w", encoding="utf-8") as file:
        file.write('name = "mill"\nprotocol = "preference"\nbatch = "b1"\nresponses = "b1.jsonl"\n')
        file.write(f"annotators = {json.dumps(PEOPLE)}\n")
    opened = jobs.open_campaign(tmp_path)
    votes, resolution = jobs.agreement(opened).overall.votes, jobs.resolve(opened)
    assert votes == opened.judgments.num_rows == 9
    built = jobs.build_dataset(tmp_path, tmp_path / "comparisons")
    assert built.ledger.total().comparisons == resolution.resolved.num_rows
    splits = jobs.load_dataset(tmp_path / "comparisons").splits
    assert sum(rows.num_rows for rows in splits.values()) == resolution.resolved.num_rows
    with pytest.raises(UserError, match="give one campaign"):
        jobs.build_dataset([tmp_path, tmp_path], tmp_path / "other", as_of=1)


@pytest.mark.parametrize("name", [name for name in jobs.__all__ if inspect.isfunction(getattr(jobs, name))])
def test_the_page_shows_every_function_with_all_its_parameters(name: str) -> None:
    page = Path(jobs.__file__).with_name("api.md").read_text(encoding="utf-8")
    function = getattr(jobs, name)
    assert f"\n### `{name}({', '.join(inspect.signature(function).parameters)})`\n" in page
    assert function.__doc__


def test_errors_are_the_classes_of_the_commands() -> None:
    assert (jobs.UserError, jobs.RunError) == (UserError, RunError)


def test_a_mistake_is_a_user_error_and_a_bug_is_not(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'none'"):
        jobs.curate(str(corpus), tmp_path / "out", recipe="non")
    with pytest.raises(AttributeError):
        jobs.curated  # noqa: B018
