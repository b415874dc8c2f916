"""Signals by any definition equal plain Python, and the general kernels equal the default one where they should."""

import dataclasses

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.engine.manifest import job_json, plain
from curation.filters.by_definition import quality_columns, repetition_columns
from curation.filters.definitions import QualityDefinition, RepetitionDefinition
from curation.filters.dialects import DIALECTS
from curation.filters.gopher_quality import GopherQuality
from curation.filters.gopher_repetition import GopherRepetition
from curation.job import Job
from curation.recipes.tables import RECIPE_NAMES, make_recipe, recipe_of, recipe_table
from schemas.errors import UserError
from tests.curation.filters.dialect_definitions import BREAKS, WORDS, Signals, quality, repetition
from tests.curation.filters.test_signals import TEXTS as SPACED_TEXTS

PIECES = ("the", "The", "of", "a", "b", "ab", "# x", "#", "...", "…", ". . .", "- a", "• c", "*", "naïve", "日本", "1")
SPACES = (" ", " ", " ", "\n", "\n", "\n\n", "\n\n\n", " \n", "\t", "\u00a0", "\x85")
TEXTS = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(SPACES)), max_size=60).map(
    lambda pairs: "".join(piece + space for piece, space in pairs)
)
PLAIN_WORDS = st.sampled_from(sorted(WORDS))
KEPT = st.sampled_from(["all", "not_empty", "not_blank"])
QUALITY = st.builds(
    QualityDefinition,
    words=PLAIN_WORDS,
    counted_words=st.none() | PLAIN_WORDS,
    count_punctuation=st.booleans(),
    alpha_punctuation=st.booleans(),
    symbol_punctuation=st.booleans(),
    word_length=st.sampled_from(["mean", "median"]),
    length_unit=st.sampled_from(["characters", "bytes"]),
    symbols=st.sampled_from(["each", "summed", "containing", "alone"]),
    ellipses=st.sampled_from([("…",), ("...", ". . .", "…"), ("x", "...")]),
    bullets=st.sampled_from([("*", "-"), ("•", "-"), ("•",)]),
    line_breaks=st.sampled_from(sorted({*BREAKS} - {"none", "blank_lines"})),
    strip_lines=st.booleans(),
    bullet_lines=KEPT,
    ellipsis_lines=KEPT,
    stop_words=st.sampled_from([("the", "of"), ("a", "naïve", "日本"), ()]),
    ignore_case=st.booleans(),
    stop_words_counted=st.sampled_from(["different", "all"]),
)
REPETITION = st.builds(
    RepetitionDefinition,
    words=PLAIN_WORDS,
    length_unit=st.sampled_from(["characters", "bytes"]),
    line_breaks=st.sampled_from(sorted(BREAKS)),
    lines=KEPT,
    paragraph_breaks=st.sampled_from(sorted(BREAKS)),
    paragraphs=KEPT,
    strip_pieces=st.booleans(),
    duplicate_pieces=st.sampled_from(["later", "all"]),
    pieces_over=st.sampled_from(["text", "pieces", "words"]),
    top_least=st.sampled_from([1, 2]),
    top_ties=st.sampled_from(["first", "longest"]),
    top_counted=st.sampled_from(["each", "once"]),
    spaces=st.booleans(),
    duplicate_ngrams=st.sampled_from(["later_apart", "later", "all", "covered"]),
    ngrams_over=st.sampled_from(["text", "words"]),
    short_texts=st.sampled_from(["zero", "one"]),
)


def column(texts: list[str]) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


def assert_same(found: list[Signals], wanted: list[Signals], texts: list[str]) -> None:
    for text, ours, theirs in zip(texts, found, wanted, strict=True):
        close = {name: None if value is None else pytest.approx(value, rel=1e-6) for name, value in theirs.items()}
        assert ours == close, repr(text)


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=3), QUALITY)
@example([""], DIALECTS["dolma"].quality)
@example([" \n ", "The the"], DIALECTS["nemo"].quality)
def test_quality_by_any_definition(texts: list[str], definition: QualityDefinition) -> None:
    found = quality_columns(column(texts), definition).to_pylist()
    assert_same(found, [quality(text, definition) for text in texts], texts)


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=3), REPETITION)
@example([""], DIALECTS["dolma"].repetition)
@example(["a b " * 30, "ab a b ab a b ab b"], DIALECTS["nemo"].repetition)
def test_repetition_by_any_definition(texts: list[str], definition: RepetitionDefinition) -> None:
    found = repetition_columns(column(texts), definition).to_pylist()
    assert_same(found, [repetition(text, definition) for text in texts], texts)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(SPACED_TEXTS, TEXTS, st.text(max_size=80)), min_size=1, max_size=4))
def test_the_general_kernels_equal_the_default_one_by_the_default_definition(texts: list[str]) -> None:
    batch = pa.RecordBatch.from_arrays([column(texts)], ["text"])
    for default, general in (
        (GopherQuality(), quality_columns(batch["text"], QualityDefinition())),
        (GopherRepetition(), repetition_columns(batch["text"], RepetitionDefinition())),
    ):
        assert default.measure(batch).to_pydict() == general.to_pydict()


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200))
def test_signals_of_a_dialect_lie_in_their_declared_ranges_and_say_what_they_count(text: str) -> None:
    for dialect in DIALECTS.values():
        quality_row = quality_columns(column([text]), dialect.quality)
        for measured in (quality_row, repetition_columns(column([text]), dialect.repetition)):
            for field in measured.schema:
                value = measured[field.name][0].as_py()
                low, high = field.metadata[b"range"].decode().split("..")
                assert field.metadata[b"description"]
                assert value is None or (float(low) <= value and (not high or value <= float(high) + 1e-6))


def test_a_dialect_stands_for_its_definition_and_fields_beside_it_change_it() -> None:
    step = {"use": "gopher_quality", "dialect": "dolma", "min_words": 20}
    found = make_recipe("own", {"steps": [step]}).steps[0]
    assert found == GopherQuality(definition=DIALECTS["dolma"].quality, min_words=20)
    changed = make_recipe("own", {"steps": [{**step, "definition": {"bullets": ["+"]}}]}).steps[0]
    assert isinstance(changed, GopherQuality)
    assert changed.definition == dataclasses.replace(DIALECTS["dolma"].quality, bullets=("+",))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"dialect": "dolmo"}, "did you mean 'dolma'"),
        ({"definition": {"word": "uax29"}}, "did you mean 'words'"),
        ({"definition": {"words": "uax"}}, "did you mean 'uax29'"),
        ({"definition": 3, "dialect": "dolma"}, "give a table"),
        ({"definition": {"bullets": [""]}}, "has an empty text"),
        ({"definition": {"line_breaks": "none"}}, "is 'none', but gopher_quality measures lines: give newline"),
    ],
)
def test_a_wrong_definition_is_one_sentence(table: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_recipe("own", {"steps": [{"use": "gopher_quality", **table}]})


@pytest.mark.parametrize("name", RECIPE_NAMES)
def test_a_manifest_holds_the_definition_unless_it_is_the_default(name: str) -> None:
    recipe = make_recipe(name, recipe_table(name))
    written = job_json(Job(inputs=(), recipe=recipe))["recipe"]
    assert recipe_of(written) == recipe
    for step, table in zip(recipe.steps, written["steps"], strict=True):
        if isinstance(step, GopherQuality | GopherRepetition):
            default = step.definition == type(step.definition)()
            assert table.get("definition") == (None if default else plain(step.definition))


def test_rules_without_a_signal_are_off() -> None:
    reasons = [rule.reason for rule in GopherQuality(definition=DIALECTS["dclm"].quality).rules()]
    assert "ellipses" not in reasons
    assert "hashes" in reasons
    reasons = [rule.reason for rule in GopherRepetition(definition=DIALECTS["dolma"].repetition).rules()]
    assert not [reason for reason in reasons if "paragraph" in reason]
    assert "duplicate_lines" in reasons
