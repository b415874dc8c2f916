"""The recipe fineweb2: its published settings, and that no text is judged by the stop words of another language."""

import gzip
import json
import re
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.filters.fineweb import Fineweb
from curation.filters.gopher_quality import GopherQuality
from curation.filters.gopher_repetition import GopherRepetition
from curation.filters.labels import full_name
from curation.filters.language import Language
from curation.judge import judge, reasons
from curation.recipe import Recipe
from curation.recipes.tables import make_recipe, recipe_table
from curation.reports.recipe_warnings import warnings_for
from curation.rewrites.replace import Replace
from curation.words import libraries
from curation.words.stop_words import published_rows
from schemas import RECORDS

WORD = re.compile(r"[^\s.,;:!?()\[\]\"„“”«»…]+")
ITS_OWN = {"nb": "nob_Latn", "zu": "zul_Latn", "xh": "xho_Latn"}
SLOW = {"ko", "th"}
"""Languages whose libraries take seconds to load."""


@pytest.fixture(scope="module")
def fineweb2() -> Recipe:
    return make_recipe("fineweb2", recipe_table("fineweb2"))


def steps_of(recipe: Recipe, name: str) -> dict[str, Any]:
    [steps] = [each.steps for each in recipe.languages if each.name == name]
    return {step.use: step for step in steps}


def test_the_published_settings_are_in_force_where_the_language_is_known(fineweb2: Recipe, shared: Path) -> None:
    with gzip.open(shared / "data/languages/fineweb2_thresholds.jsonl.gz", "rt", encoding="utf-8") as lines:
        published = {row["language"]: row for row in map(json.loads, lines)}
    assert {row["language"]: row for row in published_rows()} == published
    assert len(fineweb2.languages) > 190
    for each in fineweb2.languages:
        row, steps = published[each.name], {step.use: step for step in each.steps}
        language, repetition, lines_, quality = (
            steps[use] for use in ("language", "gopher_repetition", "fineweb", "gopher_quality")
        )
        assert isinstance(language, Language)
        assert isinstance(repetition, GopherRepetition)
        assert isinstance(lines_, Fineweb)
        assert isinstance(quality, GopherQuality)
        assert language.min_score == row["language_score"]
        assert quality.definition.stop_words == tuple(row["stopwords"])
        assert (quality.min_stop_words, quality.min_words) == (2, 50)
        assert quality.max_mean_word_length == (row["max_avg_word_length"] or None)
        assert quality.min_alpha_words == row["max_non_alpha_words_ratio"]
        assert lines_.max_newlines_per_word == row["new_line_ratio"]
        assert (lines_.max_short_lines, lines_.max_duplicate_characters) == (None, 0.1)
        assert repetition.max_top_3_gram == dict(row["top_n_grams"])[3]
        assert repetition.max_duplicate_7_gram == dict(row["dup_n_grams"])[7]
        assert (repetition.max_duplicate_paragraphs, repetition.max_duplicate_line_characters) == (None, None)
        assert quality.definition.words == repetition.definition.words == lines_.words


def test_languages_are_split_in_their_own_way(fineweb2: Recipe) -> None:
    words = {
        name: steps_of(fineweb2, name)["fineweb"].words for name in ("cmn_Hani", "tha_Thai", "fra_Latn", "deu_Latn")
    }
    assert words == {"cmn_Hani": "jieba", "tha_Thai": "pythainlp", "fra_Latn": "elided", "deu_Latn": "spaced"}
    assert fineweb2.list_digests().keys() >= {"rjieba", "sudachipy", "sudachidict_core", "kiwipiepy"}


def test_a_language_whose_library_is_missing_is_not_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(libraries.SOURCES, "jieba", libraries.Source(("no-such-package",), libraries._chinese))
    libraries._versions.cache_clear()
    try:
        table = recipe_table("fineweb2")
        without = make_recipe("fineweb2", table)
        assert "zh" not in without.steps[0].languages  # type: ignore[union-attr]
        assert "no-such-package" in "".join(warnings_for(without))
        table["languages"] = {"file": "fineweb2", "zh": {"words": "characters"}}
        own = make_recipe("fineweb2", table)
        assert steps_of(own, "cmn_Hani")["gopher_quality"].definition.words == "characters"
        assert steps_of(own, "cmn_Hani")["fineweb"].words == "characters"
    finally:
        libraries._versions.cache_clear()


def test_nothing_in_it_is_a_mistake(fineweb2: Recipe) -> None:
    fineweb2.check()
    assert list(warnings_for(fineweb2)) == []


@given(st.lists(st.sampled_from(["|", "| |", " ||", "a|b", "", " ", "| a", "Mühle"]), min_size=1, max_size=8))
def test_lines_of_bars_alone_become_empty_lines(fineweb2: Recipe, lines: list[str]) -> None:
    """As by datatrove's SymbolLinesFormatter, which FineWeb2 applies last with replace_char="\\n"."""
    expected = []
    for bars, run in groupby(lines, lambda line: bool(line.strip()) and set(line) <= set("| ")):
        expected += ["\n"] if bars else run
    [step] = [step for step in fineweb2.steps if isinstance(step, Replace)]
    assert step.rewrite(pa.array(["\n".join(lines)], pa.large_string()))[0].as_py() == "\n".join(expected)


def records(texts: list[str]) -> pa.RecordBatch:
    given = []
    for field in RECORDS.columns:
        default = 0 if pa.types.is_integer(field.type) else "" if not field.nullable else None
        given.append(pa.array(texts if field.name == "text" else [default] * len(texts), field.type))
    return pa.RecordBatch.from_arrays(given, schema=RECORDS.columns)


@pytest.mark.parametrize("every", [60, pytest.param(1, marks=pytest.mark.soak)])
def test_no_text_fails_for_stop_words_of_another_language(fineweb2: Recipe, shared: Path, every: int) -> None:
    """A text that fails for stop words has too few of its true language, too."""
    stop_words = {row["language"]: set(row["stopwords"]) for row in published_rows()}
    with gzip.open(shared / "data/languages/sentences.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if every == 1 or row["lang"] not in SLOW][::every]
    failed, foreign = 0, []
    for start in range(0, len(rows), 2000):
        part = rows[start : start + 2000]
        judged = judge(records([row["text"] for row in part]), fineweb2)
        labels = judged.signals["language"].to_pylist()
        for row, reason, label in zip(part, reasons(judged), labels, strict=True):
            if "few_stop_words" not in [each["reason"] for each in reason]:
                continue
            failed += 1
            own = stop_words.get(ITS_OWN.get(row["lang"], full_name(row["lang"])), set())
            if full_name(label) != full_name(row["lang"]) and len(own & set(WORD.findall(row["text"]))) >= 2:
                foreign.append((row["lang"], label, row["text"]))
    assert failed > 2000 / every
    assert not foreign
