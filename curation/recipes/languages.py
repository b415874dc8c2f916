"""Settings for single languages: those of a data file and of a recipe's table, merged into the recipe's steps."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

from curation.filters.contaminated import Contaminated
from curation.filters.fineweb import Fineweb
from curation.filters.identifiers import known_labels
from curation.filters.labels import NAMES, belongs, full_name
from curation.filters.language import Language
from curation.filters.thresholds import thresholds
from curation.filters.url import Url
from curation.recipe import LanguageSettings, Rewrite, Step, splitter_of, stage_of
from curation.recipes.dialect import more_fields, with_definition
from curation.recipes.published import Overrides, passing_labels, published, read_data_file, usual_splitter
from curation.words.splitting import WordKind
from schemas.errors import UserError
from schemas.settings import build, convert, shown

FILE, DIGEST, RESOLVED = "file", "sha256", "resolved"
"""Fields of the table ``languages`` that are not languages. In a manifest the table is ``resolved``: it holds all
settings in force, so the data file of that SHA-256 is not read again."""
WORDS = "words"
"""The field of a language's table that says what splits its texts into words, in every step."""


class Merged(NamedTuple):
    """A recipe's steps with the languages that are in force, the settings for each of them, and the name and SHA-256 of
    the data file."""

    steps: tuple[Step, ...]
    languages: tuple[LanguageSettings, ...]
    file: tuple[str, str] | None


def merge_languages(table: Any, steps: Sequence[Step], entries: Sequence[Mapping[str, Any]]) -> Merged:
    """The steps of a recipe with its table ``languages``. ``entries`` are the tables of ``steps``.

    A language has the settings of the recipe's steps. Settings of the data file replace these, and settings of the
    recipe's own tables for the language replace both; of two tables, the table for fewer languages replaces the other.
    Raises UserError for an invalid table.
    """
    given: Any = {FILE: table} if isinstance(table, str) else table
    if not isinstance(given, Mapping):
        raise UserError(f"languages is {shown(table)}: give the name of a data file, or a table for each language")
    tables = {name: value for name, value in given.items() if name not in (FILE, DIGEST, RESOLVED)}
    own = {name: _own_settings(name, value, steps) for name, value in tables.items()}
    if given.get(RESOLVED):
        file = (given[FILE], given[DIGEST]) if FILE in given else None
        return Merged(tuple(steps), tuple(_settings(name, steps, own[name]) for name in sorted(own)), file)
    step = _language_step(steps)
    _check_names(own, step)
    file, below = None, dict[str, Overrides]()
    if FILE in given:
        rows, digest = read_data_file(str(given[FILE]))
        file = (str(given[FILE]), digest)
        below = _published_settings(rows, steps, [name for name, value in tables.items() if WORDS in value])
    settings = [
        _settings(name, steps, reduce(_deep, (_usual_words(name, steps, entries), below.get(name, {}), *layers)))
        for name, layers in _own_by_name(below, own).items()
    ]
    return _restricted(steps, step, settings, file)


def languages_table(
    steps: Sequence[Step], languages: Sequence[LanguageSettings], file: tuple[str, str] | None
) -> dict[str, Any]:
    """The table for the manifest, from which ``merge_languages`` makes the same settings. It holds what differs from
    the recipe's steps."""
    table: dict[str, Any] = {RESOLVED: True}
    if file is not None:
        table |= {FILE: file[0], DIGEST: file[1]}
    for each in languages:
        table[each.name] = {
            stage_of(step): _difference(step, own) for step, own in zip(steps, each.steps, strict=True) if step != own
        }
    return table


def _language_step(steps: Sequence[Step]) -> Language:
    before = [step for step in steps if not isinstance(step, Url)]
    if not before or not isinstance(before[0], Language):
        raise UserError(
            "the recipe has settings for languages, but its first step (after url) is not language: put a step with "
            'use = "language" first'
        )
    return before[0]


def _own_settings(name: str, table: Any, steps: Sequence[Step]) -> Overrides:
    """The settings of the recipe's table for a language, by step. ``words`` and ``dialect`` are replaced by what they
    stand for; a dialect leaves stop words as they are, since every project's are English."""
    place = f"languages.{name}"
    if not isinstance(table, Mapping):
        raise UserError(f"{place} is {shown(table)}: give a table of settings for each step, and words")
    for stage, value in table.items():
        if stage != WORDS and not isinstance(value, Mapping):
            raise UserError(f"{place}.{stage} is {shown(value)}: give a table with settings of the step {stage}")
    found, left = dict[str, Any](), ["stop_words"]
    if WORDS in table:
        words = convert(table[WORDS], WordKind, f"{place}.{WORDS}")
        found = {stage_of(step): _splitting(step, words) for step in steps if splitter_of(step) is not None}
        left.append(WORDS)
    for stage, value in table.items():
        if stage != WORDS:
            defined = with_definition(stage, value, f"{place}.{stage}", left)
            found[stage] = _deep(found.get(stage, {}), defined)
    return found


def _check_names(own: Mapping[str, Any], step: Language) -> None:
    """Raises UserError for a table whose name is unknown to the identifier, is a language that the step ``language``
    does not let pass, or is the language of another table."""
    seen = dict[str, str]()
    known, passing = sorted(known_labels(step.identifier)), passing_labels(step)
    for name in own:
        usual = _usual_case(name)
        hint = f" (did you mean {usual!r}?)" if usual != name and any(belongs(usual, label) for label in known) else ""
        labels = [label for label in known if belongs(name, label)]
        if hint or not labels:
            raise UserError(
                f"languages.{name}: the identifier has no language of this name{hint}: give a code such as de, or a "
                "language and a script such as deu_Latn"
            )
        if not set(labels) & set(passing):
            raise UserError(
                f"languages.{name}: the step language lets only {', '.join(passing[:5])} pass: add {labels[0]!r} to "
                "language.languages, or set it to [], for all languages that have a table"
            )
        if (other := seen.setdefault(full_name(name), name)) != name:
            raise UserError(f"languages.{other} and languages.{name} are the same language: put both into one table")


def _usual_case(name: str) -> str:
    """A name with its letters as in ``de`` or ``deu_Latn``; a label of an identifier in its own case."""
    if name in NAMES or not re.fullmatch("[A-Za-z]{2,3}(_[A-Za-z]{4})?", name):
        return name
    language, _, script = name.partition("_")
    return f"{language.lower()}_{script.title()}" if script else language.lower()


def _published_settings(
    rows: Sequence[Mapping[str, Any]], steps: Sequence[Step], split: Sequence[str]
) -> dict[str, Overrides]:
    """The settings in a data file for the recipe's steps, by language: of languages that the identifier knows, and
    whose texts can be split into words, or are named in ``split``."""
    present = {step.use for step in steps}
    return {
        each.name: {use: value for use, value in each.overrides.items() if use in present}
        for each in published(rows, _language_step(steps))
        if each.labels and (not each.missing or any(belongs(each.name, name) for name in split))
    }


def _own_by_name(below: Mapping[str, Overrides], own: Mapping[str, Overrides]) -> dict[str, list[Overrides]]:
    """For each language the recipe's own tables (``own``) that change its settings, tables for more languages first.

    The languages are those of the data file (``below``), and those that only the recipe has a table for; sorted.
    """
    names = [*below, *(name for name in own if not any(belongs(each, name) for each in below))]
    changed = {name: [each for each in names if belongs(each, name)] for name in own}
    order = sorted(own, key=lambda name: (-len(changed[name]), name))
    return {each: [own[name] for name in order if each in changed[name]] for each in sorted(names)}


def _usual_words(name: str, steps: Sequence[Step], entries: Sequence[Mapping[str, Any]]) -> Overrides:
    """The settings by which texts in a language are split as usual, for steps whose table does not say how."""
    words = usual_splitter(name)
    return {
        stage_of(step): _splitting(step, words)
        for step, entry in zip(steps, entries, strict=True)
        if splitter_of(step) is not None
        and not (entry.get(WORDS) or entry.get("dialect") or WORDS in (entry.get("definition") or {}))
    }


def _splitting(step: Step, words: str) -> dict[str, Any]:
    """The setting by which a step splits texts into words."""
    return {WORDS: words} if isinstance(step, Fineweb) else {"definition": {WORDS: words}}


def _settings(name: str, steps: Sequence[Step], overrides: Overrides) -> LanguageSettings:
    """The steps with a language's own settings. Raises UserError for settings that cannot differ by language."""
    stages = {stage_of(step): step for step in steps}
    for stage, values in overrides.items():
        place = f"languages.{name}.{stage}"
        if stage not in stages:
            raise UserError(f"{place}: the recipe has no step {stage}; it has {', '.join(stages)}")
        step = stages[stage]
        fixed = isinstance(step, Rewrite | Url) or (stage == Language.use and set(values) - {"min_score"})
        if fixed or (isinstance(step, Contaminated) and set(values) - set(thresholds(step))):
            raise UserError(
                f"{place} cannot differ by language: give min_score of language, thresholds of contaminated, or "
                "settings of other filters"
            )
    own = [
        build(type(step), _deep(_plain(step), overrides[stage]), f"languages.{name}.{stage}", more_fields(stage))
        if (stage := stage_of(step)) in overrides
        else step
        for step in steps
    ]
    return LanguageSettings(name=name, steps=tuple(own))


def _restricted(
    steps: Sequence[Step], step: Language, settings: Sequence[LanguageSettings], file: tuple[str, str] | None
) -> Merged:
    """The steps and settings, in which the step ``language`` lets the languages with settings pass, and no others."""
    labels = tuple(label for label in passing_labels(step) if any(belongs(each.name, label) for each in settings))
    if not labels:
        raise UserError("languages has no settings for a language that the identifier knows: add one, or remove it")

    def restricted(of: Sequence[Step]) -> tuple[Step, ...]:
        return tuple(dataclasses.replace(each, languages=labels) if isinstance(each, Language) else each for each in of)

    languages = tuple(LanguageSettings(name=each.name, steps=restricted(each.steps)) for each in settings)
    return Merged(restricted(steps), languages, file)


def _deep(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of both tables; those of ``above`` win."""
    merged = dict(below)
    for name, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = _deep(merged[name], value) if both else value
    return merged


def _plain(value: Any) -> Any:
    """A dataclass as a table."""
    if dataclasses.is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value) if each.init}
    return list(value) if isinstance(value, tuple) else value


def _difference(base: Any, own: Any) -> dict[str, Any]:
    """The fields of ``own`` that are not as in ``base``."""
    changed = {}
    for each in (each for each in dataclasses.fields(base) if each.init):
        before, after = getattr(base, each.name), getattr(own, each.name)
        if before != after:
            changed[each.name] = _difference(before, after) if dataclasses.is_dataclass(before) else _plain(after)
    return changed
