"""Input files that the tests make themselves, and what comes out of reading them."""

import gzip
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import zstandard

from curation.sources.inputs import InputFile, Span, Unit
from curation.sources.reading import ReadingSettings, SpanReport, read_unit
from schemas.corpus import QUARANTINE, RECORDS

Row = dict[str, Any]


@dataclass
class Read:
    """All that came out of a unit."""

    documents: list[Row] = field(default_factory=list)
    quarantine: list[Row] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    bytes_read: int = 0
    reports: list[SpanReport] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [row["text"] for row in self.documents]

    @property
    def errors(self) -> list[str]:
        return [row["error"] for row in self.quarantine]


def read_spans(spans: Iterable[Span], reading: ReadingSettings | None = None) -> Read:
    """Reads a unit of these spans, and checks what holds for every input."""
    unit = Unit(0, tuple(spans))
    read = Read()
    for chunk in read_unit(unit, reading or ReadingSettings()):
        RECORDS.check(chunk.documents)
        QUARANTINE.check(chunk.quarantine)
        chunk.documents.validate(full=True)
        read.documents += chunk.documents.to_pylist()
        read.quarantine += chunk.quarantine.to_pylist()
        read.skipped += chunk.skipped
        read.bytes_read += chunk.bytes_read
        read.reports += chunk.finished
    assert [report.span for report in read.reports] == list(unit.spans)
    assert sum(report.documents for report in read.reports) == len(read.documents)
    assert sum(report.quarantined for report in read.reports) == len(read.quarantine)
    assert sum(report.skipped for report in read.reports) == read.skipped.total()
    assert all(len(row["record"]) <= 64 << 10 for row in read.quarantine)
    assert all(row["error"].replace("_", "").isalnum() and row["message"] for row in read.quarantine)
    places = [(row["file"], row["offset"]) for row in read.documents]
    assert len(set(places)) == len(places), "file and offset name a document"
    return read


def whole(path: Path, source: str | None = None) -> Span:
    return Span(InputFile(0, str(path), path.name, path.stat().st_size, source))


def read_file(path: Path, reading: ReadingSettings | None = None) -> Read:
    return read_spans([whole(path)], reading)


def read_bytes(data: bytes, folder: Path, reading: ReadingSettings | None = None, name: str = "input") -> Read:
    path = folder / name
    path.write_bytes(data)
    return read_file(path, reading)


def lines(*records: Mapping[str, Any] | bytes) -> bytes:
    return b"".join((one if isinstance(one, bytes) else orjson.dumps(one)) + b"\n" for one in records)


def gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def zst(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def http(body: bytes, content_type: str = "text/html", status: str = "200 OK", **headers: str) -> bytes:
    named = {"Content-Type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def warc(kind: str, content: bytes, url: str | None = None, length: int | None = None, **headers: str) -> bytes:
    """One WARC record; ``length`` lies about its content."""
    default = "application/http; msgtype=response" if kind in ("response", "revisit") else "application/warc-fields"
    fields = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:{zlib.crc32(content):08x}-0000-0000-0000-000000000000>",
        "WARC-Date": "2024-05-18T01:58:10Z",
        "WARC-Target-URI": url,
        "Content-Type": default,
        **{name.replace("_", "-"): value for name, value in headers.items()},
        "Content-Length": str(len(content) if length is None else length),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
    return f"WARC/1.0\r\n{head}\r\n".encode() + content + b"\r\n\r\n"


def page(words: str) -> bytes:
    """A small page with a main text that extractors find."""
    return (
        f"<html><head><title>About {words[:9]}</title></head>"
        "<body><nav><a href=/>Home</a></nav><article><h1>On mills</h1>"
        f"<p>{words} The wheel of the mill turns as long as the water of the brook reaches its buckets.</p>"
        "<p>The stones are dressed twice a year, and the flour is sieved by the daughter of the miller.</p>"
        "</article><footer>Imprint</footer></body></html>"
    ).encode()


def response(words: str, url: str = "http://mill.example/a") -> bytes:
    return warc("response", http(page(words)), url)


def arc(records: Sequence[tuple[str, bytes]]) -> list[bytes]:
    """The records of an ARC file, its description first."""
    version = b"1 0 InternetArchive\nURL IP-address Archive-date Content-type Archive-length\n"
    head = b"filedesc://made.arc 0.0.0.0 20140216050221 text/plain %d\n" % len(version)
    body = [
        f"{url} 93.184.216.119 20140216050221 text/html {len(content)}\n".encode() + content for url, content in records
    ]
    return [one + b"\n" for one in [head + version, *body]]
