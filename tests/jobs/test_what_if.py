"""``gristmill what-if`` on small folders: tables, JSON, curves, a sample with texts, and the recipe as a file."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.corpora import finished_corpus
from jobs.corpus.job_file import load_recipe
from jobs.corpus.what_if import changed_recipe
from schemas.errors import UserError
from tests.curation.test_routing import GERMAN
from tests.jobs.calling import GRAIN, call

Ask = Callable[..., str]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Runs what-if, which has to succeed; returns what it printed."""

    def run(*words: str | Path) -> str:
        capsys.readouterr()
        ended = call("what-if", *words, monkeypatch=monkeypatch)
        printed = capsys.readouterr()
        assert ended == 0, printed.err
        return printed.out

    return run


def curate(folder: Path, texts: list[str], monkeypatch: pytest.MonkeyPatch, *options: str) -> Path:
    source = folder / "texts.jsonl"
    source.write_text("".join(json.dumps({"id": f"d{n}", "text": text}) + "\n" for n, text in enumerate(texts)))
    out = folder / "made"
    words: tuple[str | Path, ...] = (
        "curate",
        "--input",
        source,
        "--output",
        out,
        "--workers",
        "0",
        "--progress",
        "none",
        *options,
    )
    assert call(*words, monkeypatch=monkeypatch) == 0
    return out


def cells(printed: str, name: str) -> list[str]:
    lines = (line.strip() for line in printed.splitlines())
    return next(line.removeprefix(name).split() for line in lines if line.startswith(name))


def test_a_changed_threshold_is_shown_beside_the_run(curated: Path, ask: Ask) -> None:
    printed = ask(
        curated, "--set", "gopher_quality.min_words=1", "--set", "gopher_quality.min_words=1000", "--sample", "9"
    )
    assert cells(printed, "read") == ["4", "4", "4"]
    assert cells(printed, "kept") == ["1", "1", "0"]
    assert cells(printed, "newly removed") == ["0", "1"]
    assert cells(printed, "near: near_duplicate") == ["1", "1", "0"]
    assert "(2) gopher_quality.min_words=1000" in printed
    assert "good (part.jsonl at 0) would be removed (gopher_quality: too_few_words)" in printed
    assert "its text begins: The mill turns the grain" in printed
    assert "not exact: duplicates are not searched again" in printed


def test_documents_that_would_be_kept_are_shown(tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    out = curate(tmp_path, [GRAIN, " ".join(GRAIN.split()[:40]) + "."], monkeypatch)
    printed = ask(out, "--set", "gopher_quality.min_words=30", "--set", "c4_pages.min_sentences=1", "--sample", "1")
    assert "d1 (texts.jsonl at" in printed
    assert "would be kept (the run removed it: gopher_quality: too_few_words, c4_pages: too_few_sentences)" in printed
    assert "not exact" not in printed


def test_a_curve_goes_over_the_range_of_a_signal(tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = [55, 60, 70, 80]
    texts = [" ".join((GRAIN.replace("\n", " ").split())[:length]) for length in lengths]
    out = curate(tmp_path, texts, monkeypatch, "--recipe", "gopher", "--set", "near=false")
    found = json.loads(ask(out, "--curve", "gopher_quality.min_words", "--json"))
    assert [case["name"].partition("=")[2] for case in found["cases"]] == [str(length) for length in lengths]
    assert [case["kept"]["documents"] for case in found["cases"]] == [4, 3, 2, 1]
    assert all(case["exact"] for case in found["cases"])
    printed = ask(out, "--curve", "gopher_quality.min_words")
    assert cells(printed, "70")[:2] == ["2", "50.0%"]


def test_a_curve_keeps_the_other_settings_that_are_given(
    tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [" ".join((GRAIN.replace("\n", " ").split())[:length]) for length in (55, 60, 70, 80)]
    out = curate(tmp_path, texts, monkeypatch, "--recipe", "gopher", "--set", "near=false")
    words = ("--curve", "gopher_quality.min_words", "--set", "gopher_quality.max_words=69")
    found = json.loads(ask(out, *words, "--json"))
    assert [case["kept"]["documents"] for case in found["cases"]] == [2, 1, 0, 0]
    printed = ask(out, *words)
    assert cells(printed, "60")[0] == "1"
    assert "all other settings are as given" in printed


def test_a_curve_goes_beyond_the_other_thresholds_of_a_built_in_recipe(curated: Path) -> None:
    corpus = finished_corpus(str(curated))
    assert corpus is not None
    many = changed_recipe(corpus, ["gopher_quality.min_words=123456789"], "fineweb2")
    with pytest.raises(UserError, match="no document can meet both"):
        many.check()


@pytest.mark.parametrize("question", [("--set", "gopher_quality.min_words=1"), ("--curve", "gopher_quality.min_words")])
def test_a_missing_file_is_one_sentence(
    question: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = curate(tmp_path, [GRAIN, "Flour and bread."], monkeypatch)
    for table in ("signals", "rejects/filters", "sketches"):
        (out / table / "00000.parquet").rename(tmp_path / "away")
        assert call("what-if", out, *question, monkeypatch=monkeypatch) == 2
        assert f"{table}/00000.parquet is missing: restore" in capsys.readouterr().err
        (tmp_path / "away").rename(out / table / "00000.parquet")


def test_the_recipe_is_written_and_runs(
    curated: Path, corpus: Path, tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(
        curated,
        "--set",
        "gopher_quality.min_words=1",
        "--set",
        "c4_pages.min_sentences=none",
        "--write",
        tmp_path / "new.toml",
    )
    again = json.loads(ask(curated, "--recipe", tmp_path / "new.toml", "--json"))
    out = tmp_path / "again"
    options = ("--recipe", tmp_path / "new.toml", "--input", corpus, "--output", out)
    assert call("curate", *options, monkeypatch=monkeypatch) == 0
    ledger = json.loads((out / "manifest.json").read_bytes())["ledger"]
    assert again["cases"][0]["kept"]["documents"] == sum(each["documents"] for each in ledger["kept"].values())


def test_another_recipe_is_judged_by_the_same_signals(
    tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [GRAIN, "Flour and bread.", "- Home\n- Shop\n" * 40]
    out = curate(
        tmp_path,
        texts,
        monkeypatch,
        "--recipe",
        "none",
        "--set",
        "signals=true",
        "--set",
        "dedup.exact=false",
        "--set",
        "near=false",
    )
    [case] = json.loads(ask(out, "--recipe", "gopher", "--json"))["cases"]
    assert case["name"] == "gopher"
    assert case["kept"]["documents"] == 1


def test_a_step_is_changed_for_languages_as_a_run_changes_it_or_the_command_says_so(
    tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file gives German the value of the step again, which a run keeps; the manifest does not tell."""
    steps = "[[steps]]\nuse = 'language'\nlanguages = []\n[[steps]]\nuse = 'gopher_quality'\nmin_words = 8\n"
    off = "min_stop_words = 'none'\nmin_mean_word_length = 'none'\n"
    (tmp_path / "own.toml").write_text(
        f"{steps}{off}[languages]\nde.gopher_quality.min_words = 8\nen.language.min_score = 0.1\n"
    )
    texts = [GERMAN, GRAIN.split("\n")[0]]
    made = curate(tmp_path, texts, monkeypatch, "--recipe", str(tmp_path / "own.toml"))
    change = ("--set", "gopher_quality.min_words=200")

    def kept(*words: str | Path) -> tuple[int, bool]:
        [case] = json.loads(ask(made, *words, "--json"))["cases"]
        return case["kept"]["documents"], case["exact"]

    assert kept("--recipe", tmp_path / "own.toml", *change) == (1, True)
    assert kept(*change) == (0, False)
    said = ask(made, *change)
    assert "not exact: gopher_quality.min_words is changed for de, en too" in said
    assert "--recipe FILE" in said
    assert "not exact" not in ask(made, "--set", "languages.de.gopher_quality.min_words=200")
    (tmp_path / "again").mkdir()
    again = curate(tmp_path / "again", texts, monkeypatch, "--recipe", str(tmp_path / "own.toml"), *change)
    ledger = json.loads((again / "manifest.json").read_bytes())["ledger"]
    assert [each["documents"] for each in ledger["kept"].values()] == [1]


def test_a_built_in_recipe_with_languages_is_changed_as_a_run_changes_it(
    tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = curate(tmp_path, [GERMAN, GRAIN], monkeypatch, "--recipe", "fineweb2")
    change = "gopher_quality.min_words=90"
    printed = ask(made, "--set", change, "--write", tmp_path / "new.toml")
    assert "not exact" not in printed
    comment = (tmp_path / "new.toml").read_text(encoding="utf-8").splitlines()[0]
    assert comment == f"# The recipe fineweb2 of a corpus with other settings: {change}"
    assert load_recipe(str(tmp_path / "new.toml")).languages == load_recipe("fineweb2", [change]).languages


@pytest.mark.parametrize("signals", ["signals=false", 'signals=["words"]'])
def test_without_the_signal_verdicts_are_those_of_the_run(
    signals: str, tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = curate(tmp_path, [GRAIN, "Flour and bread."], monkeypatch, "--set", signals)
    [case] = json.loads(ask(out, "--set", "gopher_quality.min_alpha_words=1", "--json"))["cases"]
    assert case["kept"]["documents"] == 1
    assert any("alpha_words" in note for note in case["not_exact"])


def test_a_rule_whose_signal_is_not_stored_still_removes(
    tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second text fails the rule on words first, and a rule without a stored signal, too."""
    options = ("--recipe", "gopher", "--set", 'signals=["words"]', "--set", "near=false")
    out = curate(tmp_path, [GRAIN, "12 34 56 of the", "The mill of grain and the bread."], monkeypatch, *options)
    [case] = json.loads(ask(out, "--set", "gopher_quality.min_words=1", "--json"))["cases"]
    assert case["exact"]
    assert case["newly_kept"]["documents"] == 1
    rules = {rule["reason"]: rule["documents"] for rule in case["rules"] if rule["documents"]}
    assert "too_few_words" not in rules
    assert sum(rules.values()) == 1


def test_the_run_is_counted_by_its_own_verdicts(tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a folder of a version in which the recipe had other rules."""
    short = " ".join(GRAIN.split()[:40])
    out = curate(tmp_path, [GRAIN, short], monkeypatch, "--recipe", "gopher", "--set", "near=false")
    manifest = json.loads((out / "manifest.json").read_bytes())
    [step] = [each for each in manifest["job"]["recipe"]["steps"] if each["use"] == "gopher_quality"]
    for least, kept in ((1, 2), (1000, 0)):
        step["min_words"] = least
        (out / "manifest.json").write_text(json.dumps(manifest))
        found = json.loads(ask(out, "--set", "gopher_quality.max_words=none", "--json"))
        assert found["run"]["kept"]["documents"] == 1
        assert found["cases"][0]["kept"]["documents"] == kept


def test_a_corpus_without_documents(tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    out = curate(tmp_path, [], monkeypatch)
    assert cells(ask(out, "--set", "gopher_quality.min_words=1"), "read") == ["0", "0"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say what to change"),
        (("--set", "gopher_quality.min_word=1"), "did you mean 'min_words'"),
        (("--set", "gopher_quality.min_words=200000"), "no document can meet both"),
        (("--set", "limit=3"), "limit belongs to a job"),
        (("--set", "gopher_quality.min_words=1", "--set", "gopher_quality.min_words=1"), "given twice"),
        (("--curve", "gopher_quality.definition"), "is not the threshold"),
        (("--curve", "gopher_quality.min_word"), "did you mean 'min_words'"),
        (("--curve", "near.min_similarity"), "is not the threshold of one rule: name one"),
        (("--curve", "gopher_quality.min_words", "--recipe", "gopher"), "give it without --recipe"),
        (("--curve", "gopher_quality.min_words", "--set", "gopher_quality.min_words=3"), "give others by --set"),
        (
            ("--set", "gopher_quality.min_words=1", "--set", "gopher_quality.min_words=2", "--write", "x.toml"),
            "--write writes 1",
        ),
    ],
)
def test_a_wrong_question_is_one_sentence(
    words: tuple[str, ...],
    said: str,
    curated: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert call("what-if", curated, *words, monkeypatch=monkeypatch) == 2
    assert said in capsys.readouterr().err


def test_what_is_no_corpus_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("what-if", tmp_path, "--set", "gopher_quality.min_words=1", monkeypatch=monkeypatch) == 2
    assert "holds no finished run" in capsys.readouterr().err
