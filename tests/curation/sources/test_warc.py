"""WARC, WET and ARC: what is a document, what is skipped and why, and that a broken record costs one record."""

import gzip
import random
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from curation.sources.reading import ReadingSettings
from tests.curation.sources.made import (
    Read,
    arc,
    gz,
    http,
    page,
    read_bytes,
    read_file,
    response,
    warc,
    zst,
)  # fmt: skip


@pytest.fixture
def warcs(shared: Path) -> Path:
    """Real archives."""
    return shared / "data" / "warc"


def _records(count: int) -> list[bytes]:
    return [response(f"Record {n} speaks of the mill number {n}.", f"http://mill.example/{n}") for n in range(count)]


def _numbers(read: Read) -> list[int]:
    return [int(row["url"].rsplit("/", 1)[1]) for row in read.documents]


def test_a_page_becomes_a_document(tmp_path: Path) -> None:
    record = warc(
        "response",
        http(page("Grüße vom Müller."), "text/html; charset=utf-8"),
        "<http://mill.example/a b>",
        WARC_IP_Address="10.0.0.7",
    )
    [row] = read_bytes(record, tmp_path).documents
    assert "Grüße vom Müller." in row["text"]
    assert "Imprint" not in row["text"]
    assert (row["url"], row["date"], row["offset"]) == ("http://mill.example/a%20b", "2024-05-18T01:58:10Z", 0)
    assert orjson.loads(row["metadata"]) == {
        "content_type": "text/html", "encoding": "utf-8", "ip": "10.0.0.7", "title": "About Grüße vom",
        "extractor": "trafilatura", "extracted_as": "prose",
        "record_id": row["metadata"].split('"record_id":"')[1].split('"')[0],
    }  # fmt: skip


@pytest.mark.parametrize("extract", ["auto", "trafilatura", "resiliparse"])
def test_each_extractor_finds_the_main_text(extract: Any, tmp_path: Path) -> None:
    [text] = read_bytes(response("The miller sings."), tmp_path, ReadingSettings(extract=extract)).texts
    assert "The miller sings." in text
    assert "daughter of the miller" in text


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (warc("warcinfo", b"software: x\r\n"), "warcinfo"),
        (warc("request", b"GET / HTTP/1.1\r\n\r\n", "http://a/"), "request"),
        (warc("metadata", b"a: b\r\n", "http://a/"), "metadata"),
        (warc("revisit", http(b""), "http://a/"), "revisit"),
        (warc("continuation", b"rest", "http://a/"), "continuation"),
        (warc("invention", b"x", "http://a/"), "unknown_type"),
        (warc("response", b"2024 1.2.3.4", "dns:a", Content_Type="text/dns"), "not_http"),
        (warc("response", http(page("x"), status="404 Not Found"), "http://a/"), "status"),
        (warc("response", http(b"", status="301 Moved"), "http://a/"), "status"),
        (warc("response", http(b"\x89PNG\r\n\x1a\n\0\0", "image/png"), "http://a/"), "not_html"),
        (warc("response", http(b"%PDF-1.4\0\0\0", "text/html"), "http://a/"), "not_html"),
        (warc("response", http(b"{}", "application/json"), "http://a/"), "not_html"),
        (warc("response", http(b""), "http://a/"), "empty"),
        (warc("response", http(b" \r\n"), "http://a/"), "empty"),
        (warc("response", b"", "http://a/"), "empty"),
        (warc("resource", b"\x89PNG", "http://a/", Content_Type="image/png"), "not_html"),
    ],
)
def test_what_is_no_document_is_skipped_for_a_reason(record: bytes, reason: str, tmp_path: Path) -> None:
    read = read_bytes(record + response("after"), tmp_path)
    assert read.skipped == {reason: 1}
    assert len(read.documents) == 1
    assert not read.quarantine


def test_texts_are_taken_as_they_are(tmp_path: Path) -> None:
    records = [
        warc("conversion", "Wörter\nund mehr\n".encode(), "http://a/", Content_Type="text/plain"),
        warc(
            "response",
            http("Gr\xfc\xdfe aus der M\xfchle\n".encode("latin-1"), "text/plain; charset=ISO-8859-1"),
            "http://b/",
        ),
        warc("resource", b"robots", "http://c/", Content_Type="text/plain"),
    ]
    assert read_bytes(b"".join(records), tmp_path).texts == ["Wörter\nund mehr\n", "Grüße aus der Mühle\n", "robots"]


def test_a_page_without_a_text_is_a_document_to_be_judged(tmp_path: Path) -> None:
    read = read_bytes(warc("response", http(b"<html><body></body></html>"), "http://a/"), tmp_path)
    assert read.texts == [""]


PACKS = {
    "plain": lambda records: b"".join(records),
    "a member each": lambda records: b"".join(map(gz, records)),
    "one member": lambda records: gz(b"".join(records)),
    "a frame each": lambda records: b"".join(map(zst, records)),
}


@pytest.mark.parametrize("pack", PACKS)
def test_containers_make_no_difference(pack: str, tmp_path: Path) -> None:
    records = [warc("warcinfo", b"x"), *_records(5)]
    data = PACKS[pack](records)
    read = read_bytes(data, tmp_path)
    assert _numbers(read) == [0, 1, 2, 3, 4]
    assert read.bytes_read == sum(map(len, records))
    offsets = [row["offset"] for row in read.documents]
    assert offsets == sorted(offsets)
    if pack == "a member each":
        starts = [sum(len(gz(one)) for one in records[:n]) for n in range(1, 6)]
        assert offsets == starts, "as in the index of a crawl"
        assert all(gzip.decompress(data[start:]).startswith(records[n + 1]) for n, start in enumerate(starts))


@pytest.mark.parametrize(
    "bad",
    [
        b"WARC/1.0\r\nWARC-Type: response\r\n\r\nno length\r\n\r\n",
        b"WARC/1.0\r\nContent-Length: many\r\n\r\n\r\n\r\n",
        b"this is no record at all\r\n\r\n",
        b"\0" * 5000,
        warc("response", http(page("too short")), "http://bad/", length=20),
        warc("response", http(page("too long")), "http://bad/", length=100_000),
        warc("response", http(page("just too long")), "http://bad/", length=len(http(page("just too long"))) + 40),
        warc("response", http(page("huge")), "http://bad/", length=10**15),
        b"WARC/1.0\r\n" + b"x" * 100_000 + b"\r\n\r\n",
    ],
)
@pytest.mark.parametrize("pack", ["plain", "a member each"])
def test_a_broken_record_costs_one_record(pack: str, bad: bytes, tmp_path: Path) -> None:
    good = _records(4)
    read = read_bytes(PACKS[pack]([*good[:2], bad, *good[2:]]), tmp_path)
    assert _numbers(read) == [0, 1, 2, 3]
    assert len(read.quarantine) == 1
    assert read.errors[0] in ("bad_record", "truncated")


def test_a_wrong_length_is_put_right_by_the_digest(tmp_path: Path) -> None:
    import base64
    import hashlib

    content = http(page("Cut short by two bytes."))
    digest = "sha1:" + base64.b32encode(hashlib.sha1(content).digest()).decode()
    record = warc("response", content, "http://mill.example/7", length=len(content) - 2, WARC_Block_Digest=digest)
    read = read_bytes(record + response("after", "http://mill.example/8"), tmp_path)
    assert _numbers(read) == [7, 8]
    assert not read.quarantine


@settings(max_examples=60)
@given(cut=st.floats(0.02, 0.999), packed=st.sampled_from(list(PACKS)))
def test_a_truncated_archive_gives_its_whole_records(
    cut: float, packed: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = PACKS[packed](_records(8))
    read = read_bytes(data[: int(cut * len(data))], tmp_path_factory.getbasetemp())
    numbers = _numbers(read)
    assert numbers == list(range(len(numbers)))
    assert len(read.quarantine) <= 1
    assert len(read.quarantine) == 1 or len(numbers) * len(data) // 8 - int(cut * len(data)) < 100
    if packed in ("plain", "a member each"):
        assert len(numbers) >= int(cut * 8 - 0.1)


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), packed=st.sampled_from(list(PACKS)), size=st.integers(1, 400))
def test_broken_bytes_lose_no_neighbour(
    seed: int, packed: str, size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    records = _records(9)
    data = bytearray(PACKS[packed](records))
    noise = random.Random(seed)
    third = len(PACKS[packed](records[:3])), len(PACKS[packed](records[:4]))
    place = noise.randrange(*third) if third[0] < third[1] else len(data) // 2
    data[place : min(place + size, third[1])] = noise.randbytes(min(size, third[1] - place))
    read = read_bytes(bytes(data), tmp_path_factory.getbasetemp())
    numbers = [int(n) for n in (str(row["url"]).rsplit("/", 1)[-1] for row in read.documents) if n.isdigit()]
    if packed in ("plain", "a member each", "a frame each"):
        assert set(numbers) >= {0, 1, 2, 4, 5, 6, 7, 8}
    else:
        assert numbers[:2] == [0, 1]


def test_a_record_that_is_too_long_is_passed_by(tmp_path: Path) -> None:
    video = warc("response", http(b"x" * 5_000_000, "video/mp4"), "http://video/")
    long = warc("response", http(page("long " * 1_000_000)), "http://long/")
    for pack in ("plain", "a member each"):
        read = read_bytes(
            PACKS[pack]([response("before"), video, long, response("after")]),
            tmp_path,
            ReadingSettings(max_record_bytes=1 << 20),
        )
        assert len(read.documents) == 2
        assert read.skipped == {"not_html": 1}
        assert read.errors == ["too_large"]
        assert read.quarantine[0]["bytes"] == len(long) - 4


def test_arc_records(tmp_path: Path) -> None:
    made = arc(
        [
            ("http://mill.example/0", http(page("The first."))),
            ("http://mill.example/1 2", http(page("x"), status="404 No")),
        ]
    )
    made += arc([("http://mill.example/3", page("Without a header."))])[1:]
    for data in (b"".join(made), b"".join(map(gz, made))):
        read = read_bytes(data, tmp_path)
        assert [row["url"] for row in read.documents] == ["http://mill.example/0", "http://mill.example/3"]
        assert [row["date"] for row in read.documents] == ["2014-02-16T05:02:21Z"] * 2
        assert read.skipped == {"warcinfo": 1, "status": 1}
        assert not read.quarantine
    broken = made[0] + made[1] + b"garbage\nhttp://no fields\n" + made[3]
    read = read_bytes(broken, tmp_path)
    assert _numbers(read) == [0, 3]
    assert read.errors == ["bad_record"]


def _by_warcio(path: Path) -> Counter[str]:
    kinds: Counter[str] = Counter()
    with path.open("rb") as file:
        for record in ArchiveIterator(file, arc2warc=True):
            kinds[record.rec_type] += 1
            record.content_stream().read()
    return kinds


AUT = {
    "warcinfo": 1, "not_http": 38, "request": 261, "metadata": 261, "not_html": 84, "status": 47, "empty": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "documents", "skipped"),
    [
        ("aut_example.warc.gz", 129, AUT),
        ("dolma_sample_0.warc.gz", 24, {"warcinfo": 1, "request": 22, "metadata": 1}),
        ("whirlwind.warc.gz", 1, {"warcinfo": 1, "request": 1, "metadata": 1}),
        ("whirlwind.warc.wet.gz", 1, {"warcinfo": 1}),
        ("awkward/example-iana.org-chunked.warc", 1, {"warcinfo": 1, "request": 1}),
        ("awkward/example-space-in-target-uri.warc.gz", 0, {"warcinfo": 1, "not_html": 1}),
        ("awkward/example-trunc.warc", 1, {"warcinfo": 2, "request": 1}),
        ("awkward/example.arc.gz", 1, {"warcinfo": 1}),
        ("awkward/example-bad.warc.gz.bad", 1, {"warcinfo": 1, "request": 2, "revisit": 1, "status": 1}),
    ],
)  # fmt: skip
def test_real_archives(warcs: Path, name: str, documents: int, skipped: dict[str, int]) -> None:
    read = read_file(warcs / name)
    assert len(read.documents) == documents
    assert read.skipped == skipped
    assert not read.quarantine
    if not name.endswith(".bad"):  # one gzip member for all its records, which warcio refuses
        assert documents + sum(skipped.values()) == _by_warcio(warcs / name).total()


def test_a_real_archive_cut_anywhere_keeps_what_came_before(warcs: Path, tmp_path: Path) -> None:
    data = (warcs / "dolma_sample_0.warc.gz").read_bytes()
    all_ids = [row["doc_id"] for row in read_file(warcs / "dolma_sample_0.warc.gz").documents]
    for cut in (30_000, 120_000, len(data) - 1):
        read = read_bytes(data[:cut], tmp_path)
        assert [row["doc_id"] for row in read.documents] == all_ids[: len(read.documents)]
        assert read.errors == ["truncated"]


def test_the_order_of_records_makes_no_difference(tmp_path: Path) -> None:
    """Extraction remembers nothing from page to page."""
    records = [*_records(6), response("Record 0 speaks of the mill number 0.", "http://again/9")]
    forth = {row["url"]: row["text"] for row in read_bytes(b"".join(records), tmp_path).documents}
    back = {row["url"]: row["text"] for row in read_bytes(b"".join(reversed(records)), tmp_path).documents}
    assert forth == back


@pytest.mark.parametrize("left", [40, 300])
def test_a_plain_archive_that_is_cut_short_says_that_something_was_lost(left: int, tmp_path: Path) -> None:
    record = response("words of a page " * 40)
    read = read_bytes((record * 2)[: len(record) + left], tmp_path)
    assert (len(read.documents), read.errors) == (1, ["truncated"])
    [report] = read.reports
    assert report.lost is not None
    assert (report.lost.error, report.lost.bytes, report.lost.whole) == ("truncated", 0, False)
