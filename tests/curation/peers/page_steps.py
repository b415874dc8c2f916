"""How our steps express what the peers' steps over whole pages do: families code, language, length, lists, normalise,
url, and the shares of characters of quality."""

from collections.abc import Mapping
from typing import Any

from curation.filters.characters import Characters
from curation.filters.comments import Comments
from curation.filters.language import Language
from curation.filters.line_lengths import LineLengths
from curation.filters.pattern import Pattern
from curation.filters.url import Url
from curation.filters.url_substrings import UrlSubstrings
from curation.filters.word_list import WordList
from curation.rewrites.normalise import Normalise
from curation.rewrites.replace import Replace
from tests.curation.peers.vectors import Express, Table, Vector, batch_of_one, failed, measured, rewritten

GIVEN_LANGUAGE = "decides by a language that a step before wrote into the page"
FILE_NAMES = "decides by the name of a file of source code"
HTML = "judges the source of an HTML page; Gristmill extracts its text first"
TOKENS = "counts tokens of a tokenizer from a hub of models"
ADBLOCK = "the vector holds no rule and no url: rules of ad blockers, which are about requests of a browser"
NO_LIST = "the word list is in a file of the peer"
SYMBOLS = "◆●■►▼▲▴∆▻▷❖♡□"
"""The symbols that data-juicer removes by default."""
NEMO_URL = r"https?://(?:[A-Za-z0-9$_@.&+/:=?#~-]|[!*(),]|%[0-9A-Fa-f]{2})+"
DOLMA_DOMAINS = ("example.com", "example2.com", "example3.com")
DOLMA_LINKS = ("http://example.com/foo/bar", "https://example2.com/foo")


def _repaired(vector: Vector) -> Mapping[str, Any] | str:
    if vector.params["expect"] == "fail":
        return "ftfy's own test says that ftfy cannot repair this text"
    return {"text": rewritten(Normalise(nfc=False, control_characters=False), vector.text)}


def _cleaned(vector: Vector) -> Mapping[str, Any]:
    return {"text": rewritten(Normalise(), vector.text)}


def _keeps(step: Any, vector: Vector, name: str = "") -> Mapping[str, Any]:
    """The verdict of a filter, and a signal as value and score. A document without text goes in every recipe."""
    text = vector.text or ""
    verdict: dict[str, Any] = {"keep": bool(text) and not failed(step, text)}
    if name and text:
        verdict["score"] = verdict["value"] = measured(step, text)[name]
    return verdict


OFF: dict[str, Any] = dict.fromkeys(
    ("min_alphanumeric_share", "max_digit_share", "max_space_share", "max_bracket_share"), None
)


def _characters(name: str, signal: str = "", **given: str) -> Express:
    """Rules on characters; ``given`` names the peer's parameter for each threshold."""

    def express(vector: Vector) -> Mapping[str, Any]:
        limits = {ours: vector.params[theirs] for ours, theirs in given.items() if theirs in vector.params}
        return _keeps(Characters(**{**OFF, **limits}), vector, signal or name)

    return express


def _value(signal: str) -> Express:
    return lambda vector: {"value": float(measured(Characters(), vector.text)[signal])}


def _alphanumeric(vector: Vector) -> Mapping[str, Any] | str:
    if vector.params.get("tokenization"):
        return TOKENS
    limits = {f"{side}_alphanumeric_share": vector.params.get(f"{side}_ratio") for side in ("min", "max")}
    return _keeps(Characters(**{**OFF, **limits}), vector)


def _special(vector: Vector) -> Mapping[str, Any]:
    """Special characters are, in effect, all but letters."""
    most = 1 - vector.params["max_ratio"]
    return _keeps(Characters(**{**OFF, "min_letter_share": most}), vector)


def _dclm_lines(vector: Vector) -> Mapping[str, Any]:
    most = vector.params["max_length"]
    limits = {"max": (None, most), "avg": (most, None)}[vector.params["length_type"]]
    return _keeps(LineLengths(max_mean_length=limits[0], max_longest=limits[1]), vector)


def _mean_line(vector: Vector) -> Mapping[str, Any]:
    least, most = vector.params.get("min_len"), vector.params.get("max_len")
    step = LineLengths(min_mean_length=least, max_mean_length=most, max_longest=None, count_line_breaks=True)
    return _keeps(step, vector)


def _longest_line(vector: Vector) -> Mapping[str, Any]:
    least, most = vector.params.get("min_len"), vector.params.get("max_len")
    return _keeps(LineLengths(max_mean_length=None, min_longest=least, max_longest=most), vector)


def _bytes(vector: Vector) -> Mapping[str, Any] | str:
    if not vector.text.isascii():
        return "lengths in bytes make Cyrillic twice as long"
    limits = {"min_characters": vector.params["lower_bound"], "max_characters": vector.params["upper_bound"]}
    return _keeps(Characters(**OFF, **limits), vector)


def _code_lines(vector: Vector) -> Mapping[str, Any]:
    least, most = vector.params["_min_lines"], vector.params["_max_lines"]
    step = Pattern(patterns=("\n",), min_matches=least - 1, max_matches=most - 1)
    return {"keep": not failed(step, vector.text), "score": measured(step, vector.text)["pattern_matches"] + 1}


def _comments(vector: Vector) -> Mapping[str, Any]:
    least, most = vector.params["_min_threshold"], vector.params["_max_threshold"]
    return _keeps(Comments(min_comment_share=least, max_comment_share=most), vector, "comment_share")


def _urls_share(vector: Vector) -> Mapping[str, Any]:
    step = Pattern(patterns=(NEMO_URL,), max_matches=None, max_share=vector.params["_cutoff"])
    return _keeps(step, vector, "pattern_share")


def _urls_about(vector: Vector) -> Mapping[str, Any]:
    step = Pattern(patterns=(f"{NEMO_URL[:-1]}*porn",))
    return {"keep": not failed(step, vector.text)}


def _datatrove_pattern(vector: Vector) -> Mapping[str, Any]:
    """The test's expression is in its source alone."""
    return {"keep": not failed(Pattern(patterns=(r"(?i)copyright",)), vector.text)}


def _datamap_pattern(vector: Vector) -> Mapping[str, Any]:
    if vector.params["remove_matches"]:
        step = Pattern(patterns=(vector.params["regex_string"],))
    else:
        step = Pattern(patterns=(vector.params["regex_string"],), min_matches=1, max_matches=None)
    return {"keep": not failed(step, vector.text)}


def _dclm_substrings(vector: Vector) -> Mapping[str, Any] | str:
    options = vector.params.get("kwargs", {})
    if "banlist_from_fname" in options:
        return NO_LIST
    (given,) = vector.params["args"]
    banned = [given] if isinstance(given, str) else given
    found = "|".join(word.replace("{", r"\{") for word in banned)
    found = rf"\b(?:{found})\b" if options.get("exact_word") else f"(?:{found})"
    found = {"prefix": rf"\A{found}", "suffix": rf"{found}\z", "any": found}[options.get("location", "any")]
    return {
        "keep": not failed(Pattern(patterns=(found,), case_sensitive=bool(options.get("case_sensitive"))), vector.text)
    }


def _nemo_substring(vector: Vector) -> Mapping[str, Any]:
    sought = vector.params["_substring"]
    found = {"prefix": rf"\A{sought}", "suffix": rf"{sought}\z", "any": sought}[vector.params["_position"]]
    step = Pattern(patterns=(found,), min_matches=1, max_matches=None)
    return {"keep": not failed(step, vector.text), "score": min(measured(step, vector.text)["pattern_matches"], 1)}


def _bad_words(vector: Vector) -> Mapping[str, Any]:
    return {"keep": not failed(WordList(words=tuple(vector.params["badwords"])), vector.text)}


def _naughty(vector: Vector) -> Mapping[str, Any]:
    found = failed(WordList(words=("strap on",), boundaries="spaces"), vector.text)
    return {"spans": [[0, len(vector.text)]] if found else []}


def _language(vector: Vector) -> Mapping[str, Any]:
    listed = vector.params.get("languages", vector.params.get("lang"))
    languages = tuple([listed] if isinstance(listed, str) else listed)
    score = vector.params.get("language_threshold", vector.params.get("min_score"))
    step = Language(languages=tuple(filter(None, languages)), min_score=score, characters=10_000)
    label = step.measure(batch_of_one(vector.text))["language"][0].as_py()
    return {"keep": not failed(step, vector.text), "language": label}


def _dclm_url(vector: Vector) -> Mapping[str, Any]:
    (given,) = vector.params["args"]
    options = vector.params.get("kwargs", {})
    banned = tuple([given] if isinstance(given, str) else given)
    if options.get("exact_domain_match"):
        return {"keep": not failed(Url(hosts=banned), "", vector.url)}
    step = UrlSubstrings(
        substrings=banned,
        min_substrings=options.get("num_banned_substrs", 1),
        whole_words=not options.get("match_substrings", True),
        case_sensitive=options.get("case_sensitive", False),
        ignored="".join(options.get("ignore_chars", ())),
    )
    return {"keep": not failed(step, "", vector.url)}


def _datamap_url(vector: Vector) -> Mapping[str, Any]:
    given = vector.params
    banned = tuple(given["banlist"])
    if given["exact_domain_match"]:
        return {"keep": not failed(Url(hosts=banned), "", vector.url)}
    if given["exact_url_match"]:
        return {"keep": not failed(Url(urls=banned), "", vector.url)}
    if given["exact_part_match"]:
        return {"keep": not failed(Url(words=banned), "", vector.url)}
    step = UrlSubstrings(
        substrings=banned,
        min_substrings=given["num_banned_substrs"],
        whole_words=not given["match_substrings"],
        case_sensitive=given["case_sensitive"],
        ignored="".join(given["ignore_chars"]),
    )
    return {"keep": not failed(step, "", vector.url)}


def _datatrove_url(vector: Vector) -> Mapping[str, Any]:
    """Its list is of registered domains, with their subdomains, and of single hosts."""
    step = Url(hosts=("badsubdomain.nice.com",), domains=("blocked.com", "danger.org"))
    reasons = {"host": "subdomain", "domain": "domain"}
    found = failed(step, "", vector.url)
    return {"keep": not found, "reason": reasons[found[0]] if found else None}


def _listed(**lists: Any) -> Express:
    return lambda vector: {"match": bool(failed(Url(**lists), "", vector.url))}


CODE: Table = {
    ("dclm", "github_extension_filter"): FILE_NAMES,
    ("nemo", "AlphaFilter"): _characters("letter_share", min_letter_share="_min_alpha_ratio"),
    ("nemo", "GeneralCommentToCodeFilter"): _comments,
    ("nemo", "HTMLBoilerplateFilter"): HTML,
    ("nemo", "NumberOfLinesOfCodeFilter"): _code_lines,
}
LANGUAGE: Table = {
    ("data-juicer", "LanguageIDScoreFilter"): _language,
    ("datatrove", "LanguageFilter"): _language,
    ("dclm", "language_filter"): GIVEN_LANGUAGE,
    ("dolma", "ft_lang_all"): "the vector has no input",
    ("dolma", "ft_lang_en"): "the vector has no input",
}
LENGTH: Table = {
    ("data-juicer", "AverageLineLengthFilter"): _mean_line,
    ("data-juicer", "MaximumLineLengthFilter"): _longest_line,
    ("data-juicer", "TextLengthFilter"): _characters("characters", min_characters="min_len", max_characters="max_len"),
    ("datamap-rs", "TextLenFilter"): _bytes,
    ("dclm", "line_length_filter"): _dclm_lines,
    ("dolma", "CharLengthStripWsV1"): _value("stripped_characters"),
    ("dolma", "CharLengthV1"): _value("characters"),
    ("nemo", "TokenCountFilter"): TOKENS,
}
LISTS: Table = {
    ("c4 (TFDS)", "clean_page_badwords"): _bad_words,
    ("data-juicer", "FlaggedWordFilter"): "the vectors have no input, since their words are offensive",
    ("datamap-rs", "RegexTextFilter"): _datamap_pattern,
    ("datatrove", "RegexFilter"): _datatrove_pattern,
    ("dclm", "substring_filter"): _dclm_substrings,
    ("dolma", "c4:has_naughty_word"): _naughty,
    ("nemo", "SubstringFilter"): _nemo_substring,
}
NORMALISE: Table = {
    ("ftfy", "fix_encoding"): _repaired,
    ("datatrove", "FTFYFormatter"): _cleaned,
    ("data-juicer", "FixUnicodeMapper"): _cleaned,
    ("data-juicer", "RemoveSpecificCharsMapper"): lambda vector: {
        "text": rewritten(Replace(patterns=(f"[{SYMBOLS}]",)), vector.text)
    },
}
URL: Table = {
    ("datamap-rs", "UrlSubstringFilter"): _datamap_url,
    ("datatrove", "URLFilter"): _datatrove_url,
    ("dclm", "url_substring_filter"): _dclm_url,
    ("dolma", "TestDomainTagger"): _listed(domains=DOLMA_DOMAINS),
    ("dolma", "TestLinksTagger"): _listed(urls=DOLMA_LINKS, bare_urls=True),
    ("dolma", "UrlBlocker (adblock rules)"): ADBLOCK,
    ("nemo", "PornographicUrlsFilter"): _urls_about,
}
CHARACTERS: Table = {
    ("data-juicer", "AlphanumericFilter"): _alphanumeric,
    ("data-juicer", "SpecialCharactersFilter"): _special,
    ("dclm", "alphanumeric_char_ratio_filter"): _characters(
        "alphanumeric_share", min_alphanumeric_share="max_alnum_ratio"
    ),
    ("dolma", "gopher:character_count"): _value("characters"),
    ("nemo", "NumbersFilter"): _characters("digit_share", max_digit_share="_cutoff"),
    ("nemo", "ParenthesesFilter"): _characters("bracket_share", max_bracket_share="_max_parentheses_ratio"),
    ("nemo", "UrlsFilter"): _urls_share,
    ("nemo", "WhiteSpaceFilter"): _characters("space_share", max_space_share="_cutoff"),
}
"""Of the family quality; Gopher's rules are in another table."""
