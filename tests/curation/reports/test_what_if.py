"""What a corpus would keep by other thresholds, by its stored signals, is what a run with these thresholds keeps."""

import copy
import dataclasses
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from curation.engine.driver import curate
from curation.filters.thresholds import thresholds, without_thresholds
from curation.job import Execution
from curation.recipe import STEPS, Filter, Recipe, stage_of
from curation.recipes.tables import make_recipe, recipe_of
from curation.recipes.writing import recipe_text
from curation.release.ledger import Amount, Ledger, add
from curation.reports.inexact import inexact
from curation.reports.stored_verdicts import stored_signals
from curation.reports.what_if import Outcome, WhatIf, what_if
from curation.sources.inputs import Input
from jobs.corpora import Corpus, finished_corpus
from jobs.corpus.job_file import make_job
from jobs.corpus.what_if import changed_recipe
from schemas.toml_file import parse_toml
from tests.curation.test_routing import FRENCH, GERMAN, ITALIAN, SERBIAN

SENTENCES = [
    "The mill turns the grain of the village into flour that the bakers of the town will have with their bread.",
    "A river runs below the mill, and with its water the wheel is driven day and night to grind what is brought.",
    "- Home", "- Shop...", "# 12 34 56", "int x = {1}; // a mill", "Lorem ipsum is not about mills.", "MILL", "Rye!",
    GERMAN, FRENCH, ITALIAN, SERBIAN,
]  # fmt: skip
ROUTED: dict[str, Any] = {
    "steps": [
        {"use": "language", "languages": [], "min_score": 0.3},
        {"use": "gopher_quality", "min_words": 8, "max_words": "none", "min_stop_words": "none"},
        {"use": "fineweb"},
    ],
    "languages": {
        "de": {"gopher_quality": {"min_words": 30}},
        "fr": {"gopher_quality": {"max_words": 30, "min_words": "none"}, "language": {"min_score": 0.9}},
        "en": {"fineweb": {"max_short_lines": 0.5}},
    },
}
OFF: dict[str, Any] = {"url": False, "exact": False, "near": False}
EVERY: dict[str, Any] = {
    "steps": [
        {"use": "url", "soft_words": ["mill", "rye", "com"], "words": ["bad"], "domains": ["bad.example"]},
        {"use": "url_substrings", "substrings": ["mill", "rye"]},
        {"use": "robots", "robots": [json.dumps({"host": "rye.com", "robots": "User-agent: *\nDisallow: /3"})]},
        {"use": "rights", "licences": ["cc-by", "cc0", "unknown"]},
        {"use": "language", "min_score": 0.2},
        {"use": "gopher_repetition"},
        {"use": "gopher_quality"},
        {"use": "characters"},
        {"use": "comments"},
        {"use": "replace", "patterns": ["Rye"], "replacement": "Wheat"},
        {"use": "line_lengths"},
        {"use": "madlad"},
        {"use": "removed_words"},
        {"use": "c4_pages"},
        {"use": "pattern", "patterns": ["mill", "[0-9]+"]},
        {"use": "fineweb"},
        {"use": "word_list", "words": ["mill", "der müller"]},
    ]
}
FEW = settings(max_examples=3, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
MANY = settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def documents(count: int) -> list[dict[str, Any]]:
    draw = random.Random(20)
    texts = ["", " "] + [
        draw.choice(["\n", " ", "\n\n"]).join(draw.choices(SENTENCES, k=draw.randint(1, 9))) for _ in range(count - 2)
    ]
    hosts = ["mill.example", "rye.com", "bad.example", "", None]
    rows = []
    for number, text in enumerate(texts):
        host, licence = draw.choice(hosts), draw.choice(["cc-by-4.0", "cc0", "all rights reserved"])
        rows.append({"text": text, "url": f"http://{host}/{number % 7}" if host else host, "license": licence})
    return rows


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents, and a recipe with every filter."""
    folder = tmp_path_factory.mktemp("what_if")
    lines = [json.dumps(each) + "\n" for each in documents(80)]
    (folder / "a.jsonl").write_text("".join(lines[:50]))
    (folder / "b.jsonl").write_text("".join(lines[50:]))
    return folder


def run(
    place: Path, table: dict[str, Any], name: str, changes: Sequence[str] = (), dedup: dict[str, Any] = OFF
) -> Ledger:
    """A run over the documents; two sources, and several units."""
    given = [Input(glob=str(place / f"{source}.jsonl"), source=source) for source in "ab"]
    job = make_job(given, {**copy.deepcopy(table), "dedup": dedup}, ["unit_bytes=6000", *changes])
    return curate(job, str(place / name), Execution(workers=0))


def opened(folder: Path) -> Corpus:
    found = finished_corpus(str(folder))
    assert found is not None
    return found


def asked(corpus: Corpus, *cases: Recipe) -> WhatIf:
    old = recipe_of(corpus.manifest.recipe)
    return what_if(corpus.folder, corpus.manifest, old, {str(number): case for number, case in enumerate(cases)})


def notes(corpus: Corpus, case: Recipe) -> list[str]:
    return list(inexact(recipe_of(corpus.manifest.recipe), case, stored_signals(corpus.folder, corpus.manifest)))


def by_rule(ledger: Ledger) -> dict[tuple[str, str], Amount]:
    found: dict[tuple[str, str], Amount] = {}
    for (_, stage, reason), amount in ledger.rejected.items():
        found[stage, reason] = add(found.get((stage, reason), (0, 0, 0)), amount)
    return found


def removed(outcome: Outcome) -> dict[tuple[str, str], Amount]:
    filters = {key: each.removed for key, each in outcome.rules.items() if each.removed[0]}
    return filters | {key: amount for key, amount in outcome.later.items() if amount[0]}


def check(place: Path, table: dict[str, Any], base: Path, changes: Sequence[str]) -> None:
    corpus = opened(base)
    case = changed_recipe(corpus, changes)
    assert notes(corpus, case) == []
    found = asked(corpus, case)
    name = f"run{len(list(place.iterdir()))}"
    ledger = run(place, table, name, changes)
    outcome = found.cases["0"]
    assert (found.read, outcome.kept) == (ledger.total("read"), ledger.total("kept"))
    assert removed(outcome) == by_rule(ledger)
    assert outcome.newly_kept[0] - outcome.newly_removed[0] == outcome.kept[0] - found.run.kept[0]
    assert make_recipe(case.name, parse_toml(recipe_text(case), "written")) == case


@pytest.fixture(scope="module")
def every(place: Path) -> Path:
    run(place, EVERY, "every")
    return place / "every"


@pytest.fixture(scope="module")
def routed(place: Path) -> Path:
    run(place, ROUTED, "routed")
    return place / "routed"


def _filters() -> list[Any]:
    return [step for step in make_recipe("every", EVERY).steps if isinstance(step, Filter)]


def _values(step: Any, name: str) -> st.SearchStrategy[str]:
    """Values of a threshold as on a command line."""
    hint = get_type_hints(type(step))[name]
    kinds = get_args(hint) or (hint,)
    if name == "languages":
        return st.sampled_from(['["en"]', '["de", "fr"]', "[]"])
    if name == "licences":
        return st.sampled_from(['["cc-by-4.0"]', '["cc0", "unknown"]', "[]"])
    if bool in kinds:
        return st.sampled_from(["true", "false"])
    counts = st.integers(1, 300).map(str)
    shares = st.one_of(st.floats(0, 1), st.floats(0, 120)).map(lambda value: repr(round(value, 3)))
    own = counts if int in kinds else shares
    return st.one_of(own, st.just("none")) if type(None) in kinds else own


def _changes(step: Any, name: str) -> st.SearchStrategy[str]:
    return st.builds(f"{stage_of(step)}.{name}={{}}".format, _values(step, name))


ONE_CHANGE = st.one_of(*(_changes(step, name) for step in _filters() for name in thresholds(step)))
CHANGES = st.lists(ONE_CHANGE, min_size=1, max_size=6, unique_by=lambda change: change.partition("=")[0])
OF_LANGUAGES: dict[str, list[float]] = {
    "languages.{}.gopher_quality.min_words={}": [0, 5, 16, 17, 29, 30],
    "languages.{}.fineweb.max_short_lines={}": [0, 0.2, 0.9],
    "languages.{}.language.min_score={}": [0.2, 0.97, 1.0],
    "{0:.0}gopher_quality.max_mean_word_length={1}": [4, 5, 6, 9],
    "{0:.0}language.min_score={1}": [0.1, 0.8, 0.99],
}
ROUTED_CHANGES = st.lists(
    st.one_of(
        *(
            st.builds(setting.format, st.sampled_from(["de", "fr", "en"]), st.sampled_from(values))
            for setting, values in OF_LANGUAGES.items()
        )
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda change: change.partition("=")[0],
)


def possible(table: dict[str, Any], changes: Sequence[str], base: Path) -> bool:
    """Whether no minimum is above its maximum, which no run accepts."""
    case = changed_recipe(opened(base), changes)
    pairs = [(vars(step), name) for step in case.all_steps for name in vars(step) if name.startswith("min_")]
    bounds = [(held[name], held.get(name.replace("min_", "max_", 1))) for held, name in pairs]
    return all(least is None or most is None or least <= most for least, most in bounds)


def test_the_run_is_counted_as_its_ledger_counts(every: Path, routed: Path) -> None:
    for folder in (every, routed):
        corpus = opened(folder)
        ledger = Ledger.of(corpus.manifest.ledger)
        found = asked(corpus, recipe_of(corpus.manifest.recipe))
        for outcome in (found.run, found.cases["0"]):
            assert removed(outcome) == by_rule(ledger)
            assert outcome.kept == ledger.total("kept")
        assert found.read == ledger.total("read")
        assert len(by_rule(ledger)) >= 5


def test_documents_of_removed_sites_are_counted_as_removed_later(place: Path) -> None:
    sites = {"kinds": ["email"], "per_thousand_words": 5, "min_documents": 2}
    given = [
        {"text": f"Write to jo@mill.example about {n} mills.", "url": f"http://{host}.example/{n}"}
        for n, host in enumerate(("mill", "rye", "mill", "rye", "mill"))
    ]
    (place / "c.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in [*given, {"text": "Rye grows."}]))
    table = {"steps": [{"use": "pattern", "patterns": ["about [34]"]}], "sites": sites, "dedup": OFF}
    ledger = curate(make_job([Input(glob=str(place / "c.jsonl"))], table, []), str(place / "c"), Execution(workers=0))
    corpus = opened(place / "c")
    found = asked(corpus, changed_recipe(corpus, ["pattern.max_share=none"]))
    assert found.read == ledger.total("read")
    assert removed(found.run) == by_rule(ledger)
    assert found.run.later["sites", "personal_information"][0] == 2
    assert found.run.kept[0] == 2
    case = recipe_of(corpus.manifest.recipe)
    assert make_recipe(case.name, parse_toml(recipe_text(case), "written")) == case


@FEW
@given(changes=CHANGES)
def test_changed_thresholds_give_the_ledger_of_a_run(place: Path, every: Path, changes: list[str]) -> None:
    if possible(EVERY, changes, every):
        check(place, EVERY, every, changes)


@FEW
@given(changes=ROUTED_CHANGES)
def test_changed_thresholds_of_languages_give_the_ledger_of_a_run(
    place: Path, routed: Path, changes: list[str]
) -> None:
    check(place, ROUTED, routed, changes)


@pytest.mark.soak
@MANY
@given(changes=CHANGES)
def test_any_changed_thresholds_give_the_ledger_of_a_run(place: Path, every: Path, changes: list[str]) -> None:
    if possible(EVERY, changes, every):
        check(place, EVERY, every, changes)


@pytest.mark.soak
@MANY
@given(changes=ROUTED_CHANGES)
def test_any_changed_thresholds_of_languages_give_the_ledger(place: Path, routed: Path, changes: list[str]) -> None:
    check(place, ROUTED, routed, changes)


def _settings_of_language(words: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "language": st.fixed_dictionaries({}, optional={"min_score": st.sampled_from([0.1, 0.5, 0.97])}),
            "gopher_quality": st.fixed_dictionaries({}, optional={"min_words": st.sampled_from(words)}),
            "fineweb": st.fixed_dictionaries({}, optional={"max_short_lines": st.sampled_from([0.2, 0.5, 0.9])}),
        },
    )


@pytest.mark.soak
@settings(FEW, max_examples=30)
@given(base=_settings_of_language([5, 8, 16]), own=st.tuples(*[_settings_of_language([5, 8, 16, 17, 30, "none"])] * 3))
def test_a_changed_recipe_file_with_languages_gives_the_ledger_of_a_run(
    place: Path, routed: Path, base: dict[str, Any], own: tuple[dict[str, Any], ...]
) -> None:
    steps = [{**step, **base.get(step["use"], {})} for step in ROUTED["steps"]]
    table = {"steps": steps, "languages": dict(zip(("de", "en", "fr"), own, strict=True))}
    corpus, case = opened(routed), make_recipe("own", {**copy.deepcopy(table), "dedup": OFF})
    assert notes(corpus, case) == []
    ledger = run(place, table, f"run{len(list(place.iterdir()))}")
    outcome = asked(corpus, case).cases["0"]
    assert removed(outcome) == by_rule(ledger)
    assert outcome.kept == ledger.total("kept")


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("gopher_quality.min_alpha_words", ("gopher_quality", "few_alpha_words")),
        ("madlad.min_sentences", ("madlad", "few_split_sentences")),
        ("c4_pages.min_sentences", ("c4_pages", "too_few_sentences")),
    ],
)
def test_alone_counts_the_documents_that_a_rule_decides(every: Path, setting: str, key: tuple[str, str]) -> None:
    corpus = opened(every)
    found = asked(corpus, changed_recipe(corpus, [f"{setting}=none"]))
    assert found.cases["0"].newly_kept[0] == found.run.rules[key].alone


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("gopher_quality.dialect=dolma", "gopher_quality.definition"),
        ("gopher_quality.definition.words=white_space", "gopher_quality.definition"),
        ("language.characters=500", "language.characters"),
        ("pattern.case_sensitive=false", "pattern.case_sensitive"),
        ("word_list.words=['rye']", "word_list.words"),
        ("replace.replacement=Oats", "the text before"),
        ("normalise=false", "the text before"),
        ("dedup.exact=true", "dedup"),
        ("sites={kinds = 'email', per_thousand_words = 5}", "sites"),
    ],
)
def test_it_says_for_which_settings_the_numbers_are_not_exact(every: Path, change: str, said: str) -> None:
    corpus = opened(every)
    assert any(said in note for note in notes(corpus, changed_recipe(corpus, [change])))


def test_it_says_that_stop_words_of_other_languages_are_counted_as_in_the_run(routed: Path) -> None:
    corpus = opened(routed)
    [note] = notes(corpus, changed_recipe(corpus, ["languages.de.gopher_quality.min_stop_words=2"]))
    assert "languages.de.gopher_quality.min_stop_words" in note


@pytest.mark.parametrize("step", [each() for each in STEPS if isinstance(each(), Filter)], ids=lambda step: step.use)
def test_every_setting_is_a_threshold_or_changes_what_is_measured(step: Any) -> None:
    """A threshold leaves the signals' definitions; any other setting is part of what makes two steps measure alike."""
    for field in dataclasses.fields(step):
        if field.init and field.name != "use":
            other = OTHERS.get(field.name, _another(getattr(step, field.name)))
            same = without_thresholds(dataclasses.replace(step, **{field.name: other})) == without_thresholds(step)
            assert same == (field.name in thresholds(step))


OTHERS = {"opt_outs": ("noai",), "licences": ("cc0",)}
"""Values of settings that take names of their own only."""


def _another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, tuple):
        return (*value, "x")
    if dataclasses.is_dataclass(value):
        return dataclasses.replace(value, words="white_space")  # type: ignore[type-var]
    others = {"spacy_en": "uax29", "c": "hash", "lid.176": "py3langid"}
    return others.get(value, "other") if isinstance(value, str) else 7
