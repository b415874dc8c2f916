"""Settings for single languages: by which of them a document is judged, and the rules of all languages together."""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from graphlib import TopologicalSorter

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.filters.labels import belongs, full_name, script_of
from curation.filters.language import Language
from curation.filters.rules import Rule
from curation.recipe import Filter, Recipe, Step, splitter_of, stage_of

EMPTY = Rule(reason="empty", signal="characters", at_least=1)
"""A document without text fails this rule in every recipe, at the stage ``text``."""
OTHER_STOP_WORDS = Rule(reason="other_stop_words", signal="other_stop_words", at_most=0)
"""A document of uncertain language fails this rule, at the stage ``language``: it has too few stop words of its own
language, and more of another language."""
SCRIPT_CHARACTERS = 1000
"""How many characters at the start of a text show its script."""
_SCRIPTS = {
    "Arab": "Arabic",
    "Beng": "Bengali",
    "Cans": "Canadian_Aboriginal",
    "Cher": "Cherokee",
    "Cyrl": "Cyrillic",
    "Deva": "Devanagari",
    "Ethi": "Ethiopic",
    "Goth": "Gothic",
    "Gujr": "Gujarati",
    "Guru": "Gurmukhi",
    "Hani": "Han",
    "Hebr": "Hebrew",
    "Khmr": "Khmer",
    "Knda": "Kannada",
    "Latn": "Latin",
    "Limb": "Limbu",
    "Mlym": "Malayalam",
    "Mtei": "Meetei_Mayek",
    "Olck": "Ol_Chiki",
    "Orya": "Oriya",
    "Sylo": "Syloti_Nagri",
    "Taml": "Tamil",
    "Telu": "Telugu",
    "Tfng": "Tifinagh",
    "Thai": "Thai",
    "Tibt": "Tibetan",
}
"""Scripts by ISO 15924, as regular expressions of Arrow name them: those in which a language has several settings."""
Key = tuple[str, str]
"""The stage and the reason of a rule."""


def settings_of(recipe: Recipe, labels: pa.Array, texts: pa.LargeStringArray) -> npt.NDArray[np.int64]:
    """For each text the index of its settings in ``recipe.languages``, by the label of its language; -1 if the recipe
    has no settings for that language.

    If a language has settings for several scripts, the script of most letters in the text decides.
    """
    found = np.full(len(texts), -1, np.int64)
    encoded = labels.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    for code, label in enumerate(encoded.dictionary.to_pylist()):
        rows = np.flatnonzero(codes == code)
        choices = _choices(tuple(each.name for each in recipe.languages), label)
        if choices and len(choices) == 1:
            found[rows] = choices[0]
        elif choices:
            scripts = [script_of(recipe.languages[choice].name) or "" for choice in choices]
            best = _most_common_script(texts.take(pa.array(rows)), scripts)
            found[rows] = np.array(choices)[best]
    return found


@cache
def _choices(names: tuple[str, ...], label: str) -> tuple[int, ...]:
    """The settings for a label, those in its usual script first."""
    wanted = [index for index, name in enumerate(names) if belongs(name, label)]
    return tuple(sorted(wanted, key=lambda index: (full_name(names[index]) != full_name(label), index)))


def _most_common_script(texts: pa.LargeStringArray, scripts: Sequence[str]) -> npt.NDArray[np.int64]:
    """For each text the index in ``scripts`` of the script with the most letters; of equals, the first."""
    heads = pc.utf8_slice_codeunits(texts, 0, SCRIPT_CHARACTERS)
    counts = [
        pc.count_substring_regex(heads, f"\\p{{{_SCRIPTS[script]}}}").to_numpy(zero_copy_only=False)
        if script in _SCRIPTS
        else np.zeros(len(texts), np.int64)
        for script in scripts
    ]
    return np.asarray(np.argmax(np.array(counts), axis=0))


@lru_cache(maxsize=4)
def rules_of_all(recipe: Recipe) -> tuple[list[tuple[str, Rule]], frozenset[str]]:
    """The rules of all languages with their stages, each once, in the order in which they are checked; and the steps
    that have other settings for some language, aside from ``language``.

    The thresholds of the rules are those of any language that has the rule. The first rule is ``EMPTY``.
    """
    rules: dict[Key, Rule] = {}
    order: TopologicalSorter[Key] = TopologicalSorter()
    for steps in (recipe.steps, *(each.steps for each in recipe.languages)):
        before: Key | None = None
        for stage, rule in (("text", EMPTY), *rules_of(steps)):
            key = (stage, rule.reason)
            rules.setdefault(key, rule)
            order.add(key, *([] if before is None else [before]))
            before = key
    changed = {
        stage_of(step)
        for each in recipe.languages
        for step, own in zip(recipe.steps, each.steps, strict=True)
        if step != own
    }
    return [(key[0], rules[key]) for key in order.static_order()], frozenset(changed - {"language"})


def rules_of(steps: Sequence[Step]) -> Iterator[tuple[str, Rule]]:
    """The rules of some steps in order, each with its stage."""
    for step in steps:
        if isinstance(step, Filter):
            for rule in step.rules():
                yield stage_of(step), rule
            if isinstance(step, Language):
                yield step.use, OTHER_STOP_WORDS


def spare_uncertain(
    failed: npt.NDArray[np.bool_], stages: Sequence[str], routed: frozenset[str], settings: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """The failures (documents, rules) without those that do not count: a document that fails a rule of ``language``, or
    whose language has no settings (-1), fails no rule of the steps in ``routed``."""
    of_language = np.array([stage == Language.use for stage in stages])
    of_routed = np.array([stage in routed for stage in stages])
    uncertain = failed[:, of_language].any(axis=1) | (settings < 0)
    return np.asarray(failed & ~(uncertain[:, None] & of_routed))


def first_splitter(steps: Sequence[Step]) -> str:
    """What splits texts into words for the first step that has a splitter; ``spacy_en`` if no step has one."""
    return next((splitter for step in steps if (splitter := splitter_of(step))), "spacy_en")


def language_step(recipe: Recipe) -> Language:
    """The step that identifies languages."""
    return next(step for step in recipe.steps if isinstance(step, Language))
