"""Recognises records of WARC and ARC files: how they begin, where their headers end, and their lengths and digests."""

import base64
import hashlib
import re
from typing import Literal

from curation.sources.arc import content_length, is_arc_line
from curation.sources.headers import MAX_HEADER_BYTES

Kind = Literal["warc", "arc"]

START = {
    "warc": re.compile(rb"WARC/\d\.\d{1,9}\r?\n[A-Za-z][A-Za-z-]*[ \t]*:"),
    "arc": re.compile(rb"(?<=\n)[a-zA-Z][a-zA-Z0-9+.-]{0,40}:(?=[^\n]* \d{1,18}\r?\n)"),
}
"""Patterns for places where a record may begin; `begins` decides."""

_WARC_START = START["warc"]
_LENGTH = re.compile(rb"(?im)^content-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?$")
_DIGEST = re.compile(rb"(?im)^warc-block-digest[ \t]*:[ \t]*(sha1|sha256|md5):([A-Za-z0-9+/=_-]+)")
_HEADER_END = re.compile(rb"\n\r?\n|\n(?=WARC/\d\.\d)")
"""An empty line, or the first line of another record, which no header contains."""
_LINE_ENDS = re.compile(rb"[\r\n]*")


def begins(kind: Kind, data: bytes | bytearray, place: int) -> bool:
    """Whether a record begins at this place of ``data``."""
    if kind == "warc":
        return _WARC_START.match(data, place) is not None
    return bool(header_end(kind, data, place))


def header_end(kind: Kind, data: bytes | bytearray, place: int) -> int | None:
    """The end of the header that begins at this place, after its empty line: 0 if ``data`` or the longest header ends
    before, None if no header begins here or another record begins inside."""
    limit = place + MAX_HEADER_BYTES
    if kind == "arc":
        end = data.find(b"\n", place, limit)
        return end + 1 if end < 0 or is_arc_line(bytes(data[place:end]).rstrip(b"\r")) else None
    if not _WARC_START.match(data, place):
        return None
    found = _HEADER_END.search(data, place, limit)
    if found is None:
        return 0
    return found.end() if len(found[0]) > 1 else None


def length_in(kind: Kind, header: bytes) -> int | None:
    """The length of the content according to the header; None if the header has no length."""
    if kind == "arc":
        return content_length(header)
    found = _LENGTH.search(header)
    return int(found[1]) if found else None


def blank(data: bytes | bytearray) -> int:
    """The number of bytes of line ends at the start of ``data``."""
    found = _LINE_ENDS.match(data)
    return found.end() if found else 0


def digest_matches(header: bytes, content: bytes) -> bool:
    """Whether the header's WARC-Block-Digest matches the content."""
    found = _DIGEST.search(header)
    if not found:
        return False
    digest = hashlib.new(found[1].decode().lower(), content, usedforsecurity=False)
    given = found[2].decode()
    raw = digest.digest()
    spelled = (base64.b32encode(raw).decode(), digest.hexdigest(), base64.b64encode(raw).decode())
    return given.upper() == spelled[0] or given.lower() == spelled[1] or given == spelled[2]
