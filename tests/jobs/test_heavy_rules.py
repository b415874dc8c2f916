"""A run warns where one rule removes a large part of a source, and names a definition by which it would not."""

import json
from pathlib import Path

import pytest

from curation.reports.heavy_rules import LEAST
from tests.jobs.calling import GRAIN, call

POINTED = GRAIN.replace(" ", ", ")
"""A mark of punctuation follows each word: datatrove counts the marks as words without a letter."""


@pytest.mark.parametrize(
    ("pointed", "documents", "warned"),
    [(LEAST // 2, LEAST, True), (LEAST // 5, LEAST, False), (LEAST // 2, LEAST - 1, False)],
)
def test_a_rule_that_removes_more_than_a_fifth_of_a_source_is_named(
    pointed: int,
    documents: int,
    warned: bool,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [f"{POINTED if n < pointed else GRAIN} {n}" for n in range(documents)]
    path = tmp_path / "part.jsonl"
    path.write_text("".join(json.dumps({"id": f"d{n}", "text": text}) + "\n" for n, text in enumerate(texts)))
    arguments = ("curate", "--input", f"mill={path}", "--output", tmp_path / "out", "--set", "dedup.near=false")
    assert call(*arguments, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().err
    assert ("few_alpha_words removed 50% of the documents of source mill" in said) == warned
    assert ("about 0%: gopher_quality.dialect=" in said) == warned


def test_a_score_of_language_that_few_texts_reach_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "part.jsonl"
    path.write_text("".join(json.dumps({"text": f"{GRAIN} {n}"}) + "\n" for n in range(LEAST)))
    recipe = ("--recipe", "c4", "--set", "language.min_score=1", "--set", "near=false")
    assert call("curate", "--input", path, "--output", tmp_path / "out", *recipe, monkeypatch=monkeypatch) == 0
    assert "language: language_score removed 100% of the documents" in (said := capsys.readouterr().err)
    assert "lower language.min_score" in said


@pytest.mark.parametrize(("alike", "warned"), [(LEAST // 2 + 2, True), (LEAST // 2, False)])
def test_a_source_of_which_most_are_near_duplicates_is_named(
    alike: int, warned: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [f"w{number}" for number in range(40)]
    texts = [" ".join([*words, f"x{n}"]) if n < alike else f"{n} " * 40 for n in range(LEAST)]
    path = tmp_path / "part.jsonl"
    rows = [{"text": text, "url": f"http://mill.example/{n}"} for n, text in enumerate(texts)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ("curate", "--input", f"mill={path}", "--output", tmp_path / "out", "--recipe", "none")
    assert call(*arguments, monkeypatch=monkeypatch) == 0
    named = f"near: {alike - 1} of {LEAST} distinct texts of source mill were removed as near-duplicates"
    assert (
        f"{named} (of all sources, most of them from mill.example: {alike - 1})" in capsys.readouterr().err
    ) == warned


FUNCTION = """
import pyarrow as pa
def halves(t): return pa.table({"half": [text.endswith("0") for text in t["text"].to_pylist()]})
"""


@pytest.mark.parametrize(
    ("step", "rule"),
    [
        ('use = "function"\nfile = "own.py"\nfunction = "halves"\nmin = {half = 1}', "halves: low_half"),
        ('use = "language"\nmin_score = 2', "language: language_score"),
    ],
)
def test_a_step_with_a_name_and_a_score_of_languages_are_named_too(
    step: str, rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.py").write_text(FUNCTION)
    (tmp_path / "own.toml").write_text(f"[[steps]]\n{step}\n[dedup]\nnear = false\n")
    path = tmp_path / "part.jsonl"
    path.write_text("".join(json.dumps({"text": f"{GRAIN} {n}"}) + "\n" for n in range(LEAST)))
    arguments = ("curate", "--input", path, "--output", tmp_path / "out", "--recipe", tmp_path / "own.toml")
    assert call(*arguments, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().err
    assert f"{rule} removed " in said
    assert ("removes every document, since language_score is never over 1" in said) == rule.endswith("score")
