"""Whether a tokenizer's tokens always stand for the same bytes, so that texts with equal tokens share a string."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from curation.tokenizers.expansion import fields
from curation.tokenizers.tokenizer import Tokenizer

_NORMALIZER, _CHARACTERS = 3, 2
"""Fields of SentencePiece's model: the normalizer, and in it the table of characters that it replaces."""
_KEEPING = {"ByteLevel", "Digits", "Metaspace", "Punctuation", "Split"}
"""Steps of tokenizers that divide a text and keep all of its characters, unless ``behavior`` says otherwise."""
_BLANK = {"content": "\u2581", "pattern": {"String": " "}}


def has_fixed_bytes(tokenizer: Tokenizer, *, plain: bool) -> bool:
    """Whether each token that is not the unknown token stands for the same bytes wherever it occurs, apart from a blank
    at the start of a text. ``plain``: texts are words with single blanks between them.

    The answer is False for a tokenizer that normalises characters, drops some, or cannot be judged.
    """
    if tokenizer.kind == "sentencepiece":
        return _piece_has_fixed_bytes(tokenizer, plain)
    table = json.loads(tokenizer.content)
    steps = list(_steps(table.get("normalizer"), "normalizers"))
    if not all(step.get("type") == "Prepend" or _replaces_blanks(step) for step in steps):
        return False
    divisions = list(_steps(table.get("pre_tokenizer"), "pretokenizers"))
    if not all(each.get("type") in _KEEPING and each.get("behavior") != "Removed" for each in divisions):
        return False
    if any(token.get("lstrip") or token.get("rstrip") for token in table.get("added_tokens") or []):
        return False
    if not plain and any(each.get("trim_offsets") for each in _steps(table.get("post_processor"), "processors")):
        return False
    return _knows_all_bytes(table["model"], any(each.get("type") == "ByteLevel" for each in divisions))


def _piece_has_fixed_bytes(tokenizer: Tokenizer, plain: bool) -> bool:
    for normalizer in fields(tokenizer.content, _NORMALIZER):
        if any(fields(normalizer, _CHARACTERS)):
            return False
    encoder = tokenizer.encoder()
    blanks = encoder.plain(["a  b", "a b"])
    return plain or len(set(blanks[1].tolist())) > 1


def _knows_all_bytes(model: Mapping[str, Any], byte_level: bool) -> bool:
    """Whether the model drops no character that is not in its vocabulary."""
    if model.get("type", "BPE") == "Unigram":
        return True
    if model.get("type", "BPE") != "BPE" or model.get("dropout"):
        return False
    letters = sum(len(name) == 1 for name in model["vocab"])
    return model.get("unk_token") is not None or bool(model.get("byte_fallback")) or (byte_level and letters >= 256)


def _steps(value: Any, inner: str) -> Iterator[Mapping[str, Any]]:
    """The steps of a normalizer or pre-tokenizer, those of a sequence one by one."""
    if not isinstance(value, Mapping):
        return
    if value.get("type") == "Sequence":
        for each in value.get(inner) or []:
            yield from _steps(each, inner)
    else:
        yield value


def _replaces_blanks(step: Mapping[str, Any]) -> bool:
    return step.get("type") == "Replace" and {name: step.get(name) for name in _BLANK} == _BLANK
