"""Header fields, media types and payloads as browsers read them."""

import gzip
import random
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from curation.sources.chunks import RecordError
from curation.sources.headers import fields, header_size, media_type, status
from curation.sources.http import Payload, dechunk, decode_payload
from tests.doubling import assert_linear

LIMIT = 64 << 20
TEXT = b"The mill wheel turns in the river and the stones grind the corn into flour. " * 20


@pytest.mark.parametrize(
    ("value", "name", "charset"),
    [
        ("text/html", "text/html", None),
        ("TEXT/HTML; Charset=UTF-8", "text/html", "UTF-8"),
        ("text/html charset=utf-8", "text/html", "utf-8"),
        ("text/html, text/html", "text/html", None),
        ("text/html;charset=gbk, text/html", "text/html", "gbk"),
        ("text/html;charset=gbk, x/x, text/html", "text/html", None),
        ("text/html;charset=gbk, text/html;charset=utf-8", "text/html", "utf-8"),
        ("text/plain, */*", "text/plain", None),
        ('text/html;charset="gbk"', "text/html", "gbk"),
        ("text/html;charset='gbk'", "text/html", "gbk"),
        ('text/html;x=",text/plain;charset=koi8-r', "text/html", "koi8-r"),
        ("text/html(comment)", "text/html", None),
        ("text/html,", "text/html", None),
        ("html", "", None),
        ("*/*", "", None),
        ("", "", None),
    ],
)
def test_media_types(value: str, name: str, charset: str | None) -> None:
    assert media_type(value) == (name, charset)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"HTTP/1.1 200 OK", 200), (b"http/1.0  404", 404), (b"HTTP/2 200", 200), (b"HTTP/1.1\t301 Moved", 301),
        (b"\r\nHTTP/1.1 200OK", 200), (b"HTTP/1.1 OK", None), (b"200 OK", None), (b"HTTP/1.1 2000", None), (b"", None),
    ],
)  # fmt: skip
def test_status_lines(line: bytes, code: int | None) -> None:
    assert status(line) == code


def test_fields_end_in_any_line_end_and_have_any_case() -> None:
    header = b"WARC/1.0\r\nwarc-TYPE :response\nX:\r\n  a\r\n\tb\r\nno colon\r\nx: c:d\r\nUrl: \xc3\xbc\r\n\n"
    assert fields(header) == {"warc-type": ["response"], "x": ["a b", "c:d"], "url": ["ü"]}
    assert fields(b"HTTP/1.1 200\nTitle: \xfc\n\n") == {"title": ["ü"]}
    assert header_size(header + b"rest") == len(header)
    assert header_size(b"a: b\n\nrest\r\n\r\n") == 6
    assert header_size(b"a: b\r\r\nc: d\r\r\n\r\r\nrest") == 17
    assert header_size(b"a: b\r\n") is None


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "zstd": zstandard.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
}


@pytest.mark.parametrize("name", ["gzip", "x-gzip", "zstd"])
def test_all_members_of_a_body_are_decoded(name: str) -> None:
    body = b"".join(ENCODERS[name](part) for part in (TEXT[:40], b"", TEXT[40:]))
    assert decode_payload(body, "", name, LIMIT) == Payload(TEXT)
    assert decode_payload(body + b"\0\0 junk", "", name, LIMIT) == Payload(TEXT)


@pytest.mark.parametrize("name", ["deflate", "br"])
@pytest.mark.parametrize("text", [TEXT, random.Random(3).randbytes(200_000)], ids=["short", "long"])
@pytest.mark.parametrize("junk", [b"\0\0 junk", b"\r\n", bytes(range(256)) * 300])
def test_what_follows_a_body_is_ignored(name: str, text: bytes, junk: bytes) -> None:
    assert decode_payload(ENCODERS[name](text) + junk, "", name, LIMIT) == Payload(text)


def test_skippable_frames_of_zstd_hold_nothing() -> None:
    frame = b"\x50\x2a\x4d\x18\4\0\0\0abcd"
    assert decode_payload(frame + zstandard.compress(TEXT) + frame, "", "zstd", LIMIT) == Payload(TEXT)


@given(data=st.binary(max_size=3000), names=st.lists(st.sampled_from([*ENCODERS, "identity", "8bit"]), max_size=3))
def test_what_was_encoded_comes_back(data: bytes, names: list[str]) -> None:
    body = data
    for name in names:
        body = ENCODERS.get(name, bytes)(body)
    assert decode_payload(body, "", " , ".join(names).upper(), LIMIT) == Payload(data)


@pytest.mark.parametrize("name", ["identity", "none", "binary", "8BIT", "utf-8", "rot13", "gzip", "br", "deflate", ""])
@pytest.mark.parametrize("body", [b"<html>", b" \n<p>"])
def test_what_is_not_encoded_stays_as_it_is(name: str, body: bytes) -> None:
    assert decode_payload(body, "", name, LIMIT) == Payload(body)


NOISE = random.Random(7).randbytes(200_000).hex().encode()


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("left", [0.5, 0.9, -1])
def test_a_body_that_is_cut_short_gives_what_is_left_of_it_and_says_so(name: str, left: float) -> None:
    body = ENCODERS[name](NOISE)
    found = decode_payload(body[: int(left * len(body)) if left > 0 else -1], "", name, LIMIT)
    assert found.cut
    assert found.data
    assert NOISE.startswith(found.data)
    assert decode_payload(_chunks(body)[:-6], "chunked", name, LIMIT).cut


@pytest.mark.parametrize("name", ENCODERS)
def test_a_body_of_which_nothing_is_left_is_refused(name: str) -> None:
    with pytest.raises(RecordError, match="nothing is decoded") as refused:
        decode_payload(ENCODERS[name](NOISE)[:4], "", name, LIMIT)
    assert refused.value.error == "bad_payload"


@pytest.mark.parametrize("name", ENCODERS)
def test_a_body_that_is_broken_is_refused(name: str) -> None:
    body = bytearray(ENCODERS[name](TEXT))
    body[len(body) // 2 :] = b"\xff" * (len(body) // 2)
    with pytest.raises(RecordError) as refused:
        decode_payload(bytes(body), "", name, LIMIT)
    assert refused.value.error == "bad_payload"


@pytest.mark.parametrize("name", ENCODERS)
def test_a_bomb_is_refused_before_it_unfolds(name: str) -> None:
    body = brotli.compress(bytes(1 << 25), quality=5) if name == "br" else ENCODERS[name](bytes(1 << 25))
    with pytest.raises(RecordError, match="decodes to more than") as refused:
        decode_payload(body, "", name, LIMIT)
    assert refused.value.error == "too_large"


def _chunks(*parts: bytes, end: bytes = b"\r\n") -> bytes:
    return b"".join(b"%x%b%b%b" % (len(part), end, part, end) for part in (*parts, b""))


@pytest.mark.parametrize(
    ("body", "expected", "cut"),
    [
        (_chunks(b"one ", b"two"), b"one two", False),
        (_chunks(b"one ", b"two", end=b"\n"), b"one two", False),
        (_chunks(b"one ")[:-2] + b"Trailer: x\r\n\r\n", b"one ", False),
        (_chunks(b"one ", b"two")[:-2], b"one two", False),
        (_chunks(b"one ", b"two")[:-4], b"one two", True),
        (_chunks(b"one ", b"two")[:-5], b"one two", True),
        (_chunks(b"one ", b"two three")[:-9], b"one two thr", True),
        (_chunks(b"<p>one two three")[:-12], b"<p>one two ", True),
        (_chunks(b"\xef\xbb\xbf<p>one two three")[:-12], b"\xef\xbb\xbf<p>one two ", True),
        (_chunks(), b"", False),
    ],
)
def test_chunks_come_off(body: bytes, expected: bytes, cut: bool) -> None:
    assert dechunk(body) == Payload(expected, cut)


@pytest.mark.parametrize(
    "body",
    [
        b"<p>not chunked", b"The mill wheel turns", b"2024\nThe mill wheel turns", b"2024\r\nThe mill wheel turns",
        b"0\r\nThe mill wheel turns\r\n", b"a\nMore than ten bytes\nof it", b"beef", b"",
    ],
)  # fmt: skip
def test_a_body_that_is_not_chunked_stays_as_it_is(body: bytes) -> None:
    assert dechunk(body) == Payload(body)
    assert decode_payload(body, "Chunked", "", LIMIT) == Payload(body)


def test_chunks_that_break_off_in_the_middle_are_not_cut_in_silence() -> None:
    with pytest.raises(RecordError, match="no chunk begins at byte 18"):
        dechunk(_chunks(b"one ", b"two ")[:-4] + b"and more that is in no chunk\r\n0\r\n\r\n")
    for first in (b"<p>one", gzip.compress(b"one")):
        with pytest.raises(RecordError, match="no chunk begins at byte"):
            dechunk(_chunks(first)[:-5] + b"and more that is in no chunk\r\n0\r\n\r\n")


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_many_small_members_cost_as_much_as_they_are_long(name: str) -> None:
    def work(body: bytes) -> None:
        decode_payload(body, "", name, LIMIT)

    assert_linear(work, lambda size: ENCODERS[name](b"x") * size, 20_000)


def test_long_header_values_cost_as_much_as_they_are_long() -> None:
    for piece in ('"', ",", " ", "a/b,", "charset", 'a/b;x="', "charset =  "):
        assert_linear(media_type, piece.__mul__, 20_000, floor=0.01)
