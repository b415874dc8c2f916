"""Checks how much longer a tokenizer's normaliser can make a text: a downloaded file may set no bound."""

import base64
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from schemas.errors import UserError

MOST = 200
"""A normaliser may make a text at most this many times as long. The normalisers of known models stay below 40."""

UNICODE = 18
"""NFKC and NFKD expand a character to at most this many (U+FDFA). A second Unicode form does not expand further."""

_ZERO_WIDTH = re.compile(r"\(\?|\\[bBAzZGK]|[\^$]")
"""Parts with which a regular expression may match between characters, although it does not match an empty text."""


def check_expansion(path: Path, table: Mapping[str, Any]) -> None:
    """Raises UserError if the normaliser of a tokenizers file, whose JSON is ``table``, can make a text more than MOST
    times as long."""
    unicode, replaced = UNICODE, 1
    for step in _steps(table.get("normalizer")):
        if step.get("type") == "Replace":
            replaced *= _replacement_factor(step)
        elif step.get("type") == "Precompiled":
            unicode = max(unicode, longest_mapping(base64.b64decode(str(step.get("precompiled_charsmap")))))
    _check(path, unicode * replaced)


def check_model(path: Path, content: bytes) -> None:
    """Raises UserError if the normaliser of a SentencePiece model can make a text more than MOST times as long."""
    for specification in fields(content, 3):  # normalizer_spec of the model
        for charsmap in fields(specification, 2):  # precompiled_charsmap
            _check(path, longest_mapping(charsmap))


def longest_mapping(charsmap: bytes) -> int:
    """The bytes of the longest replacement in SentencePiece's compiled map. The map begins with the size of a trie
    (uint32, little-endian); the replacements follow the trie, each with a NUL at its end."""
    texts = charsmap[4 + int.from_bytes(charsmap[:4], "little") :]
    return max(map(len, texts.split(b"\0")))


def _check(path: Path, times: int) -> None:
    if times > MOST:
        raise UserError(
            f"the tokenizer {path} cannot be used: its normaliser can make a text {times:,} times as long, "
            f"above the limit of {MOST} times: choose another tokenizer"
        )


def _steps(normalizer: Any) -> Iterator[Mapping[str, Any]]:
    """The normalisers in a tree of sequences."""
    waiting = [normalizer]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            yield each
            waiting += each.get("normalizers") or []


def _replacement_factor(step: Mapping[str, Any]) -> int:
    """The factor by which a replacement can lengthen a text at most."""
    content, pattern = str(step.get("content")), step.get("pattern")
    literal = pattern.get("String") if isinstance(pattern, Mapping) else None
    if isinstance(literal, str) and literal:
        return max(1, -(-len(content) // len(literal)))
    expression = str(pattern.get("Regex")) if isinstance(pattern, Mapping) else ""
    between = 1 if _ZERO_WIDTH.search(expression) or _matches_empty(expression) else 0
    return max(1, len(content) + between)


def _matches_empty(expression: str) -> bool:
    """Whether an expression may match an empty text; true for an expression that Python cannot compile."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return re.compile(expression).match("") is not None
    except (re.error, RecursionError, OverflowError):
        return True


def fields(message: bytes, wanted: int) -> Iterator[bytes]:
    """The length-delimited fields with number ``wanted`` of a protobuf message, up to the first malformed field."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 2:
            size, at = _varint(message, at)
            if key >> 3 == wanted:
                yield message[at : at + size]
            at += size
        elif kind == 0:
            _, at = _varint(message, at)
        else:
            at += {1: 8, 5: 4}.get(kind, len(message))


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message):
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            break
    return value, at
