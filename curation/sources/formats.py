"""Detects the format of a file by its content; by its name only for plain text, CSV and damaged beginnings."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import orjson

from curation.sources.decompression import decompress
from curation.sources.foreign import foreign_kind
from curation.sources.inputs import Readable
from curation.sources.members import Compression, compression_of
from curation.sources.opening import StoredFile
from curation.sources.spooled import Spooled

Kind = Literal[Readable, "empty", "foreign", "unknown"]

PEEK_BYTES = 1 << 18
"""Bytes of the (decompressed) beginning that are inspected."""
GLANCE_BYTES = 1 << 12
"""Bytes that are inspected first: enough for nearly all files."""

_LINES = 16
_WIDE = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
         (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
_SPACE = b" \t\r\n"

NAMES: dict[str, Readable] = {
    "txt": "text", "text": "text", "md": "text", "markdown": "text", "rst": "text",
    "csv": "csv", "tsv": "tsv", "tab": "tsv",
    "html": "html", "htm": "html", "xhtml": "html",
    "jsonl": "jsonl", "ndjson": "jsonl", "json": "json",
    "parquet": "parquet", "arrow": "arrow", "feather": "arrow", "ipc": "arrow",
    "warc": "warc", "wet": "warc", "wat": "warc", "arc": "arc",
    "zip": "zip", "wacz": "zip", "tar": "tar", "tgz": "tar",
}  # fmt: skip
"""Formats by the extension of a file's name, without the extension of a compression."""
_PACKED: dict[str, Compression] = {
    "gz": "gzip", "tgz": "gzip", "zst": "zstd", "bz2": "bzip2", "xz": "xz", "lz4": "lz4",
}  # fmt: skip

_WARC = re.compile(rb"WARC/\d\.\d+\r?\n")
_WARC_BELOW = re.compile(rb"(?:\A|\n)WARC/\d\.\d+\r?\n[A-Za-z][A-Za-z-]*[ \t]*:")
_ARC_BELOW = re.compile(rb"\n[a-z][a-z0-9+.-]{1,9}:[^\s]{1,2000} [0-9.:a-f]{3,40} \d{14} [^\s]{1,100} \d+\r?\n")
_MARKUP = re.compile(
    rb"(?i)(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--(?>.{0,2000}?-->)\s*+)*+"
    rb"<(?:!doctype\s+html|html|head|body|title|meta|script|style|div|table|h1|p|br|iframe)[\s>/]",
    re.DOTALL,
)
_BEGINS_OBJECTS = re.compile(rb'\[?\s*\{\s*(?:"|\})')


@dataclass(frozen=True)
class Format:
    """The format and compression of a file. WET files are ``warc``, Feather is ``arrow``, WACZ is ``zip``.

    ``encoding`` is set for JSON and CSV in UTF-16 or UTF-32. ``what`` names the format of a ``foreign`` file, which is
    recognised but not read.
    """

    kind: Kind
    compression: Compression | None = None
    encoding: str | None = None
    what: str = ""

    @property
    def can_be_split(self) -> bool:
        """Whether a range of the file can be read without the bytes before it."""
        return self.kind == "parquet" or (self.kind == "jsonl" and self.compression is None and self.encoding is None)


def detect(path: str, name: str, asked: str | None = None) -> Format:
    """The format of a file; ``asked`` is the format that the job names. Raises OSError if the file cannot be opened."""
    with StoredFile(path) as file:
        head = file.peek(GLANCE_BYTES)
        found = detect_format(head, name, asked, whole=len(head) < GLANCE_BYTES)
        if found.kind not in ("unknown", "foreign", "empty"):
            return found
        return detect_format(file.peek(PEEK_BYTES), name, asked)


def detect_format(head: bytes, name: str = "", asked: str | None = None, whole: bool | None = None) -> Format:
    """The format of a file that begins with these bytes (PEEK_BYTES, fewer for a shorter file).

    ``whole`` is true if nothing follows these bytes.
    """
    compression = compression_of(head)
    whole = len(head) < PEEK_BYTES if whole is None else whole
    if compression is None:
        found = content_format(head, name, asked, whole)
        damaged = found.kind in ("unknown", _by_name(name, asked)) and not _is_utf8(head)
        return replace(found, compression=_PACKED.get(_extensions(name)[-1]) if damaged else None)
    content = b"".join(_beginning(head, compression))
    if not content:
        return Format(_by_name(name, asked) or "jsonl", compression)
    return replace(content_format(content, name, asked, whole and len(content) < PEEK_BYTES), compression=compression)


def _is_utf8(head: bytes) -> bool:
    """Whether this is the beginning of a text, which compressed data never is."""
    try:
        return "\0" not in codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False


def _beginning(head: bytes, compression: Compression) -> Iterator[bytes]:
    """The content of the head of a compressed file: of all its members, up to PEEK_BYTES."""
    size = 0
    with Spooled(iter([head])) as file:
        for event in decompress(file, compression):
            if isinstance(event, bytes):
                yield event[: PEEK_BYTES - size]
                size += len(event)
                if size >= PEEK_BYTES:
                    return


def content_format(content: bytes, name: str, asked: str | None, whole: bool) -> Format:
    """The format of decompressed bytes that begin with ``content``."""
    if not content:
        return Format("empty")
    encoding = next((encoding for mark, encoding in _WIDE if content.startswith(mark)), None)
    if encoding:
        wide = content.decode(encoding, "ignore").encode("utf-8", "ignore")
        kind = _kind(wide, name, asked, whole)
        own = kind in ("text", "html") and encoding == "utf-16"  # the readers of text and HTML decode UTF-16 themselves
        return Format(kind, encoding=None if own else encoding)
    if asked is None and (what := foreign_kind(content)):
        return Format("foreign", what=what)
    return Format(_kind(content, name, asked, whole))


def _kind(head: bytes, name: str, asked: str | None, whole: bool) -> Kind:
    """``whole`` is true if nothing follows these bytes."""
    if asked:
        return asked  # type: ignore[return-value]
    named = _by_name(name, None)
    text = head.removeprefix(codecs.BOM_UTF8)
    binary = _by_magic(head, text)
    if binary:
        return binary
    if _is_json_lines(text, whole):
        return "jsonl"
    if named in ("text", "csv", "tsv"):
        return named
    if _is_json(text):
        return "json"
    if named in (None, "html") and _MARKUP.match(text.lstrip(_SPACE)):
        return "html"
    if _WARC_BELOW.search(head):
        return "warc"
    if _ARC_BELOW.search(head):
        return "arc"
    return named or "unknown"


def _by_magic(head: bytes, text: bytes) -> Readable | None:
    """The format by its signature, or None."""
    if head.startswith((b"PAR1", b"PARE")):
        return "parquet"
    if head.startswith(b"ARROW1\0\0"):
        return "arrow"
    if head.startswith((b"PK\3\4", b"PK\5\6", b"PK\7\x08PK\3\4")):
        return "zip"
    if _WARC.match(text.lstrip(_SPACE)):
        return "warc"
    if text.lstrip(_SPACE).startswith(b"filedesc://"):
        return "arc"
    if is_tar(head):
        return "tar"
    return "arrow_stream" if head.startswith(b"\xff\xff\xff\xff") and _is_arrow_stream(head) else None


def is_tar(head: bytes) -> bool:
    """Whether the first block is the header of a tar file with a valid checksum."""
    digits = head[148:156].strip(b" \0")
    if len(head) < 512 or not digits or digits.strip(b"01234567"):
        return False
    return int(digits, 8) == sum(head[:148]) + 8 * 32 + sum(head[156:512])


def _is_arrow_stream(head: bytes) -> bool:
    """Whether a message of plausible length begins here, with the layout of a schema message."""
    length = int.from_bytes(head[4:8], "little")
    return 16 <= length <= 64 << 20 and int.from_bytes(head[8:12], "little") < length


def _extensions(name: str) -> list[str]:
    """The extensions of a file's name in lower case; an empty extension if the name has none."""
    return name.replace("\\", "/").rpartition("/")[2].lower().split(".")[1:] or [""]


def _by_name(name: str, asked: str | None) -> Readable | None:
    """The format by the extension of the name (before the extension of a compression), or None."""
    if asked:
        return asked  # type: ignore[return-value]
    extensions = _extensions(name)
    if extensions[-1] in _PACKED and extensions[-1] not in NAMES:
        extensions = extensions[:-1] or [""]
    return NAMES.get(extensions[-1])


def _is_json_lines(head: bytes, whole: bool) -> bool:
    """Whether the first line, or at least a quarter of the first lines, are complete JSON objects.

    Lines with the outer shape of an object count too, so that a file of broken records is still distinguished from
    prose. A single line that is cut off by the end of ``head`` counts if it begins like an object with a key.
    """
    lines = [line.strip() for line in head.split(b"\n", 4 * _LINES)[: 4 * _LINES] if line.strip()][:_LINES]
    if not lines:
        return False
    if len(lines) == 1 and not whole and b"\n" not in head.strip():
        return _begins_object(lines[0])
    if _begins_object(lines[0]) and _is_object(lines[0]):
        return True
    parsed = sum(map(_is_object, lines))
    with_comma = sum(line.endswith(b",") and _is_object(line[:-1].rstrip()) for line in lines)
    if with_comma >= max(parsed, 1):
        return False
    shaped = sum(_begins_object(line) and line.endswith(b"}") for line in lines)
    return 4 * max(parsed, shaped) >= len(lines) and (parsed > 0 or shaped == len(lines))


def _begins_object(line: bytes) -> bool:
    return line.startswith(b"{") and line[1:64].lstrip()[:1] == b'"'


def _is_object(line: bytes) -> bool:
    if not line.startswith(b"{"):
        return False
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _is_json(head: bytes) -> bool:
    """Whether an array of objects or an object on several lines begins here."""
    return _BEGINS_OBJECTS.match(head.lstrip(_SPACE)) is not None
