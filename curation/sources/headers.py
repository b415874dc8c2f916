"""Header fields of WARC and HTTP, read as leniently as browsers read them."""

import re

MAX_HEADER_BYTES = 1 << 20
"""Maximum length of a header; anything longer is not a header."""

_END = re.compile(rb"\n\r{0,2}\n")
"""The end of a header. Some servers and crawlers end lines with CR CR LF."""

_FIELDS = re.compile(rb"[^\n]*\n(?:(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*:|[ \t])[^\n]*\n)*")
_CONTENT_TYPE_PART = re.compile(r'(?:[^,"]|"[^"]*"?)+')
_MEDIA_TYPE = re.compile(r"[ \t]*([^\s/;,()\"]+/[^\s/;,()\"]+)")
_CHARSET = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9._:-]+)", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP(?:/\d{1,3}(?:\.\d{1,3})?)?[ \t]{1,9}(\d{3})(?!\d)", re.IGNORECASE)


def header_size(block: bytes) -> int | None:
    """Length of the header at the start of ``block`` with its empty line; None if it has no end in time."""
    found = _END.search(block, 0, MAX_HEADER_BYTES)
    return found.end() if found else None


def is_only_fields(header: bytes) -> bool:
    """Whether only complete header fields follow the first line.

    >>> is_only_fields(b"HTTP/1.1 200\\nA: b\\n"), is_only_fields(b"HTTP/1.1 200\\nA: b\\n<html>\\n")
    (True, False)
    """
    return _FIELDS.fullmatch(header) is not None


def fields(header: bytes) -> dict[str, list[str]]:
    r"""The values of the fields by lower-case name; the first line is not a field.

    Lines end in LF, CRLF or CR CR LF; a line that begins with white space continues the line before.

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
    """Decodes a header: UTF-8 as in WARC, or else Latin-1 as formerly in HTTP."""
    try:
        return header.decode()
    except UnicodeDecodeError:
        return header.decode("latin-1")


def status(header: bytes) -> int | None:
    """The status code of an HTTP response; None if there is no status line."""
    found = _STATUS.match(header.lstrip(b"\r\n"))
    return int(found[1]) if found else None


def media_type(content_type: str) -> tuple[str, str | None]:
    """The media type of a Content-Type value, empty if it names no type, and the charset.

    Of several types the last counts, as in the Fetch standard, and keeps an earlier charset of the same type.

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
