"""Finds valid settings that are probably mistakes: rules that never or always fire, and English stop words for all."""

import dataclasses
from collections.abc import Iterator, Mapping

from curation.filters.gopher_quality import GopherQuality
from curation.filters.labels import full_name
from curation.filters.language import Language
from curation.filters.rights import Rights
from curation.filters.rules import Rule
from curation.kernels.word_tables import STOP_WORDS
from curation.recipe import Filter, Recipe, Step, changes_texts, stage_of
from curation.recipes.published import published, read_data_file
from curation.routing import language_step

ENGLISH = "eng_Latn"


def warnings_for(recipe: Recipe) -> Iterator[str]:
    """A sentence for each setting of the recipe that is probably a mistake."""
    yield from dead_rules(recipe)
    yield from foreign_stop_words(recipe)
    yield from missing_libraries(recipe)
    if recipe.dedup.url_form != "whole" and not recipe.dedup.url:
        yield "dedup.url_form has no effect, since duplicates are not removed by url: set dedup.url to true"


def missing_libraries(recipe: Recipe) -> Iterator[str]:
    """A sentence if settings for some languages are not in force because a library is not installed."""
    if recipe.language_file is None:
        return
    step = language_step(recipe)
    known = {each.name for each in recipe.languages}
    rows = published(read_data_file(recipe.language_file[0])[0], dataclasses.replace(step, languages=()))
    absent = [each for each in rows if each.labels and each.missing and each.name not in known]
    if absent:
        labels = ", ".join(sorted({label for each in absent for label in each.labels}))
        packages = ", ".join(sorted({package for each in absent for package in each.missing}))
        yield (
            f"texts in {labels} are rejected as of another language, since splitting their words needs {packages}: "
            "install them (pip install 'gristmill[languages]'), or set for example "
            f"languages.{absent[0].labels[0]}.words to characters"
        )


def foreign_stop_words(recipe: Recipe) -> Iterator[str]:
    """A sentence for each language other than English whose texts need English stop words; one for a recipe whose step
    ``language`` lets several languages pass, and that has no settings for languages."""
    step = next((each for each in recipe.steps if isinstance(each, Language)), None)
    wrong = [each.name for each in recipe.languages if _wants_english(each.steps) and full_name(each.name) != ENGLISH]
    if wrong:
        shown = f"{', '.join(wrong[:5])}{' and others' if len(wrong) > 5 else ''}"
        yield (
            f"texts in {shown} need English stop words: set languages.{wrong[0]}.gopher_quality.definition.stop_words, "
            "or min_stop_words to none"
        )
    if step is not None and not recipe.languages and step.languages != ("en",) and _wants_english(recipe.steps):
        which = f"{len(step.languages)} languages" if step.languages else "every language"
        if len(step.languages) == 1:
            which = f"texts in {step.languages[0]}"
        yield (
            f"the step gopher_quality asks for English stop words, and the step language lets {which} pass: give each "
            'language its own settings (languages = "fineweb2"), or set gopher_quality.min_stop_words to none'
        )


def _wants_english(steps: tuple[Step, ...]) -> bool:
    quality = next((each for each in steps if isinstance(each, GopherQuality)), None)
    if quality is None or not quality.min_stop_words:
        return False
    return set(quality.definition.stop_words) == set(STOP_WORDS)


def dead_rules(recipe: Recipe) -> Iterator[str]:
    """A sentence for each rule of the recipe that can never fire or always does, and for each step without a rule; then
    for each such rule that only some language has."""
    ranges = {column.name: (column.metadata or {}).get(b"range") for column in recipe.measured_signals}
    known = {name: bounds.decode() for name, bounds in ranges.items() if bounds}
    for step in recipe.steps:
        if isinstance(step, Filter):
            of_use = isinstance(step, Rights) or changes_texts(step)  # without a rule
            if not step.rules() and not of_use:
                yield f"the step {stage_of(step)} has no rule left and removes nothing"
            for rule in step.rules():
                yield from _dead(rule, stage_of(step), known)
    for each in recipe.languages:
        for step, own in zip(recipe.steps, each.steps, strict=True):
            if isinstance(step, Filter) and isinstance(own, Filter):
                usual = step.rules()
                for rule in own.rules():
                    if rule not in usual:
                        yield from _dead(rule, f"languages.{each.name}.{stage_of(step)}", known)


def _dead(rule: Rule, stage: str, ranges: Mapping[str, str]) -> Iterator[str]:
    """A sentence if a rule can never fire, and if it always does, by the range of each signal."""
    if rule.signal not in ranges:
        return
    low, high = (float(bound) if bound else None for bound in ranges[rule.signal].split(".."))
    if rule.at_least is not None and low is not None and rule.at_least <= low:
        yield f"{stage}: {rule.reason} can never fire, since {rule.signal} is never under {rule.at_least:g}"
    if rule.at_most is not None and high is not None and rule.at_most >= high:
        yield f"{stage}: {rule.reason} can never fire, since {rule.signal} is never over {rule.at_most:g}"
    if rule.at_least is not None and high is not None and rule.at_least > high:
        yield f"{stage}: {rule.reason} removes every document, since {rule.signal} is never over {high:g}"
    if rule.at_most is not None and low is not None and rule.at_most < low:
        yield f"{stage}: {rule.reason} removes every document, since {rule.signal} is never under {low:g}"
