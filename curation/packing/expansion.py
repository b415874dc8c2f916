"""How much longer a tokenizer's normaliser can make a text: a file from elsewhere may hold one that knows no bounds."""

import base64
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from schemas.errors import UserError

MOST = 200
"""So many times as long may a text become. The normalisers of known models stay below 40."""

UNICODE = 18
"""NFKC and NFKD make at most so many characters of one (U+FDFA). Another form after them adds nothing."""

_ZERO_WIDTH = re.compile(r"\(\?|\\[bBAzZGK]|[\^$]")
"""What lets a regular expression match between characters although it matches no empty text."""


def check_expansion(path: Path, table: Mapping[str, Any]) -> None:
    """Raises UserError where the normaliser of a tokenizers file, whose JSON is ``table``, can make a text more than
    MOST times as long."""
    unicode, replaced = UNICODE, 1
    for step in _steps(table.get("normalizer")):
        if step.get("type") == "Replace":
            replaced *= _replaced(step)
        elif step.get("type") == "Precompiled":
            unicode = max(unicode, longest_mapping(base64.b64decode(str(step.get("precompiled_charsmap")))))
    _check(path, unicode * replaced)


def check_model(path: Path, content: bytes) -> None:
    """Raises UserError where the normaliser of a SentencePiece model can make a text more than MOST times as long."""
    for specification in _fields(content, 3):  # normalizer_spec of the model
        for charsmap in _fields(specification, 2):  # precompiled_charsmap
            _check(path, longest_mapping(charsmap))


def longest_mapping(charsmap: bytes) -> int:
    """The bytes of the longest text that SentencePiece's compiled map puts in the place of another: behind a trie,
    whose size comes first (uint32, little-endian), lie these texts, a NUL after each."""
    texts = charsmap[4 + int.from_bytes(charsmap[:4], "little") :]
    return max(map(len, texts.split(b"\0")))


def _check(path: Path, times: int) -> None:
    if times > MOST:
        raise UserError(
            f"the tokenizer {path} cannot be used: its normaliser can make a text {times:,} times as long, and "
            f"{MOST} times is the most; take one whose normaliser replaces less"
        )


def _steps(normalizer: Any) -> Iterator[Mapping[str, Any]]:
    """The normalisers of a sequence, however deep they lie in it."""
    waiting = [normalizer]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            yield each
            waiting += each.get("normalizers") or []


def _replaced(step: Mapping[str, Any]) -> int:
    """How many times as long a replacement makes a text at most."""
    content, pattern = str(step.get("content")), step.get("pattern")
    literal = pattern.get("String") if isinstance(pattern, Mapping) else None
    if isinstance(literal, str) and literal:
        return max(1, -(-len(content) // len(literal)))
    expression = str(pattern.get("Regex")) if isinstance(pattern, Mapping) else ""
    between = 1 if _ZERO_WIDTH.search(expression) or _matches_nothing(expression) else 0
    return max(1, len(content) + between)


def _matches_nothing(expression: str) -> bool:
    """Whether an expression may match an empty text. One that Python does not know may."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return re.compile(expression).match("") is not None
    except (re.error, RecursionError, OverflowError):
        return True


def _fields(message: bytes, wanted: int) -> Iterator[bytes]:
    """The length-delimited fields of one number in a message of protocol buffers, as far as it is well formed."""
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
