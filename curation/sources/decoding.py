"""Finds the encoding of a page and decodes it.

The order is that of the HTML standard: byte order mark, charset of the HTTP header, the page's own declaration,
detection. Valid UTF-8 is UTF-8 whatever was declared, since hardly any other text looks like it; and a declaration is
ignored if most of the text that it decodes is bad. A bad sequence becomes U+FFFD and affects nothing else.
"""

import codecs
import re

from resiliparse.parse.encoding import detect_encoding

from curation.sources.chunks import RecordError
from curation.sources.encodings import MULTI_BYTE, REPLACEMENT, decode_as, encoding_of

_HEAD_BYTES = 64 << 10
"""The declaration of a page is searched in its first bytes: browsers stop where the body begins."""

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_XML_AS_UTF16 = ((b"<\0?\0x\0", "utf-16-le"), (b"\0<\0?\0x", "utf-16-be"))
_XML = re.compile(rb"<\?xml[ \t\r\n][^<>]{0,200}?encoding[ \t\r\n]{0,20}=[ \t\r\n]{0,20}[\"']([^\"'<>]{1,100})[\"']")
_META = re.compile(rb"<meta[ \t\n\f\r/]([^<>]{0,1024})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(rb"([^\s\"'>/=]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([^\s\"';]+)", re.IGNORECASE)
_DETECTED = {"cp949": "euc-kr", "mac-cyrillic": "x-mac-cyrillic"}
"""Labels of the standard for names of the detector that the standard does not know."""

_HIGH_BYTES = bytes(range(128, 256))
_LONE_BYTE = re.compile(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])")
_SEVEN_BIT = (b"\x1b$", b"\x1b(", b"~{", b"\x0e")
"""The escapes of 7-bit encodings; a page without an escape is ASCII."""


def decode(data: bytes, charset: str | None) -> tuple[str, str]:
    """The page's text and the name of its encoding; ``charset`` is the charset of its HTTP header.

    Raises RecordError for a page in an encoding that the Encoding Standard does not decode.
    """
    if encoding := wide_encoding(data, charset):
        mark = next((mark for mark, name in _BOMS[1:] if name == encoding and data.startswith(mark)), b"")
        return decode_as(data[len(mark) :], encoding), encoding
    data = data.removeprefix(codecs.BOM_UTF8)
    header = encoding_of(charset) if charset else None
    if any(sign in data for sign in _SEVEN_BIT) and (text := _seven_bit(data, header or _own_declaration(data))):
        return text, "iso2022_jp"
    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError:
        return _decode_by_evidence(data, header)


def wide_encoding(data: bytes, charset: str | None) -> str | None:
    """``utf-16-le`` or ``utf-16-be`` by the byte order mark, or by a declaration that NUL bytes confirm; else None."""
    for mark, name in _BOMS[1:]:
        if data.startswith(mark):
            return name
    declared = encoding_of(charset) if charset else None
    if declared in ("utf-16-le", "utf-16-be") and b"\0" in data[:1024]:
        return declared
    return next((name for start, name in _XML_AS_UTF16 if data.startswith(start)), None)


def _seven_bit(data: bytes, declared: str | None) -> str | None:
    """The text of a page in ISO-2022-JP, or None if the page is in another encoding."""
    if declared == REPLACEMENT:
        message = "the page declares HZ, ISO-2022-KR or ISO-2022-CN: browsers do not decode them either"
        raise RecordError("unknown_encoding", message)
    shifted = b"\x1b$" in data
    if (declared == "iso2022_jp" and (shifted or data.isascii())) or (declared is None and shifted and data.isascii()):
        return decode_as(data, "iso2022_jp")
    return None


def _decode_by_evidence(data: bytes, header: str | None) -> tuple[str, str]:
    """Text and encoding of a page that is not valid UTF-8: the first candidate that fits, or the first declaration.

    Damaged UTF-8 needs more evidence if the page declares another encoding, or none.
    """
    own = _own_declaration(data)
    declared = [name for name in dict.fromkeys((header, own)) if name and name != REPLACEMENT]
    declared = ["utf-8" if name.startswith("utf-16") else name for name in declared]
    unicode = _Decoded(data, "utf-8")
    if unicode.fits_utf_8(declared):
        return unicode.text, "utf-8"
    tried = [_Decoded(data, name) for name in declared if name != "utf-8"]
    for candidate in tried:
        if candidate.fits:
            return candidate.text, candidate.encoding
    if not (own == "utf-8" and _looks_western(data)):
        detected = _detect(data)
        if detected.fits:
            return detected.text, detected.encoding
    best = tried[0] if tried else _Decoded(data, "cp1252")
    return best.text, best.encoding


class _Decoded:
    """The text in one encoding, with the numbers of good and of bad characters beyond ASCII.

    A sequence that the end of the page cuts short is not bad.
    """

    def __init__(self, data: bytes, encoding: str) -> None:
        self.encoding = encoding
        self.text = decode_as(data, encoding)
        self.bad = self.text.count("\ufffd")
        self.good = len(self.text) - len(self.text.encode("ascii", "ignore")) - self.bad
        if encoding == "utf-8":
            self.bad -= data.count(b"\xef\xbf\xbd")
        self.bad -= self.text.endswith("\ufffd")

    def fits_utf_8(self, declared: list[str]) -> bool:
        """Whether this is a damaged UTF-8 page; ``declared`` are the encodings that the page and its header declare."""
        if declared[:1] == ["utf-8"]:
            return not self.bad or (self.good > 0 and self.bad <= max(3, self.good // 2))
        return self.good > 0 and self.good >= (10 if declared else 4) * self.bad

    @property
    def fits(self) -> bool:
        """Whether this looks like damaged text in this encoding."""
        return self.bad <= max(3, self.good)


def _looks_western(data: bytes) -> bool:
    """Whether most bytes beyond ASCII are single, like accents and quotation marks of Western languages."""
    return 2 * len(_LONE_BYTE.findall(data)) > len(data) - len(data.translate(None, _HIGH_BYTES))


def _detect(data: bytes) -> _Decoded:
    """The page in its most likely encoding; windows-1252 if nothing is detected.

    One bad byte spoils the detection of some encodings, so each half of the page is tried as well.
    """
    name = _detect_name(data)
    if name in (None, "utf-8", "cp1252"):
        half = len(data) // 2
        for part in (data[:half], data[half:]):
            other = _detect_name(part)
            if other in MULTI_BYTE and (found := _Decoded(data, other)).good >= 8 * found.bad:
                return found
        name = "cp1252"
    return _Decoded(data, name)


def _detect_name(data: bytes) -> str | None:
    name = detect_encoding(data, html5_compatible=False)
    return None if name is None else encoding_of(_DETECTED.get(name.lower(), name))


def _own_declaration(data: bytes) -> str | None:
    """The encoding that the page declares in a meta element or an XML declaration, or None."""
    head = data[:_HEAD_BYTES]
    for found in _META.finditer(_without_comments(head)):
        attributes: dict[bytes, bytes] = {}
        for attribute in _ATTRIBUTE.finditer(found[1]):
            name, *values = attribute.groups()
            attributes.setdefault(name.lower(), next(filter(None, values), b""))
        label = attributes.get(b"charset")
        if label is None and attributes.get(b"http-equiv", b"").lower() == b"content-type":
            content = _CHARSET.search(attributes.get(b"content", b""))
            label = content[1] if content else None
        if label is not None and (encoding := encoding_of(label.decode("latin-1"))):
            return {"utf-16-le": "utf-8", "utf-16-be": "utf-8", "x-user-defined": "cp1252"}.get(encoding, encoding)
    xml = _XML.match(head)
    return encoding_of(xml[1].decode("latin-1")) if xml else None


def _without_comments(head: bytes) -> bytes:
    """The bytes outside comments."""
    pieces: list[bytes] = []
    at = 0
    while (begin := head.find(b"<!--", at)) >= 0:
        pieces.append(head[at:begin])
        end = head.find(b"-->", begin + 2)
        if end < 0:
            return b"".join(pieces)
        at = end + 3
    return b"".join(pieces) + head[at:]
