"""Settings for single languages that a data file publishes: FineWeb2's, or a file of the user's like it."""

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from curation.filters.identifiers import known_labels
from curation.filters.labels import belongs, full_name
from curation.filters.language import Language
from curation.sources.storage import reason
from curation.words.libraries import SOURCES, missing
from curation.words.stop_words import published_bytes
from schemas.errors import UserError
from schemas.named_files import read_named

PACKAGED = ("fineweb2",)
"""The data files that come with gristmill."""
MOST_BYTES = 64 << 20
"""A larger data file is a mistake."""
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


def published(rows: Sequence[Mapping[str, Any]], step: Language) -> Iterator[Published]:
    """The settings in a data file, in order, in force or not, for a step that identifies languages."""
    labels = passing_labels(step)
    for row in rows:
        name = str(row["language"])
        splitter = usual_splitter(name)
        absent = missing(splitter) if splitter in SOURCES else ()
        wanted = tuple(label for label in labels if belongs(name, label))
        yield Published(name, wanted, splitter, absent, _overrides(row))


@cache
def read_data_file(name: str) -> tuple[list[dict[str, Any]], str]:
    """The rows of a data file, packaged or the user's, and the SHA-256 of its bytes.

    Raises UserError if the file cannot be read.
    """
    try:
        content = (
            published_bytes()
            if name in PACKAGED
            else read_named(Path(name), MOST_BYTES, "a data file of settings for languages")
        )
        text = (gzip.decompress(content) if name in PACKAGED or name.endswith(".gz") else content).decode()
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (OSError, EOFError, ValueError) as error:
        raise UserError(
            f"languages.file is {name!r}, which cannot be read ({reason(error)}): give {' or '.join(PACKAGED)}, or "
            "JSON lines with the fields of FineWeb2's configurations"
        ) from error
    if not rows or not all(isinstance(row, dict) and isinstance(row.get("language"), str) for row in rows):
        raise UserError(f"languages.file {name}: each line needs an object with the field language, such as deu_Latn")
    return rows, hashlib.sha256(content).hexdigest()


def usual_splitter(name: str) -> str:
    """What splits texts in a language into words.

    >>> [usual_splitter(name) for name in ("th", "tha_Thai", "fra_Latn", "hak_Latn", "bod_Tibt")]
    ['pythainlp', 'pythainlp', 'elided', 'spaced', 'syllables']
    """
    language, _, script = full_name(name).partition("_")
    for splitter, languages in SPLITTERS.items():
        if language in languages.split() and (script not in _SPACED_SCRIPTS or splitter in ("elided", "spacy_en")):
            return splitter
    return "spaced"


def passing_labels(step: Language) -> tuple[str, ...]:
    """The labels that a document may have and pass the step."""
    known = sorted(known_labels(step.identifier))
    return tuple(label for label in known if not step.languages or label in step.languages)


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
        wrong = f"lack {error}" if isinstance(error, KeyError) else f"are invalid ({error})"
        raise UserError(
            f"the settings for {row['language']} {wrong}: each line needs the fields of FineWeb2's configurations"
        ) from error


def _share(value: float) -> float | None:
    return value if 0 < value < 1 else None
