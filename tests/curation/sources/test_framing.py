"""Framing: a record that lies loses itself alone, ARC in all its forms, and time that grows as the file does."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from curation.sources.arc import ArcFields, is_arc_line
from curation.sources.chunks import ReadingSettings
from tests.curation.sources.made import Read, gz, http, page, read_bytes, response, warc, zst
from tests.doubling import assert_linear

BODY = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nThe mill wheel turns in the river."
URL = "http://www.mill.example/a/rather/long/path/page.html"
NAMES = {1: b"URL IP-address Archive-date Content-type Archive-length"}
NAMES[2] = b"URL IP-address Archive-date Content-type Result-code Checksum Location Offset Filename Archive-length"


def _records(count: int) -> list[bytes]:
    return [response(f"Record {n} speaks of the mill number {n}.", f"http://mill.example/{n}") for n in range(count)]


def _numbers(read: Read) -> list[int]:
    return [int(row["url"].rsplit("/", 1)[1]) for row in read.documents]


def _one_member(records: list[bytes]) -> bytes:
    return gz(b"".join(records))


PACKS: dict[str, Callable[[list[bytes]], bytes]] = {
    "plain": b"".join,
    "a member each": lambda records: b"".join(map(gz, records)),
    "one member": _one_member,
    "one frame": lambda records: zst(b"".join(records)),
}


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("claimed", [2_000_000, 200_000_000, 10**15])
def test_a_record_that_claims_too_much_loses_itself_alone(pack: str, claimed: int, tmp_path: Path) -> None:
    records = _records(300)
    liar = warc("response", http(page("The liar.")), "http://liar/", length=claimed)
    reading = ReadingSettings(max_record_bytes=1 << 20)
    read = read_bytes(PACKS[pack]([*records[:150], liar, *records[150:]]), tmp_path, reading)
    assert _numbers(read) == list(range(300))
    assert read.errors == ["bad_record"]
    assert read.quarantine[0]["bytes"] == len(liar)
    assert read.quarantine[0]["record"] == liar


@pytest.mark.parametrize("pack", PACKS)
def test_liars_of_all_kinds_lose_themselves_alone(pack: str, tmp_path: Path) -> None:
    records: list[bytes] = []
    for n, one in enumerate(_records(40)):
        records += [one, warc("response", http(page("A liar.")), f"http://liar/{n}", length=7 ** (n % 20))]
    read = read_bytes(PACKS[pack](records), tmp_path, ReadingSettings(max_record_bytes=1 << 20))
    good = [row["url"] for row in read.documents if row["url"].startswith("http://mill")]
    assert len(good) >= 39  # where 7 ** n happens to be the distance to an empty line, two records go
    assert len(read.documents) + len(read.quarantine) >= 79


def test_a_long_record_that_holds_records_is_one_record(tmp_path: Path) -> None:
    crawl = b"".join(_records(2000))
    outer = warc("resource", crawl, "http://crawl/", Content_Type="application/warc")
    reading = ReadingSettings(max_record_bytes=1 << 20)
    for pack in ("plain", "a member each"):
        read = read_bytes(PACKS[pack]([response("before"), outer, response("after")]), tmp_path, reading)
        assert len(read.documents) == 2
        assert read.skipped == {"not_html": 1}
        assert not read.quarantine


@pytest.mark.parametrize("start", [b"", b"\r\n", b"\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
@pytest.mark.parametrize("pack", PACKS)
def test_a_mark_and_empty_lines_before_the_first_record(pack: str, start: bytes, tmp_path: Path) -> None:
    first, second = _records(2)
    read = read_bytes(PACKS[pack]([start + first, second]), tmp_path)
    assert _numbers(read) == [0, 1]
    assert not read.quarantine


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_warc_fields_in_any_case_and_with_any_line_end(ends: str, tmp_path: Path) -> None:
    content = http(page("The miller sings."))
    for change in (str.lower, str.upper):
        names = [("WARC-Type", "response"), ("WARC-Target-URI", "http://a/"), ("WARC-Date", "2025-03-01T00:00:00Z")]
        names += [("Content-Type", "application/http; msgtype=response"), ("Content-Length", str(len(content)))]
        head = ends.join(["WARC/1.0", *(f"{change(name)}: {value}" for name, value in names), "", ""])
        [row] = read_bytes((head.encode() + content + b"\r\n\r\n") * 2, tmp_path).documents[:1]
        assert "The miller sings." in row["text"]
        assert (row["url"], row["date"]) == ("http://a/", "2025-03-01T00:00:00Z")


def _arc(version: int, between: bytes, line_end: bytes = b"\n", url: str = URL, count: int = 3) -> bytes:
    extra = b"200 abc - 100 x.arc " if version == 2 else b""
    block = b"%d 0 Mill%b%b%b" % (version, line_end, NAMES[version], line_end)
    data = b"filedesc://x.arc 0.0.0.0 20010926085547 text/plain %b%d%b" % (extra, len(block), line_end) + block
    head = b"%b 10.0.0.1 20010926085547 text/plain %b%d%b" % (url.encode(), extra, len(BODY), line_end)
    return data + b"\n" + (head + BODY + between) * count


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("between", [b"", b"\n", b"\r\n", b"\r\n\r\n"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("url", [URL, URL + "?q=" + "x" * 100_000, "http://a/with spaces 20200101000000 5 in it"])
def test_arc_in_all_its_forms(version: int, between: bytes, line_end: bytes, url: str, tmp_path: Path) -> None:
    data = _arc(version, between, line_end, url)
    for packed in (data, gz(data)):
        read = read_bytes(packed, tmp_path)
        assert read.texts == ["The mill wheel turns in the river."] * 3
        assert {row["url"] for row in read.documents} == {url.replace(" ", "%20")}
        assert {row["date"] for row in read.documents} == {"2001-09-26T08:55:47Z"}
        assert {row["metadata"].split('"ip":')[1] for row in read.documents} == {'"10.0.0.1"}'}
        assert read.skipped == {"warcinfo": 1}
        assert not read.quarantine


def test_arc_files_of_both_versions_in_one(tmp_path: Path) -> None:
    read = read_bytes(_arc(2, b"\n") + _arc(1, b"\n") + _arc(2, b"\n"), tmp_path)
    assert [row["date"] for row in read.documents] == ["2001-09-26T08:55:47Z"] * 9
    assert {row["url"] for row in read.documents} == {URL}


def test_arc_fields_that_hold_spaces() -> None:
    line = b"http://a/ 1.2.3.4 20010926 text/html; charset=utf-8 17\n"
    found = ArcFields().read(line)
    assert found is not None
    assert (found["url"], found["ip-address"], found["archive-date"]) == ("http://a/", "1.2.3.4", "20010926")
    assert is_arc_line(line.strip())
    for bad in (b"", b"a b c d 5", b"http://a/ 1.2.3.4 text/html 17", b"http://a/ 1.1.1.1 20010926 text/html x"):
        assert not is_arc_line(bad)
        assert ArcFields().read(bad) is None


def test_an_arc_record_that_lies_loses_itself_alone(tmp_path: Path) -> None:
    records = [
        b"http://mill.example/%d 1.1.1.1 20010926085547 text/plain %d\n%b\n" % (n, len(BODY), BODY) for n in range(9)
    ]
    for claimed in (10, 5000, 200_000_000):
        liar = b"http://liar/ 1.1.1.1 20010926085547 text/plain %d\n%b\n" % (claimed, BODY)
        data = _arc(1, b"\n", count=0) + b"".join([*records[:4], liar, *records[4:]])
        for packed in (data, gz(data)):
            read = read_bytes(packed, tmp_path, ReadingSettings(max_record_bytes=1 << 20))
            assert _numbers(read) == list(range(9))
            assert len(read.quarantine) == 1


HEAD = gzip.compress(b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n")
LONG = gzip.compress(b"WARC/1.0\r\nWARC-Type: resource\r\nContent-Length: 900000000\r\n\r\n")
ARC = b"filedesc://x 0.0.0.0 20200101000000 text/plain 10\n1 0 X\nURL IP\n\n"
CLAIM = b"WARC/1.0\r\nContent-Length: %d\r\n\r\nx\r\n"
HOSTILE: dict[str, Callable[[int], bytes]] = {
    "blank members": lambda size: HEAD + gzip.compress(b"\n") * size,
    "empty members": lambda size: HEAD + gzip.compress(b"") * size,
    "a long record over many members": lambda size: LONG + gzip.compress(b"x") * size,
    "a url line that matches for long": lambda size: ARC + b"http://a.example/ " + b"12345678 " * size + b"x\n\n",
    "dates in a url line": lambda size: ARC + b"http://a.example/ " + b"12345678 " * size + b"5\nhello\n",
    "urls in a url line": lambda size: ARC + b"http:" * size + b" 1.1.1.1 20010926085547 text/plain 5\nhello\n",
    "lines that begin as records": lambda size: ARC + b"http://a/ 1 20010926085547 t 60000000\n" * size,
    "headers without an end": lambda size: b"WARC/1.0\r\nA:\r\n" * size,
    "headers with line ends alone": lambda size: b"WARC/1.0\r\nA:" + b"\r" * 10 * size,
    "records without a length": lambda size: b"WARC/1.0\r\nA: b\r\n\r\n" * size,
    "records that claim megabytes": lambda size: b"WARC/1.0\r\nA: b\r\n\r\n" + CLAIM % 60_000_000 * size,
    "records that claim terabytes": lambda size: CLAIM % 10**13 * size,
    "packed records that claim terabytes": lambda size: gz(CLAIM % 10**13 * size),
    "packed records in a long one": lambda size: gz(CLAIM % 10**13 + b"WARC/1.0\r\nA:\r\n" * size),
    "spaces in fields": lambda size: b"WARC/1.0\r\nA:b\r\ncontent-length" + b" " * 10 * size + b"\r\n\r\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_time_grows_as_the_file_does(name: str, tmp_path: Path) -> None:
    def work(data: bytes) -> None:
        read_bytes(data, tmp_path)

    assert_linear(work, HOSTILE[name], 5_000)
