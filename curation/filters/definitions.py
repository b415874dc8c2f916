"""The definitions by which Gopher's rules measure a text. The defaults are those of datatrove 0.10.1.

The paper (Rae et al. 2021) leaves open what a word, a line or a duplicate is, so that each implementation has its own
definition: 16% to 19% of web pages get another verdict by another project's definition. `dialects.py` has these
definitions.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import pyarrow as pa

from curation.filters.columns import count, ratio, share
from curation.kernels.pieces import Breaks, Kept
from curation.kernels.word_tables import STOP_WORDS
from curation.words.splitting import WordKind
from schemas.errors import UserError

LengthUnit = Literal["characters", "bytes"]
_WORD_NAMES: dict[WordKind, str] = {
    "spacy_en": "spaCy's English words",
    "white_space": "words between white space",
    "fasttext": "words between ASCII white space that begin with a letter or digit",
    "uax29": "words of UAX 29 with a letter or digit",
    "uax29_marks": "words and marks of UAX 29",
    "alphanumeric": "words of UAX 29 that begin with a letter or digit",
    "ascii_runs": "runs of letters and digits (words of UAX 29 if the text is not ASCII)",
    "characters": "characters that are not white space",
    "spaced": "words as spaCy splits languages with spaces",
    "elided": "words as spaCy splits them in languages with elision",
    "syllables": "syllables",
    "jieba": "jieba's words",
    "sudachi": "SudachiPy's words",
    "pythainlp": "PyThaiNLP's words",
    "khmercut": "khmercut's words",
    "laonlp": "LaoNLP's words",
    "kiwi": "Kiwi's morphemes",
}
"""The words of each kind, as descriptions of signals name them."""
_BREAK_NAMES: dict[Breaks, str] = {
    "unicode": "",
    "newline": "",
    "newlines": " between runs of newlines",
    "two_newlines": " between two newlines",
    "blank_lines": "",
    "none": "",
}
_KEPT_NAMES: dict[Kept, str] = {"all": "", "not_empty": " that are not empty", "not_blank": " that are not blank"}


@dataclass(frozen=True, kw_only=True)
class QualityDefinition:
    """What the signals of ``gopher_quality`` count."""

    words: WordKind = "spacy_en"
    counted_words: WordKind | None = None
    """The words that the signal ``words`` counts, marks of punctuation included; None: the words of the field
    ``words``, with or without marks by ``count_punctuation``."""
    count_punctuation: bool = False
    """Whether words of punctuation alone count in the signals ``words`` and ``mean_word_length``."""
    alpha_punctuation: bool = True
    """Whether words of punctuation alone count in ``alpha_words``, the share of words with a letter. No other field
    changes as many verdicts (`filters/README.md`)."""
    symbol_punctuation: bool = True
    """Whether words of punctuation alone count in the number of words by which hash signs and ellipses are divided."""
    word_length: Literal["mean", "median"] = "mean"
    """What ``mean_word_length`` is; a median above 4,095 becomes 4,095."""
    length_unit: LengthUnit = "characters"
    symbols: Literal["each", "summed", "containing", "alone"] = "each"
    """``each``: hash signs and ellipses apart. All others give ``hash_ratio`` for both together: ``summed`` counts the
    signs, ``containing`` the words that contain a sign, ``alone`` the words that are nothing but a sign."""
    join_spaced: bool = False
    """Whether ". . ." is a single word in the number of words by which hash signs and ellipses are divided."""
    ellipses: tuple[str, ...] = ("...", "\u2026")
    bullets: tuple[str, ...] = ("\u2022", "-")
    line_breaks: Breaks = "unicode"
    strip_lines: bool = True
    """Whether white space at the ends of a line is removed before its first and last characters are looked at."""
    bullet_lines: Kept = "all"
    """The lines of which a share starts with a bullet."""
    ellipsis_lines: Kept = "all"
    """The lines of which a share ends in an ellipsis."""
    stop_words: tuple[str, ...] = STOP_WORDS
    ignore_case: bool = False
    """Whether stop words match in upper case too."""
    stop_words_counted: Literal["different", "all"] = "different"
    """Whether a stop word counts once or at each occurrence."""

    def __post_init__(self) -> None:
        for name in ("ellipses", "bullets", "stop_words"):
            if "" in getattr(self, name):
                raise UserError(f"gopher_quality.definition.{name} has an empty text: remove it")
        if self.line_breaks == "none":
            raise UserError(
                "gopher_quality.definition.line_breaks is 'none', but gopher_quality measures lines: give newline, "
                "newlines or unicode"
            )

    def signals(self) -> pa.Schema:
        """The columns that are measured, described."""
        return _quality_signals(self)


@dataclass(frozen=True, kw_only=True)
class RepetitionDefinition:
    """What the signals of ``gopher_repetition`` count."""

    words: WordKind = "spacy_en"
    length_unit: LengthUnit = "characters"
    line_breaks: Breaks = "newlines"
    lines: Kept = "all"
    paragraph_breaks: Breaks = "blank_lines"
    paragraphs: Kept = "all"
    strip_pieces: bool = False
    """Whether white space at the ends of lines and paragraphs is removed."""
    duplicate_pieces: Literal["later", "all"] = "later"
    """Whether the first occurrence of a repeated line or paragraph is a duplicate too."""
    pieces_over: Literal["text", "pieces", "words"] = "text"
    """The characters by which those of duplicate lines and paragraphs are divided."""
    top_least: Literal[1, 2] = 1
    """The fewest occurrences of a top n-gram. A text without an n-gram that frequent has the value 0."""
    top_ties: Literal["first", "longest"] = "first"
    """Which of equally frequent n-grams is the top one."""
    top_counted: Literal["each", "once", "replaced"] = "each"
    """``each``: the characters of all occurrences; ``once``: of each word once; ``replaced``: those that vanish if the
    n-gram, with single spaces, is removed from the text."""
    spaces: bool = True
    """Whether the spaces inside an n-gram count (never in duplicates by ``later_apart`` and ``all``)."""
    duplicate_ngrams: Literal["later_apart", "later", "all", "covered"] = "later_apart"
    """``later_apart``: n-grams seen before, from left to right without overlap; ``later``: n-grams seen before, each
    word once; ``all``: all occurrences of repeated n-grams, over the characters of all n-grams; ``covered``: all
    occurrences, each word once."""
    ngrams_over: Literal["text", "words"] = "text"
    """The characters by which those of n-grams are divided."""
    short_texts: Literal["zero", "one"] = "zero"
    """The value of a text of fewer than n words."""

    def signals(self) -> pa.Schema:
        """The columns that are measured, described."""
        return _repetition_signals(self)


@cache
def _quality_signals(definition: QualityDefinition) -> pa.Schema:
    kind = _WORD_NAMES[definition.words]
    of = {True: kind, False: f"{kind} that are not punctuation alone"}
    proper, unit = of[definition.count_punctuation], definition.length_unit
    counted = proper if definition.counted_words is None else _WORD_NAMES[definition.counted_words]
    per = f"per word ({of[definition.symbol_punctuation]}{', . . . as one' if definition.join_spaced else ''})"
    ellipses, bullets = " ".join(definition.ellipses), " ".join(definition.bullets)
    if definition.symbols == "each":
        hashes, dots = f"hash signs {per}", f"ellipses ({ellipses}) {per}"
    else:
        dots = "not measured: hash_ratio counts ellipses too"
        what = {"summed": "", "containing": "words that hold ", "alone": "words that are "}[definition.symbols]
        hashes = f"{what}hash signs or ellipses ({ellipses}), {per}"
    lines = {"unicode": "lines", "newlines": "lines between runs of newlines"}.get(definition.line_breaks, "lines")
    ends = "" if definition.strip_lines else ", white space included"
    different = definition.stop_words_counted == "different"
    case = ", in any case" if definition.ignore_case else ""
    return pa.schema(
        [
            count("words", counted),
            ratio("mean_word_length", f"{definition.word_length} {unit} per word ({proper})"),
            ratio("hash_ratio", hashes),
            ratio("ellipsis_ratio", dots),
            share(
                "bullet_lines",
                f"share of {lines}{_KEPT_NAMES[definition.bullet_lines]} that start with {bullets}{ends}",
            ),
            share(
                "ellipsis_lines",
                f"share of {lines}{_KEPT_NAMES[definition.ellipsis_lines]} that end in an ellipsis ({ellipses}){ends}",
            ),
            share("alpha_words", f"share of {of[definition.alpha_punctuation]} with a letter"),
            count(
                "stop_words",
                f"{'different ones' if different else 'all occurrences'} of {', '.join(definition.stop_words)} among "
                f"{kind}{case}",
                most=len(definition.stop_words) if different else "",
            ),
        ]
    )


def _piece_descriptions(definition: RepetitionDefinition) -> list[str]:
    """Descriptions of four signals: the shares of duplicate paragraphs and of their characters, then those of lines."""
    unit = definition.length_unit
    again = "seen before in the text" if definition.duplicate_pieces == "later" else "that occur twice or more"
    over = {"text": "of the text", "pieces": "of all {0}", "words": "of all words"}[definition.pieces_over]
    pieces = []
    for name, breaks, kept in (
        ("paragraph", definition.paragraph_breaks, definition.paragraphs),
        ("line", definition.line_breaks, definition.lines),
    ):
        if breaks == "none":
            pieces += [f"not measured: the definition has no {name}s"] * 2
            continue
        what = f"{name}s{_BREAK_NAMES[breaks]}{_KEPT_NAMES[kept]}{', stripped,' if definition.strip_pieces else ''}"
        pieces.append(f"share of {what} {again}")
        pieces.append(f"share of the {unit} {over.format(f'{name}s')} that are in {what} {again}")
    return pieces


@cache
def _repetition_signals(definition: RepetitionDefinition) -> pa.Schema:
    unit, kind = definition.length_unit, _WORD_NAMES[definition.words]
    pieces = _piece_descriptions(definition)
    top = {"each": "all occurrences", "once": "all occurrences, each word once,", "replaced": "all exact occurrences"}
    least = "" if definition.top_least == 1 else " (at least 2)"
    ties = "first" if definition.top_ties == "first" else "longest"
    spaces = f"{unit}{', spaces included,' if definition.spaces else ''}"
    per = f"per {unit[:-1]} of {'the text' if definition.ngrams_over == 'text' else 'all words'}"
    short = "" if definition.short_texts == "zero" else "; 1 for fewer words than n"
    duplicates = {
        "later_apart": f"share of the {unit} ({per}) in {{0}}-grams of {kind} seen before, without overlap",
        "later": f"share of the {spaces} ({per}) in {{0}}-grams of {kind} seen before",
        "all": f"share of the {unit} of all {{0}}-grams of {kind} in those that occur twice or more",
        "covered": f"share of the {spaces} ({per}) in {{0}}-grams of {kind} that occur twice or more",
    }[definition.duplicate_ngrams]
    part = ratio if definition.pieces_over == "words" else share
    grams = ratio if definition.spaces and definition.ngrams_over == "words" else share
    return pa.schema(
        [
            share("duplicate_paragraphs", pieces[0]),
            part("duplicate_paragraph_characters", pieces[1]),
            share("duplicate_lines", pieces[2]),
            part("duplicate_line_characters", pieces[3]),
            *(
                ratio(
                    f"top_{n}_gram",
                    f"{spaces} of {top[definition.top_counted]} of the most frequent {n}-gram{least} of {kind}, the "
                    f"{ties} of equals, {per}{short}",
                )
                for n in (2, 3, 4)
            ),
            *(grams(f"duplicate_{n}_gram", duplicates.format(n) + short) for n in (5, 6, 7, 8, 9, 10)),
        ]
    )
