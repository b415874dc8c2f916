"""Pages in HTTP responses: encodings come off, what is cut short or broken is told, a header must end."""

import zlib
from pathlib import Path

import brotli
import orjson
import pytest
import zstandard

from curation.sources.reading import ReadingSettings
from tests.curation.sources.made import gz, http, page, read_bytes, response, warc


def _chunked(body: bytes) -> bytes:
    return (
        b"".join(b"%x;ext\r\n%b\r\n" % (len(body[n : n + 100]), body[n : n + 100]) for n in range(0, len(body), 100))
        + b"0\r\n\r\n"
    )


PAGE = page("Encoded in many ways.")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (_chunked(PAGE), {"Transfer_Encoding": "chunked"}),
        (PAGE, {"Transfer_Encoding": "chunked"}),
        (gz(PAGE), {"Content_Encoding": "gzip"}),
        (gz(PAGE)[:-6], {"Content_Encoding": "gzip"}),
        (PAGE, {"Content_Encoding": "gzip"}),
        (zlib.compress(PAGE), {"Content_Encoding": "deflate"}),
        (zlib.compress(PAGE, wbits=-15), {"Content_Encoding": "deflate"}),
        (brotli.compress(PAGE), {"Content_Encoding": "br"}),
        (PAGE, {"Content_Encoding": "br"}),
        (zstandard.compress(PAGE), {"Content_Encoding": "zstd"}),
        (_chunked(gz(PAGE)), {"Transfer_Encoding": "chunked", "Content_Encoding": "gzip"}),
        (gz(brotli.compress(PAGE)), {"Content_Encoding": "br, gzip"}),
        (PAGE, {"Content_Encoding": "identity"}),
        (PAGE, {"Content_Encoding": "8bit"}),
        (PAGE, {"Content_Encoding": "binary, ISO-8859-1"}),
    ],
)
def test_encodings_come_off(body: bytes, headers: dict[str, str], tmp_path: Path) -> None:
    [text] = read_bytes(warc("response", http(body, **headers), "http://a/"), tmp_path).texts
    assert "Encoded in many ways." in text


@pytest.mark.parametrize(
    ("body", "headers", "error"),
    [
        (b"\x1f\x8b\x08\0 broken " * 9, {"Content_Encoding": "gzip"}, "bad_payload"),
        (b"\xff\xff nonsense", {"Content_Encoding": "br"}, "bad_payload"),
        (b"\x93\x01 nonsense", {"Content_Encoding": "dcb"}, "unknown_encoding"),
        (gz(bytes(9_000_000)), {"Content_Encoding": "gzip"}, "too_large"),
        (brotli.compress(bytes(9_000_000)), {"Content_Encoding": "br"}, "too_large"),
        (zstandard.compress(bytes(9_000_000)), {"Content_Encoding": "zstd"}, "too_large"),
    ],
)
def test_a_payload_that_cannot_be_decoded_costs_its_record(
    body: bytes, headers: dict[str, str], error: str, tmp_path: Path
) -> None:
    data = response("before") + warc("response", http(body, **headers), "http://bad/") + response("after")
    read = read_bytes(data, tmp_path, ReadingSettings(max_record_bytes=4 << 20))
    assert len(read.documents) == 2
    assert read.errors == [error]


def test_a_broken_http_header_costs_its_record(tmp_path: Path) -> None:
    read = read_bytes(
        response("before") + warc("response", b"\0\xff no http", "http://bad/") + response("after"), tmp_path
    )
    assert len(read.documents) == 2
    assert read.errors == ["bad_http"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (_chunked(PAGE)[:-5], {"Transfer_Encoding": "chunked"}),
        (gz(PAGE)[:-40], {"Content_Encoding": "gzip"}),
        (zlib.compress(PAGE)[:-40], {"Content_Encoding": "deflate"}),
        (zlib.compress(PAGE, wbits=-15)[:-40], {"Content_Encoding": "deflate"}),
        (brotli.compress(PAGE)[:-40], {"Content_Encoding": "br"}),
        (zstandard.compress(PAGE * 500)[:-4], {"Content_Encoding": "zstd"}),
        (_chunked(gz(PAGE)[:-40]), {"Transfer_Encoding": "chunked", "Content_Encoding": "gzip"}),
    ],
)
def test_a_page_whose_body_is_cut_short_is_kept_and_says_so(
    body: bytes, headers: dict[str, str], tmp_path: Path
) -> None:
    records = [
        warc("response", http(body, **headers), "http://a/"),
        warc("response", http(body, **headers), "http://b/", WARC_Truncated="length"),
        warc("response", http(PAGE), "http://c/", WARC_Truncated="time"),
        warc("response", http(PAGE, Content_Length="9999"), "http://d/"),
    ]
    read = read_bytes(b"".join(records), tmp_path)
    assert not read.quarantine
    assert all("Encoded in many ways." in text for text in read.texts)
    told = [orjson.loads(row["metadata"]).get("truncated") for row in read.documents]
    assert told == ["payload", "length", "time", None]


def test_a_body_of_which_nothing_is_left_is_quarantined(tmp_path: Path) -> None:
    record = warc("response", http(gz(PAGE)[:12], Content_Encoding="gzip"), "http://a/")
    read = read_bytes(record + response("after"), tmp_path)
    assert read.errors == ["bad_payload"]
    assert not read.skipped


def test_http_headers_may_end_their_lines_in_two_carriage_returns(tmp_path: Path) -> None:
    head, body = http(PAGE, Content_Encoding="identity").split(b"\r\n\r\n", 1)
    content = head.replace(b"\r\n", b"\r\r\n") + b"\r\r\n\r\r\n" + body
    read = read_bytes(warc("response", content, "http://a/"), tmp_path)
    plain = read_bytes(warc("response", http(PAGE), "http://a/"), tmp_path)
    assert read.texts == plain.texts
    assert not read.skipped


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + PAGE,
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nsubject: mills\r\nwheel: wood\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 900\r\n",
        b"HTTP/1.1 200 OK\rContent-Type: text/html\r\r" + PAGE,
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nflour and corn",
    ],
)
def test_an_http_header_that_does_not_end_costs_its_record(content: bytes, tmp_path: Path) -> None:
    read = read_bytes(warc("response", content, "http://a/") + response("after"), tmp_path)
    assert read.errors == ["bad_http"]
    assert "does not end" in read.quarantine[0]["message"]
    assert len(read.documents) == 1
    assert not read.skipped


@pytest.mark.parametrize(
    "content", [http(b""), http(b"", Content_Length="0"), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nServer: a\r\n"]
)
def test_a_response_without_a_body_is_skipped(content: bytes, tmp_path: Path) -> None:
    read = read_bytes(warc("response", content, "http://a/"), tmp_path)
    assert (read.skipped, read.quarantine) == ({"empty": 1}, [])
