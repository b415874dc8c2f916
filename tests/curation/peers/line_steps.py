"""How our steps express what the peers' steps over lines do: families c4 and lines."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from curation.filters.c4 import C4Pages
from curation.filters.line_lengths import LineLengths
from curation.filters.pattern import Pattern
from curation.judge import judge
from curation.recipe import Recipe, Step
from curation.recipes.tables import make_recipe, recipe_table
from curation.rewrites.c4_lines import C4Lines
from curation.rewrites.line_rules import COUNTERS, LineRules
from curation.rewrites.replace import Replace
from schemas import RECORDS
from tests.curation.peers.vectors import Express, Table, Vector, failed, measured, rewritten

NO_COUNT_BEFORE = "the vector does not hold the number of words before"
CODE_HEADERS = "edits the comments at the head of source files"
WORDS = "deletes the shortest and longest words from within lines, which leaves sentences that nobody wrote"
TABLES = "guesses tables from the number of words in a row of lines"
CITATIONS = r"\[\d*\]|\[edit\]|\[citation needed\]"
POLICIES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "privacy overview",
    "use of cookies",
    "use cookies",
    "privacy & cookies policy",
    "privacy and cookies policy",
)


def judged(steps: Sequence[Step], text: str) -> dict[str, Any]:
    """The verdict of a recipe with these steps on a text, and the text after them."""
    columns = {"doc_id": "a", "text": text, "source": "web", "file": "f", "offset": 0, "metadata": "{}"}
    record = RECORDS.batch({name: [value] for name, value in columns.items()})
    verdicts = judge(record, Recipe(name="peer", normalise=None, signals=False, steps=tuple(steps)))
    reason = next((rule.reason for rule, fails in zip(verdicts.rules, verdicts.failed[0], strict=True) if fails), None)
    return {"keep": reason is None, "reason": reason, "text": verdicts.texts[0].as_py() or None}


def steps_of(name: str, *uses: str) -> list[Step]:
    """Some steps of a built-in recipe."""
    return [step for step in make_recipe(name, recipe_table(name)).steps if step.use in uses]


def _tfds_page(vector: Vector) -> Mapping[str, Any]:
    return judged(steps_of("c4", "c4_lines", "c4_pages"), vector.text)


def _datatrove_page(vector: Vector) -> Mapping[str, Any]:
    given = vector.params
    lines = C4Lines(
        terminal_punctuation=given["filter_no_terminal_punct"],
        min_words=given["min_words_per_line"],
        max_word_length=given["max_word_length"],
        remove_citations=given["remove_citations"],
        javascript=given["filter_javascript"],
        policy=given["filter_policy"],
    )
    pages = C4Pages(
        min_sentences=given["min_num_sentences"],
        lorem_ipsum=given["filter_lorem_ipsum"],
        curly_brackets=given["filter_curly_bracket"],
    )
    return judged([lines, pages], vector.text)


def _long_paragraphs(vector: Vector) -> Mapping[str, Any]:
    given = vector.params
    step = LineLengths(
        max_mean_length=None,
        max_longest=None,
        min_long_lines=given["min_paragraphs"],
        long_line_characters=given["min_paragraph_len"],
    )
    return {"keep": not failed(step, vector.text)}


def _page_flag(signal: str) -> Express:
    """A dolma tagger that marks a whole page: as one span if a signal is not 0."""

    def express(vector: Vector) -> Mapping[str, Any]:
        found = measured(C4Pages(), vector.text)[signal]
        return {"spans": [[0, len(vector.text)]] if found else []}

    return express


def _javascript(vector: Vector) -> Mapping[str, Any]:
    whole_words = vector.params["tagger"] == "C4Tagger"
    pattern = r"(?:^|\s)javascript(?:\s|$)" if whole_words else "javascript"
    found = measured(Pattern(patterns=(pattern,), case_sensitive=False), vector.text)["pattern_matches"]
    return {"spans": [[0, len(vector.text)]] if found else []}


def _line_flags(step: C4Lines) -> Express:
    """A dolma tagger that marks lines: those that the step removes."""

    def express(vector: Vector) -> Mapping[str, Any]:
        spans, start = [], 0
        for line in vector.text.split("\n"):
            end = min(start + len(line) + 1, len(vector.text))
            if not rewritten(step, line):
                spans.append([start, end])
            start = end
        return {"spans": spans}

    return express


def _text(step: LineRules | Replace, vector: Vector) -> Mapping[str, Any]:
    """A modifier of DCLM or datamap-rs, which drops the page if nothing is left of it."""
    return {"text": rewritten(step, vector.text) or None}


def _at(location: str, patterns: Sequence[str]) -> tuple[str, ...]:
    anchors = {"prefix": ("^", ""), "suffix": ("", "$"), "any": ("", "")}
    before, after = anchors[location]
    return tuple(f"{before}(?:{pattern}){after}" for pattern in patterns)


def _dclm_substrings(vector: Vector) -> Mapping[str, Any]:
    (given,) = vector.params["args"]
    banned = [given] if isinstance(given, str) else given
    options = vector.params.get("kwargs", {})
    location, most = options.get("location", "any"), options.get("max_length")
    if options.get("remove_substring_only"):
        gap = {"prefix": "{}\\s?", "suffix": "\\s?{}", "any": "\\s?{}"}[location]
        patterns = tuple(gap.format(pattern) for pattern in banned)
        case_sensitive = options.get("case_sensitive", False)
        step = Replace(
            patterns=_at(location, patterns), case_sensitive=case_sensitive, by_line=True, max_line_words=most
        )
        return {"text": rewritten(step, vector.text).strip() or None}
    rules = LineRules(
        patterns=_at(location, banned),
        case_sensitive=options.get("case_sensitive", False),
        max_pattern_words=most,
    )
    return _text(rules, vector)


def _datamap_substrings(vector: Vector) -> Mapping[str, Any]:
    given = vector.params
    most = given["max_len"] if given["max_len"] < 1 << 63 else None
    location = given["location"]
    if not given["remove_substring_only"]:
        rules = LineRules(
            words="uax29",
            patterns=_at(location, [given["banlist"]]),
            case_sensitive=True,
            max_pattern_words=most,
            strip=False,
        )
        return _text(rules, vector)
    gap = {"prefix": r"(?:{})\s?", "suffix": r"\s?(?:{})", "any": r"\s?(?:{})\s?"}[location]
    step = Replace(
        patterns=_at(location, [gap.format(given["banlist"])]),
        replacement=" " if location == "any" else "",
        by_line=True,
        max_line_words=most,
        words="uax29",
    )
    return _text(step, vector)


def _most_newlines(most: int) -> Replace:
    return Replace(patterns=(f"\n{{{most + 1},}}",), replacement="\n" * most)


def _dclm_newlines(vector: Vector) -> Mapping[str, Any]:
    return _text(_most_newlines(vector.params.get("kwargs", {}).get("max_consecutive", 2)), vector)


def _dclm_marks(vector: Vector) -> Mapping[str, Any]:
    ellipsis = ("...", "…") if vector.params.get("kwargs", {}).get("remove_ellipses") else ()
    return _text(LineRules(end_marks=(".", "!", "?", '"', "…"), not_end_marks=ellipsis, strip=False), vector)


def _dclm_line_words(vector: Vector) -> Mapping[str, Any]:
    most = vector.params["max_length"]
    step = LineRules(
        min_words=vector.params["min_length"], max_words=None if most == float("inf") else most, strip=False
    )
    return _text(step, vector)


def _dclm_word_length(vector: Vector) -> Mapping[str, Any]:
    return _text(LineRules(max_word_length=vector.params["max_length"], strip=False), vector)


def _share(name: str, most: str) -> Express:
    def express(vector: Vector) -> Mapping[str, Any]:
        return _text(LineRules(**{name: float(vector.params[most])}), vector)

    return express


def _datamap_share(vector: Vector) -> Mapping[str, Any]:
    name = {"uppercase": "max_capital_share", "numeric": "max_digit_share"}[vector.params["check"]]
    return _text(LineRules(**{name: vector.params["upper_bound"]}, strip=False), vector)


def _counters(vector: Vector) -> Mapping[str, Any]:
    return _text(LineRules(patterns=(COUNTERS,)), vector)


def _datamap_pattern(vector: Vector) -> Mapping[str, Any]:
    return _text(LineRules(patterns=(vector.params["regex_string"],), strip=False), vector)


def _citations(vector: Vector) -> Mapping[str, Any]:
    return _text(Replace(patterns=(CITATIONS,)), vector)


def _urls(vector: Vector) -> Mapping[str, Any]:
    return _text(Replace(patterns=URLS), vector)


_TOP_LEVELS = "com|org|net|edu|gov|mil|int|info|biz|museum|name|tech|store|online|travel|photography|[a-z]{2}"
URLS = (
    rf"\s{{0,10}}(?:(?:https?|ftp)://)?[-a-zA-Z0-9@:%._+~#=]{{1,256}}\.(?:{_TOP_LEVELS})\b[-a-zA-Z0-9()@:%_+.~#?&/=]*",
    r"\s{0,10}\b(?:(?:https?|ftp)://)?(?:[0-2]?[0-9]{1,2}\.){3}[0-2]?[0-9]{1,2}[-a-zA-Z0-9()@:%_+.~#?&/=]*",
)
"""DCLM's expressions for urls, with some top-level domains in place of the list of all."""


BIBLIOGRAPHY = r"(?s)(?:\\appendix|\\begin\{(?:references|REFERENCES|thebibliography)\}|\\bibliography\{.*\}).*"
"""What RedPajama removes from sources of LaTeX, with all that follows."""


def _words_with(vector: Vector) -> Mapping[str, Any]:
    inside = "|".join(re.escape(each) for each in vector.params["substrings"])
    return {"text": rewritten(Replace(patterns=(rf"[^ \t\n]*(?:{inside})[^ \t\n]* *",)), vector.text).rstrip(" ")}


def _datamap_words(vector: Vector) -> Mapping[str, Any]:
    return _text(LineRules(min_words=vector.params["lower_bound"], words="uax29", strip=False), vector)


def _boilerplate(vector: Vector) -> Mapping[str, Any]:
    lorem = measured(Pattern(patterns=("lorem ipsum",), case_sensitive=False), vector.text)["pattern_matches"]
    found = measured(Pattern(patterns=POLICIES, case_sensitive=False), vector.text)["pattern_paragraphs"]
    score = 1.0 if lorem else found
    return {"keep": score <= vector.params["_max_boilerplate_string_ratio"], "score": score}


C4: Table = {
    ("c4 (TFDS)", "clean_page"): _tfds_page,
    ("datatrove", "C4QualityFilter"): _datatrove_page,
    ("datatrove", "C4ParagraphFilter"): _long_paragraphs,
    ("dclm", "citation_removal_modifier"): _citations,
    ("dclm", "punctuation_line_modifier"): _dclm_marks,
    ("dolma", "c4:has_curly_brace"): _page_flag("curly_brackets"),
    ("dolma", "c4:has_lorem_ipsum"): _page_flag("lorem_ipsum"),
    ("dolma", "c4:has_javascript"): _javascript,
    ("dolma", "c4:lines_with_no_ending_punctuation"): _line_flags(
        C4Lines(end_marks=(".", "?", "!", '"'), ellipsis=True, min_words=0, javascript=False, policy=False)
    ),
    ("dolma", "c4:lines_with_too_few_words"): _line_flags(
        C4Lines(terminal_punctuation=False, min_words=3, javascript=False, policy=False)
    ),
    ("nemo", "BoilerPlateStringFilter"): _boilerplate,
}
LINES: Table = {
    ("dclm", "counter_line_modifier"): _counters,
    ("dclm", "line_length_modifier"): _dclm_line_words,
    ("dclm", "newline_removal_modifier"): _dclm_newlines,
    ("dclm", "numeric_ratio_line_modifier"): _share("max_digit_share", "max_ratio"),
    ("dclm", "substring_line_modifier"): _dclm_substrings,
    ("dclm", "uppercase_ratio_line_modifier"): _share("max_capital_share", "max_ratio"),
    ("dclm", "url_removal_modifier"): _urls,
    ("dclm", "word_length_modifier"): _dclm_word_length,
    ("dclm", "word_removal_ratio_filter"): NO_COUNT_BEFORE,
    ("datamap-rs", "LineLenModifier"): _datamap_words,
    ("datamap-rs", "NewlineRemovalModifier"): lambda vector: _text(
        _most_newlines(vector.params["max_consecutive"]), vector
    ),
    ("datamap-rs", "RatioLineModifier"): _datamap_share,
    ("datamap-rs", "RegexLineModifier"): _datamap_pattern,
    ("datamap-rs", "SubstringLineModifier"): _datamap_substrings,
    ("datamap-rs", "WordRemovalRatioFilter"): NO_COUNT_BEFORE,
    ("data-juicer", "CleanCopyrightMapper"): CODE_HEADERS,
    ("data-juicer", "RemoveBibliographyMapper"): lambda vector: _text(Replace(patterns=(BIBLIOGRAPHY,)), vector),
    ("data-juicer", "RemoveLongWordsMapper"): WORDS,
    ("data-juicer", "RemoveTableTextMapper"): TABLES,
    ("data-juicer", "RemoveWordsWithIncorrectSubstringsMapper"): _words_with,
}
