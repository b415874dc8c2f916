"""How gopher_quality and gopher_repetition, by a peer's definitions, express that peer's filters."""

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Literal

from curation.filters.characters import Characters
from curation.filters.definitions import QualityDefinition
from curation.filters.dialects import DIALECTS, Dialect
from curation.filters.gopher_quality import GopherQuality
from curation.filters.gopher_repetition import GopherRepetition
from curation.judge import EMPTY
from tests.curation.peers.page_steps import OFF
from tests.curation.peers.vectors import Express, Table, Vector, failed, measured

QUALITY_OFF: dict[str, None] = {
    field.name: None for field in fields(GopherQuality) if field.name.startswith(("min_", "max_"))
}
REPETITION_OFF: dict[str, None] = {f"max_{name}": None for name in GopherRepetition().signals.names}


def _gram(size: int) -> str:
    """The signal about n-grams of a size."""
    return f"top_{size}_gram" if size < 5 else f"duplicate_{size}_gram"


def _limit(value: float) -> float | None:
    """A threshold, of which peers have an infinite one for none."""
    return None if value == math.inf else value


def _kept(step: GopherQuality | GopherRepetition, text: str) -> bool:
    """Whether a text passes a step, and the rule of every recipe that a text is not empty."""
    assert EMPTY.at_least == 1
    return text != "" and not failed(step, text)


def _quality(definition: QualityDefinition, **thresholds: Any) -> GopherQuality:
    """The filter with these thresholds, all others switched off, but a text has a word."""
    return GopherQuality(definition=definition, **{**QUALITY_OFF, "min_words": 1, **thresholds})


def _kept_by(dialect: Dialect, **names: str | Callable[[Mapping[str, Any]], float | None]) -> Express:
    """The verdict by thresholds, each taken from a parameter of the vector."""

    def express(vector: Vector) -> Mapping[str, Any]:
        given = {
            name: (vector.params[param] if isinstance(param, str) else param(vector.params))
            for name, param in names.items()
        }
        thresholds = {name: _limit(value) for name, value in given.items()}
        return {"keep": _kept(_quality(DIALECTS[dialect].quality, **thresholds), vector.text)}

    return express


def _alpha_words(dialect: Dialect) -> Express:
    """The verdict by the share of words without a letter."""
    return _kept_by(dialect, min_alpha_words=lambda params: 1 - float(params["max_ratio"]))


def _value_of(dialect: Dialect, signal: str, name: str = "value", flipped: bool = False) -> Express:
    """The value of a signal, or 1 without it."""

    def express(vector: Vector) -> Mapping[str, Any]:
        definitions = DIALECTS[dialect]
        step = GopherQuality(definition=definitions.quality)
        row = measured(step, vector.text) | measured(GopherRepetition(definition=definitions.repetition), vector.text)
        return {name: 1 - row[signal] if flipped else row[signal]}

    return express


def _datatrove_quality(vector: Vector) -> Mapping[str, Any]:
    params = vector.params
    step = GopherQuality(
        min_words=params["min_doc_words"],
        max_words=params["max_doc_words"],
        min_mean_word_length=params["min_avg_word_length"],
        max_mean_word_length=params["max_avg_word_length"],
        max_hash_ratio=params["max_symbol_word_ratio"],
        max_ellipsis_ratio=params["max_symbol_word_ratio"],
        max_bullet_lines=params["max_bullet_lines_ratio"],
        max_ellipsis_lines=params["max_ellipsis_lines_ratio"],
        min_alpha_words=params["max_non_alpha_words_ratio"],
        min_stop_words=params["min_stop_words"],
    )
    reasons = {
        "too_few_words": "gopher_short_doc",
        "too_many_words": "gopher_long_doc",
        "short_words": "gopher_below_avg_threshold",
        "long_words": "gopher_above_avg_threshold",
        "hashes": "gopher_too_many_hashes",
        "ellipses": "gopher_too_many_ellipsis",
    }
    found = failed(step, vector.text)
    return {"keep": not found, "reason": reasons[found[0]] if found else None}


def _datatrove_repetition(vector: Vector) -> Mapping[str, Any]:
    params = vector.params
    assert params["top_n_grams"] == [[2, 0.2], [3, 0.18], [4, 0.16]]
    order = {
        "duplicate_paragraphs": "dup_para_frac",
        "duplicate_paragraph_characters": "dup_para_char_frac",
        "duplicate_lines": "dup_line_frac",
        "duplicate_line_characters": "dup_line_char_frac",
        **{_gram(n): f"top_{n}_gram" for n in (2, 3, 4)},
        **{_gram(n): f"duplicated_{n}_n_grams" for n in range(5, 11)},
    }
    limits = {f"max_{name}": params[ours] for name, ours in order.items() if ours in params}
    found = failed(GopherRepetition(**limits), vector.text)
    reasons = [order[name] for name in order if name in found]
    return {"keep": not found, "reason": reasons[0] if reasons else None}


def _page_length(vector: Vector) -> Mapping[str, Any] | str:
    kind = vector.params["length_type"]
    if kind == "char":
        characters = Characters(**{**OFF, "min_characters": vector.params["min_length"]})
        return {"keep": vector.text != "" and not failed(characters, vector.text)}
    if kind != "word":
        return f"no filter has a rule for the number of {kind}s of a page by DCLM's definition"
    plain = vector.params["kwargs"].get("ignore_punctuation", False)
    definition = QualityDefinition(
        words="white_space", counted_words="fasttext" if plain else None, count_punctuation=True
    )
    least, most = max(vector.params["min_length"], 0), _limit(vector.params["max_length"])
    return {"keep": _kept(_quality(definition, min_words=least, max_words=most), vector.text)}


def _repetition(definition: Any, name: str, most: float | None) -> GopherRepetition:
    return GopherRepetition(definition=definition, **{**REPETITION_OFF, f"max_{name}": most})


def _dclm_repetition(vector: Vector) -> Mapping[str, Any] | str:
    params = vector.params
    if params["ignore_case"] or params["ngram_char_ratio"]:
        return "repetition in any case, or of another kind for a size of n-grams, is not one of Gopher's rules"
    size = params["granularity"]
    if isinstance(size, int):
        name = _gram(size)
    else:
        name = f"duplicate_{size}_characters" if params["count_characters"] else f"duplicate_{size}s"
    step = _repetition(DIALECTS["dclm"].repetition, name, params["max_fraction"])
    return {"keep": _kept(step, vector.text)}


def _dclm_massive(vector: Vector) -> Mapping[str, Any]:
    return {"keep": _kept(GopherRepetition(definition=DIALECTS["dclm"].repetition), vector.text)}


def _datamap_fraction(vector: Vector) -> Mapping[str, Any]:
    size, weighted = vector.params["n"], vector.params["weighted"]
    lines = "duplicate_line_characters" if weighted else "duplicate_lines"
    return _value_of("datamap", lines if size == 1 else _gram(size))(vector)


def _nemo(signal: str, least: str | None = None, most: str | None = None, flipped: bool = False) -> Express:
    """NeMo Curator's score, which is a signal (or 1 without it), and its verdict by the score."""

    def express(vector: Vector) -> Mapping[str, Any]:
        score = _value_of("nemo", signal, "score", flipped)(vector)["score"]
        if score is None:
            return {"keep": False}
        at_least = vector.params[least] if least else -math.inf
        at_most = vector.params[most] if most else math.inf
        return {"score": score, "keep": at_least - 1e-6 <= score <= at_most + 1e-6}

    return express


def _nemo_words(vector: Vector) -> Mapping[str, Any] | str:
    if not vector.text.isascii():
        return "Chinese words by jieba: a matter of word splitting by language"
    return _nemo("words", "_min_words", "_max_words")(vector)


def _nemo_stop_words(vector: Vector) -> Mapping[str, Any]:
    found = _nemo("stop_words", "_cutoff")(vector)
    if vector.params["_stop_at_false"]:
        return {**found, "score": min(found["score"], vector.params["_cutoff"])}
    return found


def _nemo_top(vector: Vector) -> Mapping[str, Any]:
    return _nemo(_gram(vector.params["_n"]), most="_cutoff")(vector)


def _words_number(vector: Vector) -> Mapping[str, Any] | str:
    if vector.params.get("tokenization"):
        return "tokens of a SentencePiece model"
    step = _quality(
        QualityDefinition(words="white_space", count_punctuation=True),
        min_words=vector.params["min_num"],
        max_words=vector.params["max_num"],
    )
    return {"keep": _kept(step, vector.text)}


def _stop_words(dialect: Dialect) -> Express:
    def express(vector: Vector) -> Mapping[str, Any]:
        counted: Literal["different", "all"] = "different" if vector.params["count_unique"] else "all"
        definition = replace(DIALECTS[dialect].quality, stop_words_counted=counted)
        return {"keep": _kept(_quality(definition, min_stop_words=vector.params["min_stop_word"]), vector.text)}

    return express


DOLMA = {
    "word_count": "words",
    "median_word_length": "mean_word_length",
    "symbol_to_word_ratio": "hash_ratio",
    "fraction_of_words_with_alpha_character": "alpha_words",
    "required_word_count": "stop_words",
    "fraction_of_lines_starting_with_bullet_point": "bullet_lines",
    "fraction_of_lines_ending_with_ellipsis": "ellipsis_lines",
    "fraction_of_duplicate_lines": "duplicate_lines",
    "fraction_of_characters_in_duplicate_lines": "duplicate_line_characters",
    **{f"fraction_of_characters_in_most_common_{n}grams": _gram(n) for n in (2, 3, 4)},
    **{f"fraction_of_characters_in_duplicate_{n}grams": _gram(n) for n in (5, 6, 7, 8, 9, 10)},
}
"""Dolma's attributes (after ``gopher:``), and the signals."""
GOPHER: Table = {
    ("datatrove", "GopherQualityFilter"): _datatrove_quality,
    ("datatrove", "GopherRepetitionFilter"): _datatrove_repetition,
    **{("dolma", f"gopher:{name}"): _value_of("dolma", signal) for name, signal in DOLMA.items()},
    **dict.fromkeys(
        (("dolma", "periodic_repetitions"), ("dolma", "periodic_token_repetitions")),
        "periods of characters or of tokens are not among Gopher's rules",
    ),
    ("dclm", "page_length_filter"): _page_length,
    ("dclm", "word_length_filter"): _kept_by(
        "dclm", min_mean_word_length="min_length", max_mean_word_length="max_length"
    ),
    ("dclm", "symbol_ratio_filter"): _kept_by("dclm", max_hash_ratio="max_symbol_to_word_ratio"),
    ("dclm", "bullet_count_filter"): _kept_by("dclm", max_bullet_lines="max_bullet_start_ratio"),
    ("dclm", "ellipsis_count_filter"): _kept_by("dclm", max_ellipsis_lines="max_ellipsis_end_ratio"),
    ("dclm", "alphabetic_word_ratio_filter"): _alpha_words("dclm"),
    ("dclm", "stop_word_filter"): _stop_words("dclm"),
    ("dclm", "repetition_filter"): _dclm_repetition,
    ("dclm", "massive_web_repetition_filters"): _dclm_massive,
    ("datamap-rs", "PageLenFilter"): _kept_by("datamap", min_words="lower_bound", max_words="upper_bound"),
    ("datamap-rs", "WordLenFilter"): _kept_by(
        "datamap", min_mean_word_length="lower_bound", max_mean_word_length="upper_bound"
    ),
    ("datamap-rs", "SymbolRatioFilter"): _kept_by("datamap", max_hash_ratio="max_symbol_to_word_ratio"),
    ("datamap-rs", "BulletFilter"): _kept_by("datamap", max_bullet_lines="max_bullet_ratio"),
    ("datamap-rs", "EllipsisLineRatioFilter"): _kept_by("datamap", max_ellipsis_lines="max_ratio"),
    ("datamap-rs", "AlphabeticWordRatioFilter"): _alpha_words("datamap"),
    ("datamap-rs", "StopWordFilter"): _stop_words("datamap"),
    ("datamap-rs", "rep_counter_fraction"): _datamap_fraction,
    ("nemo", "WordCountFilter"): _nemo_words,
    ("nemo", "MeanWordLengthFilter"): _nemo("mean_word_length", "_min_cutoff", "_max_cutoff"),
    ("nemo", "SymbolsToWordsFilter"): _nemo("hash_ratio", most="_cutoff"),
    ("nemo", "BulletsFilter"): _nemo("bullet_lines", most="_cutoff"),
    ("nemo", "EllipsisFilter"): _nemo("ellipsis_lines", most="_cutoff"),
    ("nemo", "WordsWithoutAlphabetsFilter"): _nemo("alpha_words", "_cutoff"),
    ("nemo", "CommonEnglishWordsFilter"): _nemo_stop_words,
    ("nemo", "RepeatedLinesFilter"): _nemo("duplicate_lines", "_cutoff", flipped=True),
    ("nemo", "RepeatedLinesByCharFilter"): _nemo("duplicate_line_characters", "_cutoff", flipped=True),
    ("nemo", "RepeatedParagraphsByCharFilter"): _nemo("duplicate_paragraph_characters", "_cutoff", flipped=True),
    ("nemo", "RepeatingTopNGramsFilter"): _nemo_top,
    ("data-juicer", "WordsNumFilter"): _words_number,
    ("data-juicer", "StopWordsFilter"): "a share of stop words from a list of its own, not their number",
    ("data-juicer", "WordRepetitionFilter"): "a share of n-grams, not of their characters",
    ("data-juicer", "CharacterRepetitionFilter"): "n-grams of characters",
}
