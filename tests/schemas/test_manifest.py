"""A value has its shape, or the sentence names the place where it does not."""

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import DamagedError
from schemas.manifest import Noted, check, difference, is_inside, noted, parsed, sha256_of

SHAPE = {"name": str, "rows": int, "share": float, "signals": bool, "near": (None, {str: int}), "of?": [{"a": str}]}
WHOLE: dict[str, Any] = {"name": "x", "rows": 0, "share": 0.5, "signals": True, "near": None, "of": [{"a": ""}], "b": 1}


def test_a_whole_value_passes() -> None:
    check(WHOLE, SHAPE, "m")
    check({name: value for name, value in WHOLE.items() if name != "of"}, SHAPE, "m")
    check({**WHOLE, "share": 3, "near": {"bands": 2}}, SHAPE, "m")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": 1}, "m: name is not a text"),
        ({"name": "\ud800"}, "m: name is not valid Unicode"),
        ({"rows": -1}, "m: rows is not a whole number from 0 up"),
        ({"rows": True}, "m: rows is not a whole number"),
        ({"rows": 2**63}, "m: rows is not a whole number"),
        ({"rows": 1.0}, "m: rows is not a whole number"),
        ({"share": float("nan")}, "m: share is not a number"),
        ({"share": 10**400}, "m: share is not a number"),
        ({"signals": 1}, "m: signals is not true or false"),
        ({"near": {"bands": None}}, "m: near.bands is not a whole number"),
        ({"near": []}, "m: near is not a table"),
        ({"of": {}}, "m: of is not a list"),
        ({"of": [{"a": "x"}, {}]}, r"m lacks of\[1\].a"),
        ({"near": {"\x1b\ud800": 1}}, "m: near is not valid Unicode"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DamagedError, match=said):
        check({**WHOLE, **changes}, SHAPE, "m")


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


@given(value=JSON)
def test_any_value_passes_or_is_one_sentence(value: Any) -> None:
    said = "m"
    try:
        check(value, SHAPE, "m")
    except DamagedError as error:
        said = str(error)
    assert said.startswith("m")
    assert "\n" not in said


@pytest.mark.parametrize("content", [b'{"a": ', b"\xff", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b""])
def test_what_is_no_json_is_said(content: bytes) -> None:
    with pytest.raises(DamagedError, match=r"^corpus/manifest\.json is not JSON \(.*put it back as it was$"):
        parsed(content, "corpus/manifest.json")


def test_half_of_a_character_is_said() -> None:
    assert parsed(b'{"a": "\\ud83c\\udf3e"}', "m") == {"a": "\U0001f33e"}
    for content in (b'{"a": [{"\\uDF3e": 1}]}', b'["\xed\xb0\x80"]'):
        with pytest.raises(DamagedError, match="m holds half of a surrogate pair"):
            parsed(content, "m")


def test_a_name_leads_to_a_file_inside_of_the_folder() -> None:
    assert is_inside("documents/00000.parquet")
    assert is_inside("..a/b..c")
    for name in ("", ".", "..", "../a", "a/../../b", "/a", "a/", "a//b", "./a", "a\\b", "a\0b", "a\nb", "\ud800"):
        assert not is_inside(name), name
    digest = sha256_of(io.BytesIO(b""))
    assert noted({"a": {"sha256": digest, "rows": 2}}, "m")["a"].rows == 2
    with pytest.raises(DamagedError, match=r"m names a file outside of its folder, '\.\./a'"):
        noted({"../a": {"sha256": digest}}, "m")
    for wrong in ("", digest[1:], digest.upper(), digest[:-1] + "g"):
        with pytest.raises(DamagedError, match="the SHA-256 of a is not 64 hexadecimal digits"):
            noted({"a": {"sha256": wrong}}, "m")


def test_a_file_is_compared_with_what_the_manifest_says(tmp_path: Path) -> None:
    digest = sha256_of(io.BytesIO(b"x" * 1234))
    said = {
        b"x" * 1234: None,
        b"x" * 1233: "has 1,233 bytes, the manifest says 1,234",
        b"x" * 1233 + b"y": "is damaged: its SHA-256 is not the one in the manifest",
    }
    for content, expected in said.items():
        (tmp_path / "a").write_bytes(content)
        assert difference(Noted("a", digest, 1234), lambda name: (tmp_path / name).open("rb")) == expected
    assert difference(Noted("b", digest), lambda name: (tmp_path / name).open("rb")) == "is missing"
