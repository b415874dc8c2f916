"""WARC, WET and ARC records into documents."""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Literal

from fastwarc.warc import WarcRecord
from warcio.recordloader import ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeadersParserException

from curation.sources.chunks import Chunk, Rows
from curation.sources.decoding import UndecodableError, decode, wide_encoding
from curation.sources.decompression import decompressed
from curation.sources.framing import Framed, Records
from curation.sources.html import ExtractionError, main_text, title
from curation.sources.http import PayloadError, decode_payload
from curation.sources.json_objects import canonical_json
from curation.sources.opening import StoredFile

_NO_DOCUMENT = ("warcinfo", "request", "metadata", "revisit", "continuation")
_DOCUMENT = ("response", "resource", "conversion")
_HTML = ("text/html", "application/xhtml+xml")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]+)", re.IGNORECASE)
_MARKUP = re.compile(rb"(?i)<!doctype html|<html[\s>]")


class _NoDocumentError(Exception):
    """A record to be counted as skipped, for the reason that is its message."""


def read_archive(
    file: StoredFile, compression: str | None, kind: Literal["warc", "arc"], rows: Rows
) -> Iterator[Chunk]:
    """Reads a whole archive; the last chunk stays in ``rows``."""
    for framed in Records(decompressed(file, compression), kind, rows):
        try:
            _add(framed if kind == "warc" else _from_arc(framed), rows)
        except _NoDocumentError as reason:
            rows.skip(str(reason))
        except (PayloadError, ExtractionError) as bad:
            record = framed.header + framed.content
            rows.broken(bad.error, str(bad), offset=framed.offset, size=framed.size, record=record)
        if rows.full:
            yield rows.take()


def _add(framed: Framed, rows: Rows) -> None:
    """Adds the record's document."""
    record = _parse(framed)
    headers = {name.lower(): value for name, value in record.headers.items()}
    kind = headers.get("warc-type", "").lower()
    if kind not in _DOCUMENT:
        raise _NoDocumentError(kind if kind in _NO_DOCUMENT else "unknown_type")
    found: dict[str, object] = {"record_id": headers.get("warc-record-id"), "ip": headers.get("warc-ip-address")}
    found["truncated"] = headers.get("warc-truncated")
    content_type, payload = headers.get("content-type", ""), framed.content
    if content_type.lower().startswith("application/http"):
        content_type, payload = _response(record, found, framed, rows.reading.max_record_bytes)
    elif kind == "response":
        raise _NoDocumentError("not_http")
    text = _text(payload, content_type, found, framed, rows)
    url = headers.get("warc-target-uri", "").strip().strip("<>").strip().replace(" ", "%20")
    rows.document(
        text=text,
        offset=framed.offset,
        url=url or None,
        date=headers.get("warc-date"),
        metadata=canonical_json({name: value for name, value in found.items() if value is not None}),
    )


def _parse(framed: Framed) -> WarcRecord:
    length = len(framed.content)
    header = re.sub(rb"(?im)^content-length[^\n]*", b"Content-Length: %d\r" % length, framed.header, count=1)
    try:
        return WarcRecord.from_bytes(header + framed.content)
    except OSError as error:
        raise PayloadError("bad_record", f"the record's header cannot be parsed: {error}") from error


def _response(record: WarcRecord, found: dict[str, object], framed: Framed, limit: int) -> tuple[str, bytes]:
    """Content type and decoded payload of an HTTP response with status 200."""
    if not framed.content:
        raise _NoDocumentError("empty")
    try:
        record.parse_http(quirks_mode=True)
    except OSError as error:
        raise PayloadError("bad_http", f"the HTTP header cannot be parsed: {error}") from error
    http = record.http_headers
    if http is None or http.status_code is None:
        raise PayloadError("bad_http", "there is no HTTP header")
    if http.status_code != 200:
        raise _NoDocumentError("status")
    headers = {name.lower(): value for name, value in http.items()}
    payload = record.reader.read()
    content_type = headers.get("content-type", "")
    if _kind(payload, content_type) is None and payload:
        raise _NoDocumentError("not_html")
    _refuse_cut(framed, limit)
    transfer, content = headers.get("transfer-encoding", ""), headers.get("content-encoding", "")
    return content_type, decode_payload(payload, transfer, content, limit)


def _refuse_cut(framed: Framed, limit: int) -> None:
    if framed.cut:
        raise PayloadError("too_large", f"a record of {framed.size} bytes, more than max_record_bytes = {limit}")


def _kind(payload: bytes, content_type: str) -> Literal["html", "text"] | None:
    """What a payload is by its content type; without one, by its beginning."""
    name = content_type.split(";", 1)[0].strip().lower()
    if name in _HTML or (not name and _MARKUP.search(payload[:1024])):
        return "html"
    return "text" if name == "text/plain" else None


def _text(payload: bytes, content_type: str, found: dict[str, object], framed: Framed, rows: Rows) -> str:
    kind = _kind(payload, content_type)
    if not payload.strip():
        raise _NoDocumentError("empty")
    charset = _CHARSET.search(content_type)
    label = charset[1] if charset else None
    if kind is None or (b"\0" in payload[:1024] and not wide_encoding(payload, label)):
        raise _NoDocumentError("not_html")
    _refuse_cut(framed, rows.reading.max_record_bytes)
    try:
        page, found["encoding"] = decode(payload, label)
    except UndecodableError as error:
        raise PayloadError("unknown_encoding", str(error)) from error
    found["content_type"] = content_type.split(";", 1)[0].strip().lower() or None
    if kind == "text":
        return page
    found["title"] = title(page)
    return main_text(page, rows.reading.extract)


def _from_arc(framed: Framed) -> Framed:
    """An ARC record as the WARC record that says the same."""
    try:
        line = BytesIO(framed.header)
        arc = ArcWarcRecordLoader(arc2warc=False).arc_parser.parse(line, line.readline().decode("utf-8", "replace"))
    except (StatusAndHeadersParserException, EOFError, ValueError) as error:
        raise PayloadError("bad_record", f"the record's line cannot be parsed: {error}") from error
    url = str(arc.get_header("uri"))
    if url.startswith("filedesc:"):
        raise _NoDocumentError("warcinfo")
    http = framed.content[:5] == b"HTTP/"
    headers = {
        "WARC-Type": "response" if http else "resource",
        "WARC-Target-URI": url,
        "WARC-Date": _iso(str(arc.get_header("archive-date"))),
        "WARC-IP-Address": str(arc.get_header("ip-address")),
        "Content-Type": "application/http; msgtype=response" if http else str(arc.get_header("content-type")),
        "Content-Length": str(len(framed.content)),
    }
    lines = ["WARC/1.0", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return Framed(framed.offset, "\r\n".join(lines).encode(), framed.content, framed.size, framed.cut)


def _iso(date: str) -> str:
    """20140103030321 as 2014-01-03T03:03:21Z."""
    digits = date.ljust(14, "0")
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}T{digits[8:10]}:{digits[10:12]}:{digits[12:14]}Z"
