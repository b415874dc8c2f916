"""Header fields of WARC and HTTP, read as leniently as browsers read them."""

import re

MAX_HEADER_BYTES = 1 << 20
"""A longer header is no header."""

_END = re.compile(rb"\n\r{0,2}\n")
"""Some servers and crawlers end lines in CR CR LF."""

_FIELDS = re.compile(rb"[^\n]*\n(?:(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*:|[ \t])[^\n]*\n)*")
_CONTENT_TYPE_PART = re.compile(r'(?:[^,"]|"[^"]*"?)+')
_MEDIA_TYPE = re.compile(r"[ \t]*([^\s/;,()\"]+/[^\s/;,()\"]+)")
_CHARSET = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9._:-]+)", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP(?:/\d{1,3}(?:\.\d{1,3})?)?[ \t]{1,9}(\d{3})(?!\d)", re.IGNORECASE)


def header_size(block: bytes) -> int | None:
    """Bytes of the header that ``block`` begins with, its empty line included; None if it does not end in time."""
    found = _END.search(block, 0, MAX_HEADER_BYTES)
    return found.end() if found else None


def is_only_fields(header: bytes) -> bool:
    """Whether nothing but whole header fields follows the first line.

    >>> is_only_fields(b"HTTP/1.1 200\\nA: b\\n"), is_only_fields(b"HTTP/1.1 200\\nA: b\\n<html>\\n")
    (True, False)
    """
    return _FIELDS.fullmatch(header) is not None


def fields(header: bytes) -> dict[str, list[str]]:
    r"""The values by lower-case name, without the first line.

    Lines end in LF, CRLF or CR CR LF; a line that begins with white space continues the one before.

    >>> fields(b"WARC/1.0\r\nwarc-type: response\nX: a\r\n b\r\nx:c\r\n\r\n")
    {'warc-type': ['response'], 'x': ['a b', 'c']}
    """
    values: dict[str, list[str]] = {}
    last: list[str] = []
    for line in _text(header).split("\n")[1:]:
        if line[:1] in (" ", "\t"):
            if last and (more := line.strip()):
                last[-1] = f"{last[-1]} {more}".lstrip()
            continue
        name, colon, value = line.partition(":")
        if colon:
            last = values.setdefault(name.strip().lower(), [])
            last.append(value.strip())
    return values


def _text(header: bytes) -> str:
    """Header bytes as text: UTF-8 as WARC has it, or else Latin-1 as HTTP had it."""
    try:
        return header.decode()
    except UnicodeDecodeError:
        return header.decode("latin-1")


def status(header: bytes) -> int | None:
    """The status code of an HTTP response; None if the header has no status line."""
    found = _STATUS.match(header.lstrip(b"\r\n"))
    return int(found[1]) if found else None


def media_type(content_type: str) -> tuple[str, str | None]:
    """Media type and charset of a Content-Type value; an empty media type if the value names none.

    Of several types the last one counts, as in the Fetch standard, and keeps an earlier charset of the same type.

    >>> media_type("TEXT/HTML charset=UTF-8, text/html"), media_type("html"), media_type("text/html;charset=koi8-r")
    (('text/html', 'UTF-8'), ('', None), ('text/html', 'koi8-r'))
    """
    name, charset = "", None
    for part in _CONTENT_TYPE_PART.findall(content_type):
        found = _MEDIA_TYPE.match(part)
        if not found or found[1] == "*/*":
            continue
        label = _CHARSET.search(part)
        if label:
            charset = label[1]
        elif found[1].lower() != name:
            charset = None
        name = found[1].lower()
    return name, charset
