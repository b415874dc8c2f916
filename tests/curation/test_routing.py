"""Recipes with settings for single languages: each document is judged by those for its language, whatever lies around
it."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from curation.engine.driver import curate
from curation.engine.manifest import job_json
from curation.filters.c4 import C4Pages
from curation.filters.dialects import DIALECTS
from curation.filters.gopher_quality import GopherQuality
from curation.filters.gopher_repetition import GopherRepetition
from curation.filters.labels import belongs, full_name
from curation.job import Execution, Job
from curation.judge import judge, reasons
from curation.recipe import OWN_STOP_WORDS, ROUTE, Filter, Recipe
from curation.recipes.tables import make_recipe, recipe_of
from curation.release.folder import Folder
from curation.release.lookup import Lookup
from curation.release.manifest import read_finished
from curation.reports.comparison import partings
from curation.reports.explain import explain
from curation.reports.recipe_warnings import dead_rules, foreign_stop_words
from curation.routing import settings_of
from curation.sources.inputs import Input
from schemas import RECORDS
from schemas.errors import UserError

GERMAN = "Die alte Mühle am Fluss steht schon seit vielen Jahren still und wartet auf einen neuen Müller. "
FRENCH = "Le vieux moulin au bord de la rivière attend depuis longtemps un nouveau meunier pour moudre le blé. "
ITALIAN = "Il vecchio mulino vicino al fiume aspetta da molto tempo un nuovo mugnaio che macini il grano. "
SERBIAN = "Стари млин поред реке дуго чека новог млинара који ће поново млети жито за цело село. "
LATIN_SERBIAN = "Stari mlin pored reke dugo čeka novog mlinara koji će ponovo mleti žito za celo selo, šta će biti. "
TABLE: dict[str, Any] = {
    "steps": [
        {"use": "language", "languages": [], "min_score": 0.3},
        {"use": "gopher_quality", "min_words": 1, "max_words": "none", "min_stop_words": "none"},
        {"use": "fineweb", "max_short_lines": "none"},
    ],
    "languages": {
        "de": {"gopher_quality": {"min_words": 30}},
        "fr": {"gopher_quality": {"max_words": 30, "min_words": "none"}, "language": {"min_score": 0.2}},
        "srp_Cyrl": {"gopher_quality": {"max_mean_word_length": 3.5}},
        "srp_Latn": {"gopher_quality": {"max_mean_word_length": 3.25}},
    },
}


def recipe(**changes: Any) -> Recipe:
    return make_recipe("mine", {**copy.deepcopy(TABLE), **changes})


def records(texts: list[str]) -> pa.RecordBatch:
    columns: dict[str, Any] = {
        "text": [text.strip() for text in texts],
        "doc_id": [f"{row:032x}" for row in range(len(texts))],
        "url": "",
    }
    given = []
    for field in RECORDS.columns:
        default = 0 if pa.types.is_integer(field.type) else "" if not field.nullable else None
        value = columns.get(field.name, default)
        given.append(pa.array(value if isinstance(value, list) else [value] * len(texts), field.type))
    return pa.RecordBatch.from_arrays(given, schema=RECORDS.columns)


def failed(texts: list[str], of: Recipe) -> list[list[tuple[Any, ...]]]:
    return [[(each["reason"], each["threshold"]) for each in row] for row in reasons(judge(records(texts), of))]


def test_a_document_is_judged_by_the_settings_for_its_language() -> None:
    assert failed([GERMAN, FRENCH, GERMAN * 2, FRENCH * 2, ITALIAN], recipe()) == [
        [("too_few_words", 30)],
        [],
        [],
        [("too_many_words", 30)],
        [("language", None)],
    ]


def test_the_script_chooses_among_settings_for_a_language() -> None:
    judged = judge(records([SERBIAN]), recipe())
    assert judged.signals["language_settings"].to_pylist() == ["srp_Cyrl"]
    assert ("long_words", 3.5) in failed([SERBIAN], recipe())[0]
    names = [each.name for each in recipe().languages]
    found = settings_of(
        recipe(), pa.array(["sr", "sr", None, "it"]), pa.array([SERBIAN, LATIN_SERBIAN, "", "x"], pa.large_string())
    )
    assert [names[row] if row >= 0 else None for row in found.tolist()] == ["srp_Cyrl", "srp_Latn", None, None]


def test_verdicts_and_signals_do_not_depend_on_the_rows_around() -> None:
    texts = [GERMAN, "", SERBIAN, FRENCH * 3, ITALIAN, GERMAN * 2, "12 34", SERBIAN * 2, FRENCH]
    together = judge(records(texts), recipe())
    order = np.random.default_rng(7).permutation(len(texts))
    shuffled = judge(records([texts[row] for row in order]), recipe())
    for row, other in enumerate(order.tolist()):
        alone = judge(records([texts[other]]), recipe())
        for judged in (shuffled.filter(np.arange(len(texts)) == row), together.filter(np.arange(len(texts)) == other)):
            assert judged.signals.to_pylist() == alone.signals.to_pylist()
            assert reasons(judged) == reasons(alone)
            assert judged.texts.to_pylist() == alone.texts.to_pylist()


def test_an_uncertain_language_is_the_only_reason() -> None:
    table = copy.deepcopy(TABLE["languages"])
    table["de"]["language"] = {"min_score": 1.0}
    assert failed([GERMAN], recipe(languages=table)) == [[("language_score", 1.0)]]


def test_a_manifest_holds_the_settings() -> None:
    made = recipe()
    held = job_json(Job(inputs=(Input(glob="x"),), recipe=made))["recipe"]
    assert recipe_of(held) == made
    assert held["languages"]["de"]["gopher_quality"] == {"min_words": 30, "definition": {"words": "spaced"}}
    assert "languages" not in job_json(Job(inputs=(Input(glob="x"),), recipe=Recipe(name="plain")))["recipe"]


@pytest.mark.parametrize(
    ("languages", "message"),
    [
        ({"xx": {"gopher_quality": {}}}, "languages.xx: the identifier has no language of this name"),
        ({"de": {"gopher_qualty": {}}}, "languages.de.gopher_qualty: the recipe has no step gopher_qualty"),
        ({"de": {"gopher_quality": {"min_wrds": 1}}}, "languages.de.gopher_quality has no field 'min_wrds'"),
        ({"de": {"language": {"characters": 5}}}, "languages.de.language cannot differ by language"),
        ({"de": 3}, "languages.de is 3: give a table of settings for each step"),
        ({"de": {"gopher_quality": 3}}, "languages.de.gopher_quality is 3: give a table with settings of the step"),
        ({"de": {"gopher_quality": {"dialec": "dolma"}}}, r"has no field 'dialec' \(did you mean 'dialect'\?\)"),
        ({"de": {"words": "jeba"}}, "languages.de.words cannot be 'jeba'"),
        ("no-such-file", "languages.file is 'no-such-file', which cannot be read"),
        ({"de": {}, "deu_Latn": {}}, "languages.de and languages.deu_Latn are the same language: put both into one"),
        ({"deu_Latn": {}, "DEU_latn": {}}, r"languages.DEU_latn: .* \(did you mean 'deu_Latn'\?\)"),
        ({"DE": {}}, r"languages.DE: the identifier has no language of this name \(did you mean 'de'\?\)"),
        ({"de": {"gopher_quality": {"dialect": "dolmen"}}}, "languages.de.gopher_quality.dialect cannot be 'dolmen'"),
    ],
)
def test_a_mistake_in_the_table_is_named(languages: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        recipe(languages=languages)


def test_a_table_for_a_language_that_may_not_pass_says_what_to_change() -> None:
    steps = [{"use": "language"}, *TABLE["steps"][1:]]
    with pytest.raises(UserError, match=r"^languages\.de: .* lets only en pass: add 'de' to language\.languages"):
        recipe(steps=steps, languages={"de": {}})


def test_a_contradiction_in_a_language_names_it() -> None:
    with pytest.raises(
        UserError, match=r"^languages.de.gopher_quality.min_words is 9, above languages.de.gopher_quali"
    ):
        recipe(languages={"de": {"gopher_quality": {"min_words": 9, "max_words": 8}}, "fr": {}}).check()


def test_a_dialect_in_a_language_is_that_of_the_project() -> None:
    """Aside from stop words, which are the language's own, and words if the language's table says what they are."""
    stop_words = {"definition": {"stop_words": ["und", "die"]}}
    steps = [TABLE["steps"][0], {"use": "gopher_quality", **stop_words}]
    made = recipe(
        steps=steps,
        languages={
            "de": {"gopher_quality": {"dialect": "dolma"}},
            "fr": {"gopher_quality": {"dialect": "dolma", "definition": {"bullets": ["+"]}}, "words": "characters"},
        },
    )
    dolma = replace(DIALECTS["dolma"].quality, stop_words=("und", "die"))
    found = {each.name: each.steps[1].definition for each in made.languages}  # type: ignore[union-attr]
    assert found == {"de": dolma, "fr": replace(dolma, words="characters", bullets=("+",))}
    assert recipe_of(job_json(Job(inputs=(Input(glob="x"),), recipe=made))["recipe"]) == made


@pytest.mark.parametrize("names", [("sr", "srp_Latn"), ("srp_Latn", "sr")])
def test_settings_for_a_script_change_those_for_its_language(names: tuple[str, str]) -> None:
    tables = {
        "sr": {"gopher_quality": {"min_words": 7, "max_words": 70}},
        "srp_Latn": {"gopher_quality": {"min_words": 9}},
    }
    made = recipe(languages={name: tables[name] for name in names})
    bounds = {
        each.name: (step.min_words, step.max_words)
        for each in made.languages
        for step in each.steps
        if isinstance(step, GopherQuality)
    }
    assert bounds == {"sr": (7, 70), "srp_Latn": (9, 70)}


def test_only_signals_that_some_language_asks_for_are_measured() -> None:
    texts = [GERMAN, FRENCH * 3, ITALIAN, SERBIAN, GERMAN * 2, FRENCH]
    few, every = recipe(signals=["hash_ratio"]), recipe()
    some, full = judge(records(texts), few), judge(records(texts), every)
    rules = {
        rule.signal
        for each in few.languages
        for step in each.steps
        if isinstance(step, Filter)
        for rule in step.rules()
    }
    assert set(some.signals.schema.names) == {"hash_ratio", *rules, *ROUTE.names, *OWN_STOP_WORDS.names}
    assert not {name for family in (GopherRepetition, C4Pages) for name in family().signals.names} & set(
        some.signals.schema.names
    )
    for name in some.signals.schema.names:
        assert some.signals[name].equals(full.signals[name]), name
    assert reasons(some) == reasons(full)


def test_a_comparison_shows_the_thresholds_of_the_language() -> None:
    table = copy.deepcopy(TABLE["languages"])
    table["de"]["gopher_quality"]["min_words"] = 10
    [german, french] = partings(records([GERMAN, FRENCH * 3]), {"mine": recipe(), "other": recipe(languages=table)})
    assert german["parts"] == [
        {
            "stage": "gopher_quality",
            "reason": "too_few_words",
            "mine": {"failed": True, "value": 17, "threshold": 30},
            "other": {"failed": False, "value": 17, "threshold": 10},
        }
    ]
    assert not french["parts"]


def test_settings_for_languages_need_the_language_first() -> None:
    with pytest.raises(UserError, match=r"first step \(after url\) is not language"):
        recipe(steps=TABLE["steps"][1:])


def test_labels_mean_one_language_and_script() -> None:
    assert full_name("als") == "gsw_Latn"  # in lid.176, as in Wikipedia; in GlotLID als_Latn is Tosk Albanian
    assert belongs("als_Latn", "sq")
    assert not belongs("als_Latn", "als")
    assert belongs("nob_Latn", "no")
    assert not belongs("nno_Latn", "no")


def test_english_stop_words_for_other_languages_are_warned_of() -> None:
    steps = [{"use": "language", "languages": ["de", "fr"]}, {"use": "gopher_quality"}]
    [warning] = foreign_stop_words(make_recipe("mine", {"steps": steps}))
    assert "asks for English stop words, and the step language lets 2 languages pass" in warning
    [warning] = foreign_stop_words(make_recipe("mine", {"steps": steps, "languages": {"de": {}, "fr": {}}}))
    assert warning.startswith("texts in de, fr need English stop words")
    steps[0]["languages"] = ["en"]
    assert not list(foreign_stop_words(make_recipe("mine", {"steps": steps})))
    assert not list(foreign_stop_words(recipe()))


def test_a_dead_rule_of_a_language_is_warned_of() -> None:
    found = list(dead_rules(recipe(languages={"de": {"gopher_quality": {"min_words": 0}}, "fr": {}})))
    assert found == ["languages.de.gopher_quality: too_few_words can never fire, since words is never under 0"]


def test_a_corpus_of_many_languages_is_explained_by_their_thresholds(tmp_path: Path) -> None:
    texts = [GERMAN, FRENCH * 3, ITALIAN, SERBIAN, GERMAN * 2, FRENCH]
    lines = [json.dumps({"id": str(row), "text": f"{text}{row}."}) for row, text in enumerate(texts)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    job = Job(inputs=(Input(glob=str(tmp_path / "in.jsonl")),), recipe=recipe())
    for name, workers in (("one", 0), ("two", 1)):
        curate(job, str(tmp_path / name), Execution(workers=workers))
    assert read_finished(Folder(str(tmp_path / "one")))[1] == read_finished(Folder(str(tmp_path / "two")))[1]
    lookup = Lookup(str(tmp_path / "one"))
    assert lookup.recipe == job.recipe
    said = {doc_id: "\n".join(explain(lookup, lookup.find(doc_id)[0])) for doc_id in "0123"}
    assert "words is 18, the recipe asks for at least 30 of texts in de" in said["0"]
    assert "the recipe asks for at most 30 of texts in fr" in said["1"]
    assert "language is it, the recipe asks for de or fr or sr" in said["2"]
    assert "the recipe asks for at most 3.5 of texts in sr" in said["3"]
