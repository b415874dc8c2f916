"""Reads WARC, WET and ARC records as documents."""

import re
from collections.abc import Iterator
from typing import Literal

from curation.rights.pages import Fields
from curation.sources.arc import ArcFields
from curation.sources.chunks import Chunk, ChunkBuilder, RecordError
from curation.sources.decoding import decode, wide_encoding
from curation.sources.events import Event
from curation.sources.framing import Framed, Look, Records
from curation.sources.headers import MAX_HEADER_BYTES, fields, header_size, is_only_fields, media_type, status
from curation.sources.html import main_text, rights, title
from curation.sources.http import Payload, decode_payload
from curation.sources.json_objects import canonical_json

_NO_DOCUMENT = ("warcinfo", "request", "metadata", "revisit", "continuation")
_DOCUMENT = ("response", "resource", "conversion")
_HTML = ("text/html", "application/xhtml+xml")
_UNKNOWN = ("", "unknown/unknown", "application/unknown")
"""Media types for which browsers inspect the content."""

_MARKUP = re.compile(rb"(?i)<!doctype html|<html[\s>]")

CUT_PAYLOAD = "payload"
"""Value of ``metadata.truncated`` for a payload that ends before its encoding does, if the record has no WARC-Truncated
header."""


class _NoDocumentError(Exception):
    """A record that is not a document; the message is the reason under which it is counted as skipped."""


def read_warc(
    events: Iterator[Event], kind: Literal["warc", "arc"], builder: ChunkBuilder, look: Look | None = None
) -> Iterator[Chunk]:
    """Reads an archive; the last chunk stays in ``builder``. ``look`` is given for a file without compression."""
    arc = ArcFields()
    for framed in Records(events, kind, builder, look):
        try:
            _add(framed, fields(framed.header) if kind == "warc" else _from_arc(framed, arc), builder)
        except _NoDocumentError as reason:
            builder.skip(str(reason))
        except RecordError as bad:
            record = framed.header + framed.content
            builder.quarantine(bad.error, str(bad), offset=framed.offset, size=framed.size, record=record)
        if builder.full:
            yield builder.take()


def _add(framed: Framed, warc: dict[str, list[str]], builder: ChunkBuilder) -> None:
    """Adds the document of a record with these header fields."""
    header = {name: values[-1] for name, values in warc.items()}
    kind = header.get("warc-type", "").lower()
    if kind not in _DOCUMENT:
        raise _NoDocumentError(kind if kind in _NO_DOCUMENT else "unknown_type")
    found: dict[str, object] = {"record_id": header.get("warc-record-id"), "ip": header.get("warc-ip-address")}
    found["truncated"] = header.get("warc-truncated")
    content_type, payload, response = header.get("content-type", ""), framed.content, None
    if media_type(content_type)[0] == "application/http":
        response, decoded = _response(framed, builder.reading.max_record_bytes)
        content_type, payload = _joined(response).get("content-type", ""), decoded.data
        if decoded.cut and not found["truncated"]:
            found["truncated"] = CUT_PAYLOAD
    elif kind == "response":
        raise _NoDocumentError("not_http")
    text = _text(payload, content_type, found, framed, builder, response)
    url = header.get("warc-target-uri", "").strip().strip("<>").strip().replace(" ", "%20")
    builder.add_document(
        text=text,
        offset=framed.offset,
        url=url or None,
        date=header.get("warc-date"),
        metadata=canonical_json({name: value for name, value in found.items() if value is not None}),
    )


def _response(framed: Framed, limit: int) -> tuple[Fields, Payload]:
    """Header fields and decoded payload of an HTTP response with status 200."""
    if not framed.content:
        raise _NoDocumentError("empty")
    code = status(framed.content[:1024])
    if code is None:
        raise RecordError("bad_http", "there is no HTTP header")
    if code != 200:
        raise _NoDocumentError("status")
    content = framed.content.lstrip(b"\r\n")
    size = header_size(content)
    header, payload = content[:size], content[len(content) if size is None else size :]
    found = fields(header)
    http = _joined(found)
    if size is None:
        _refuse_endless(framed, header, http.get("content-length", ""), limit)
    content_type = http.get("content-type", "")
    if _kind(payload, content_type) is None and payload:
        raise _NoDocumentError("not_html")
    _refuse_cut(framed, limit)
    transfer, encoding = http.get("transfer-encoding", ""), http.get("content-encoding", "")
    return found, decode_payload(payload, transfer, encoding, limit)


def _joined(http: Fields) -> dict[str, str]:
    return {name: ", ".join(filter(None, values)) for name, values in http.items()}


def _refuse_endless(framed: Framed, header: bytes, length: str, limit: int) -> None:
    """Raises RecordError for an HTTP header without an empty line after it, which may hide a body.

    A header that lacks only that line is accepted if it declares an empty body.
    """
    if len(header) > MAX_HEADER_BYTES:
        raise RecordError("bad_http", f"the HTTP header is longer than {MAX_HEADER_BYTES} bytes")
    _refuse_cut(framed, limit)
    if not (length and not length.strip("0, ") and is_only_fields(header)):
        message = "the HTTP header does not end: no empty line follows it, so that its body cannot be told from it"
        raise RecordError("bad_http", message)


def _refuse_cut(framed: Framed, limit: int) -> None:
    if framed.cut:
        raise RecordError("too_large", f"a record of {framed.size} bytes, more than max_record_bytes = {limit}")


def _kind(payload: bytes, content_type: str) -> Literal["html", "text"] | None:
    """The kind of a payload by its content type, or by its beginning if the content type is unknown."""
    name, _ = media_type(content_type)
    if name in _HTML or (name in _UNKNOWN and _MARKUP.search(payload[:1024])):
        return "html"
    return "text" if name == "text/plain" else None


def _text(
    payload: bytes,
    content_type: str,
    found: dict[str, object],
    framed: Framed,
    builder: ChunkBuilder,
    http: Fields | None,
) -> str:
    kind = _kind(payload, content_type)
    if not payload.strip():
        raise _NoDocumentError("empty")
    name, charset = media_type(content_type)
    if kind is None or (b"\0" in payload[:1024] and not wide_encoding(payload, charset)):
        raise _NoDocumentError("not_html")
    _refuse_cut(framed, builder.reading.max_record_bytes)
    page, found["encoding"] = decode(payload, charset)
    found["content_type"] = name or None
    if kind == "text":
        if builder.rights and http is not None:
            found |= rights(None, http, found["truncated"] is not None)
        return page
    found["title"] = title(page)
    extraction = main_text(page, builder.reading.extract)
    found.update(extraction.metadata)
    if builder.rights:
        found |= rights(extraction.tree or page, http, found["truncated"] is not None)
    return extraction.text


def _from_arc(framed: Framed, arc: ArcFields) -> dict[str, list[str]]:
    """The fields of a WARC record equivalent to an ARC record."""
    found = arc.read(framed.header)
    if found is None:
        raise RecordError("bad_record", "the record's line has no url, date and length")
    if found["url"].startswith("filedesc:"):
        arc.describe(framed.content)
        raise _NoDocumentError("warcinfo")
    http = framed.content[:5] == b"HTTP/"
    return {
        "warc-type": ["response" if http else "resource"],
        "warc-target-uri": [found["url"]],
        "warc-date": [_iso(found["archive-date"])],
        "warc-ip-address": [found["ip-address"]],
        "content-type": ["application/http; msgtype=response" if http else found["content-type"]],
    }


def _iso(date: str) -> str:
    """Converts 20140103030321 to 2014-01-03T03:03:21Z."""
    digits = date.ljust(14, "0")
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}T{digits[8:10]}:{digits[10:12]}:{digits[12:14]}Z"
