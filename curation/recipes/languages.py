"""Settings for single languages: read from a data file and from a recipe's table, merged into the recipe's steps."""

import dataclasses
import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from curation.filters.fineweb import Fineweb
from curation.filters.identifiers import known_labels
from curation.filters.labels import belongs, named
from curation.filters.language import Language
from curation.filters.url import Url
from curation.recipe import LanguageSettings, Rewrite, Step, words_of
from curation.words.libraries import SOURCES, missing
from curation.words.splitting import WordKind
from curation.words.stop_words import published_bytes
from schemas.errors import UserError
from schemas.settings import build, convert, shown

PACKAGED = ("fineweb2",)
"""The data files that come with gristmill."""
MOST_BYTES = 64 << 20
"""A larger data file is a mistake."""
FILE, DIGEST, RESOLVED = "file", "sha256", "resolved"
SPLITTERS = {
    "jieba": "cmn wuu yue hak lzh nan gan cdo",
    "sudachi": "jpn",
    "pythainlp": "tha nod sou bzi",
    "khmercut": "khm cmo",
    "laonlp": "lao",
    "kiwi": "kor",
    "syllables": "bod dzo mya shn ksw blk",
    "elided": "fra ita cat",
    "spacy_en": "eng",
}
"""What splits texts into words, by languages (ISO 639-3); ``spaced`` splits all others. FineWeb2 also has Khmer's
splitter for Northern Khmer in Khmer's script and Thai's for its neighbours."""
_SPACED_SCRIPTS = ("Latn",)
"""Scripts with spaces between words in any language."""
Overrides = dict[str, dict[str, Any]]
"""Settings by step."""


class Published(NamedTuple):
    """Settings for a language in a data file, and what becomes of them in a recipe."""

    name: str
    labels: tuple[str, ...]
    """The labels of the identifier that lead to these settings."""
    splitter: str
    missing: tuple[str, ...]
    """Packages of the splitter that are not installed."""
    overrides: Overrides

    @property
    def is_in_force(self) -> bool:
        return bool(self.labels) and not self.missing


def merge_languages(
    table: Any, steps: Sequence[Step], entries: Sequence[Mapping[str, Any]]
) -> tuple[tuple[Step, ...], tuple[LanguageSettings, ...], tuple[str, str] | None]:
    """The steps of a recipe with its table ``languages``: with the languages that are in force, and with the settings
    for each of them; and the name and SHA-256 of the data file.

    ``entries`` are the tables of ``steps``. Raises UserError for an invalid table.
    """
    own: Any = {FILE: table} if isinstance(table, str) else table
    if not isinstance(own, Mapping):
        raise UserError(f"languages is {shown(table)}: give the name of a data file, or a table for each language")
    step = _language_step(steps)
    tables: dict[str, Mapping[str, Any]] = {
        name: value for name, value in own.items() if name not in (FILE, DIGEST, RESOLVED)
    }
    splitters = dict[str, str]()
    for name, value in tables.items():
        if isinstance(value, Mapping) and "words" in value:
            splitters[name] = convert(value["words"], WordKind, f"languages.{name}.words")
            tables[name] = value = {use: each for use, each in value.items() if use != "words"}
        if not isinstance(value, Mapping) or not all(isinstance(each, Mapping) for each in value.values()):
            raise UserError(f"languages.{name} is {shown(value)}: give a table of settings for each step, and words")
    if own.get(RESOLVED):
        file = (own[FILE], own[DIGEST]) if FILE in own else None
        return tuple(steps), tuple(_settings(name, steps, tables[name]) for name in sorted(tables)), file
    file, found = None, dict[str, Overrides]()
    if FILE in own:
        rows, digest = _read(str(own[FILE]))
        file = (str(own[FILE]), digest)
        found = {
            each.name: each.overrides
            for each in published(rows, step)
            if each.labels and (not each.missing or any(belongs(each.name, name) for name in splitters))
        }
    present = {each.use for each in steps}
    merged: dict[str, dict[str, Any]] = {
        name: {use: dict(value) for use, value in each.items() if use in present} for name, each in found.items()
    }
    for name, value in tables.items():
        if not any(belongs(name, label) for label in _labels(step)):
            raise UserError(
                f"languages.{name}: the identifier has no language of this name, or language.languages leaves it out: "
                "give a code such as de, or a language and a script such as deu_Latn"
            )
        for target in [each for each in found if belongs(each, name)] or [name]:
            merged[target] = _deep(merged.get(target, {}), value)
    settings = []
    for name in sorted(merged):
        splitter = next((words for label, words in splitters.items() if belongs(name, label)), None)
        both = zip(steps, entries, strict=True)
        defaults = {each.use: _words_of(each, entry, name, splitter) for each, entry in both}
        settings.append(
            _settings(name, steps, _deep({use: each for use, each in defaults.items() if each}, merged[name]))
        )
    labels = sorted(label for label in _labels(step) if any(belongs(each.name, label) for each in settings))
    if not labels:
        raise UserError("languages has no settings for a language that the identifier knows: add one, or remove it")
    kept = dataclasses.replace(step, languages=tuple(labels))
    result = [kept if each is step else each for each in steps]
    final = tuple(
        LanguageSettings(
            name=each.name,
            steps=tuple(
                dataclasses.replace(own_step, languages=kept.languages) if isinstance(own_step, Language) else own_step
                for own_step in each.steps
            ),
        )
        for each in settings
    )
    return tuple(result), final, file


def languages_table(
    steps: Sequence[Step], languages: Sequence[LanguageSettings], file: tuple[str, str] | None
) -> dict[str, Any]:
    """The table of which ``merge_languages`` makes the same settings: what is other than in the recipe's steps."""
    table: dict[str, Any] = {RESOLVED: True}
    if file is not None:
        table |= {FILE: file[0], DIGEST: file[1]}
    for each in languages:
        table[each.name] = {
            step.use: _difference(step, own) for step, own in zip(steps, each.steps, strict=True) if step != own
        }
    return table


def published(rows: Sequence[Mapping[str, Any]], step: Language) -> Iterator[Published]:
    """The settings in a data file, in order, in force or not, for a step that identifies languages."""
    labels = _labels(step)
    for row in rows:
        name = str(row["language"])
        splitter = splitter_for(name)
        absent = missing(splitter) if splitter in SOURCES else ()
        wanted = tuple(label for label in labels if belongs(name, label))
        yield Published(name, wanted, splitter, absent, _overrides(row))


def read_published(name: str) -> list[dict[str, Any]]:
    """The rows of a data file, packaged or the user's. Raises UserError if it cannot be read."""
    return _read(name)[0]


def splitter_for(name: str) -> str:
    """What splits texts in a language into words.

    >>> [splitter_for(name) for name in ("th", "tha_Thai", "fra_Latn", "hak_Latn", "bod_Tibt")]
    ['pythainlp', 'pythainlp', 'elided', 'spaced', 'syllables']
    """
    language, _, script = named(name).partition("_")
    for splitter, languages in SPLITTERS.items():
        if language in languages.split() and (script not in _SPACED_SCRIPTS or splitter in ("elided", "spacy_en")):
            return splitter
    return "spaced"


def _labels(step: Language) -> tuple[str, ...]:
    """The labels that a document may have and pass the step."""
    known = sorted(known_labels(step.identifier))
    return tuple(label for label in known if not step.languages or label in step.languages)


def _language_step(steps: Sequence[Step]) -> Language:
    before = [step for step in steps if not isinstance(step, Url)]
    if not before or not isinstance(before[0], Language):
        raise UserError(
            "the recipe has settings for languages, but its first step (after url) is not language: put a step with "
            'use = "language" first'
        )
    return before[0]


def _settings(name: str, steps: Sequence[Step], overrides: Mapping[str, Any]) -> LanguageSettings:
    """The steps with a language's own settings. Raises UserError for settings that cannot differ by language."""
    uses = {step.use: step for step in steps}
    for use, values in overrides.items():
        place = f"languages.{name}.{use}"
        if use not in uses:
            raise UserError(f"{place}: the recipe has no step {use}; it has {', '.join(uses)}")
        if isinstance(uses[use], Rewrite | Url) or (use == Language.use and set(values) - {"min_score"}):
            raise UserError(f"{place} cannot differ by language: give min_score of language, or settings of filters")
    own = [
        build(type(step), _deep(_plain(step), overrides[step.use]), f"languages.{name}.{step.use}")
        if step.use in overrides
        else step
        for step in steps
    ]
    return LanguageSettings(name=name, steps=tuple(own))


def _words_of(step: Step, entry: Mapping[str, Any], name: str, splitter: str | None) -> dict[str, Any]:
    """The setting by which a step splits texts of a language: ``splitter``, else the language's own splitter unless the
    recipe says how; empty for a step without such a setting."""
    if words_of(step) is None or (splitter is None and (entry.get("words") or entry.get("dialect"))):
        return {}
    words = splitter or splitter_for(name)
    if isinstance(step, Fineweb):
        return {"words": words}
    said = splitter is None and "words" in (entry.get("definition") or {})
    return {} if said else {"definition": {"words": words}}


def _overrides(row: Mapping[str, Any]) -> Overrides:
    """FineWeb2's settings for a language, as settings of steps. There 0 switches most rules off, and a share of 1 or
    more cannot be exceeded."""
    try:
        top, again = dict(row["top_n_grams"]), dict(row["dup_n_grams"])
        return {
            "language": {"min_score": row["language_score"]},
            "gopher_repetition": {
                "max_duplicate_lines": _share(row["dup_line_frac"]),
                **{f"max_top_{n}_gram": top[n] or None for n in (2, 3, 4)},
                **{f"max_duplicate_{n}_gram": _share(again[n]) for n in (5, 6, 7, 8, 9, 10)},
            },
            "fineweb": {
                "min_line_punctuation": row["line_punct_thr"] if row["line_punct_thr"] > 0 else None,
                "max_newlines_per_word": row["new_line_ratio"],
            },
            "gopher_quality": {
                "min_mean_word_length": row["min_avg_word_length"] or None,
                "max_mean_word_length": row["max_avg_word_length"] or None,
                "min_alpha_words": row["max_non_alpha_words_ratio"] or None,  # a minimum, in spite of its name
                "definition": {"stop_words": list(row["stopwords"])},
            },
        }
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"the settings for {row.get('language', 'a language')} lack {error}: each line needs the fields of "
            "FineWeb2's configurations"
        ) from error


def _share(value: float) -> float | None:
    return value if 0 < value < 1 else None


@cache
def _read(name: str) -> tuple[list[dict[str, Any]], str]:
    """The rows of a data file, and the SHA-256 of its bytes."""
    try:
        content = published_bytes() if name in PACKAGED else Path(name).read_bytes()
        text = (gzip.decompress(content) if name in PACKAGED or name.endswith(".gz") else content).decode()
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (OSError, EOFError, ValueError) as error:
        raise UserError(
            f"languages.file is {name!r}, which cannot be read ({error}): give {' or '.join(PACKAGED)}, or JSON lines "
            "with the fields of FineWeb2's configurations"
        ) from error
    if not rows or not all(isinstance(row, dict) and isinstance(row.get("language"), str) for row in rows):
        raise UserError(f"languages.file {name}: each line needs an object with the field language, such as deu_Latn")
    return rows, hashlib.sha256(content).hexdigest()


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
    for each in dataclasses.fields(base):
        before, after = getattr(base, each.name), getattr(own, each.name)
        if before != after:
            changed[each.name] = _difference(before, after) if dataclasses.is_dataclass(before) else _plain(after)
    return changed
