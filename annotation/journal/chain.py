"""The chain of hashes over a journal's rows, and the commitments that stand for email addresses in it.

The hash of a row is SHA-256 of: the hash of the row before it (32 zero bytes before the first), the lengths of kind and
key in 8 bytes each, big-endian, kind and key in UTF-8, and SHA-256 of the body. So the hash of a row proves that no
earlier row was changed, removed, moved or added, even to somebody from whom a body is withheld.
"""

import hashlib
import re
import secrets
from collections.abc import Callable

START = bytes(32)
"""The hash before the first row."""

_PLAIN = r"[^\s\"'\\<>(),;:\[\]@]"
_BEGINNING = rf"(?:(?<!{_PLAIN})(?<!\\)|(?<=\\{_PLAIN}))"
EMAIL = re.compile(rf"{_BEGINNING}{_PLAIN}++@{_PLAIN}+\.[^\s\"'\\<>(),;:\[\]@.]+".encode())
"""An email address in JSON text, from its last apostrophe on; a character after a backslash belongs to an escape. Only
the beginning of a run of plain characters can begin a match, so that a text costs time in proportion to its length."""
TOKEN = re.compile(rb"person-[0-9a-f]{40}")


def row_hash(before: bytes, kind: str, key: str, body: bytes) -> bytes:
    """The hash of a row as it is stored, in 32 bytes. ``before`` is the hash of the row before it."""
    return hash_of(before, kind, key, hashlib.sha256(body).digest())


def hash_of(before: bytes, kind: str, key: str, body_digest: bytes) -> bytes:
    """Same as `row_hash`, from the SHA-256 of the body."""
    name, place = kind.encode(), key.encode()
    lengths = len(name).to_bytes(8, "big") + len(place).to_bytes(8, "big")
    return hashlib.sha256(before + lengths + name + place + body_digest).digest()


def new_salt() -> bytes:
    return secrets.token_bytes(16)


def token(salt: bytes, value: str) -> str:
    """The commitment that stands for an email address: whoever knows salt and address can check it, and without the
    salt nobody can tell the address, not even by trying all addresses."""
    return "person-" + hashlib.sha256(salt + value.encode()).hexdigest()[:40]


def is_token(value: str) -> bool:
    """Whether a person's name in a row holds the commitment to an email address in place of the address.

    Of an address with an apostrophe, what is before the apostrophe stays.

    >>> is_token("o'person-" + 40 * "0"), is_token("o'brien@mill.example")
    (True, False)
    """
    return "@" not in value and TOKEN.search(value.encode()) is not None


def conceal(text: bytes, token_of: Callable[[str], str]) -> bytes:
    """Replaces email addresses by their tokens."""
    return EMAIL.sub(lambda found: token_of(found[0].decode()).encode(), text) if b"@" in text else text


def reveal(text: bytes, value_of: Callable[[bytes], bytes | None]) -> bytes:
    """Replaces tokens by their email addresses; a token without a value, as of an erased address, stays."""
    return TOKEN.sub(lambda found: value_of(found[0]) or found[0], text) if b"person-" in text else text
