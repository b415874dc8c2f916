"""A manifest is read as its record, or one sentence says what is wrong with it or with a file that it names."""

import io
import json
from pathlib import Path

import pytest

from schemas.checksums import sha256_of
from schemas.errors import DamagedError, UserError
from schemas.manifest import (
    Entry,
    NamedEntry,
    Versioned,
    difference,
    is_inside,
    named_entries,
    parse_json,
    read_manifest,
)


def read(content: object) -> Versioned:
    written = json.dumps(content).encode()
    return read_manifest(written, "m", Versioned, form="mill.rye", version=2, made_by="mill grind")


def test_a_manifest_of_another_format_or_a_newer_version_is_named() -> None:
    assert read({"format": "mill.rye", "version": 2, "later": None}) == Versioned("mill.rye", 2)
    for other in ([], {}, {"format": 1}, {"format": "mill.oats", "version": 1}):
        with pytest.raises(UserError, match=r"^m was not written by mill grind: name another folder$"):
            read(other)
    with pytest.raises(DamagedError, match="m is of version 3, newer than this Gristmill, which reads up to 2"):
        read({"format": "mill.rye", "version": 3})


@pytest.mark.parametrize("content", [b'{"a": ', b"\xff", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b""])
def test_what_is_no_json_is_said(content: bytes) -> None:
    with pytest.raises(DamagedError, match=r"^corpus/manifest\.json is not JSON \(.*restore the original file$"):
        parse_json(content, "corpus/manifest.json")


def test_half_of_a_character_is_said() -> None:
    assert parse_json(b'{"a": "\\ud83c\\udf3e"}', "m") == {"a": "\U0001f33e"}
    for content in (b'{"a": [{"\\uDF3e": 1}]}', b'["\xed\xb0\x80"]'):
        with pytest.raises(DamagedError, match="m holds half of a surrogate pair"):
            parse_json(content, "m")


def test_a_name_leads_to_a_file_inside_of_the_folder() -> None:
    assert is_inside("documents/00000.parquet")
    assert is_inside("..a/b..c")
    for name in ("", ".", "..", "../a", "a/../../b", "/a", "a/", "a//b", "./a", "a\\b", "a\0b", "a\nb", "\ud800"):
        assert not is_inside(name), name
    digest = sha256_of(io.BytesIO(b""))
    assert named_entries({"a": Entry(digest, rows=2)}, "m") == {"a": NamedEntry("a", digest, rows=2)}
    with pytest.raises(DamagedError, match=r"m names a file outside of its folder, '\.\./a'"):
        named_entries({"../a": Entry(digest)}, "m")
    for wrong in ("", digest[1:], digest.upper(), digest[:-1] + "g"):
        with pytest.raises(DamagedError, match="the SHA-256 of a is not 64 hexadecimal digits"):
            named_entries({"a": Entry(wrong)}, "m")


def test_a_file_is_compared_with_what_the_manifest_says(tmp_path: Path) -> None:
    digest = sha256_of(io.BytesIO(b"x" * 1234))
    said = {
        b"x" * 1234: None,
        b"x" * 1233: "has 1,233 bytes, the manifest says 1,234",
        b"x" * 1233 + b"y": "is damaged: its SHA-256 is not the one in the manifest",
    }
    for content, expected in said.items():
        (tmp_path / "a").write_bytes(content)
        assert difference(NamedEntry("a", digest, 1234), lambda name: (tmp_path / name).open("rb")) == expected
    assert difference(NamedEntry("b", digest), lambda name: (tmp_path / name).open("rb")) == "is missing"
