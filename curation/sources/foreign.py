"""Recognises formats that are not read, so that messages can name them and no such file becomes a document."""

import re

_SIGNATURES: dict[str, tuple[bytes, ...]] = {
    "a git-lfs pointer, in whose place git lfs pull puts the file": (b"version https://git-lfs.github.com/spec/",),
    "a PDF document": (b"%PDF-",),
    "an SQLite database": (b"SQLite format 3\0",),
    "an Avro file": (b"Obj\x01",),
    "an ORC file": (b"ORC",),
    "a Feather file of version 1 (write it anew as version 2)": (b"FEA1",),
    "an HDF5 file": (b"\x89HDF\r\n\x1a\n",),
    "a NumPy array": (b"\x93NUMPY",),
    "a GGUF model": (b"GGUF",),
    "a 7z archive": (b"7z\xbc\xaf\x27\x1c",),
    "a RAR archive": (b"Rar!\x1a\x07",),
    "an Office document": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",),
    "an RTF document": (b"{\\rtf",),
    "a PostScript document": (b"%!PS",),
    "a PNG image": (b"\x89PNG\r\n\x1a\n",),
    "a JPEG image": (b"\xff\xd8\xff",),
    "a GIF image": (b"GIF87a", b"GIF89a"),
    "a TIFF image": (b"II*\0", b"MM\0*"),
    "a program": (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"),
    "a WebAssembly program": (b"\0asm",),
    "an Ogg file": (b"OggS",),
    "a FLAC file": (b"fLaC",),
    "an MP3 file": (b"ID3\x02", b"ID3\x03", b"ID3\x04"),
    "a Matroska video": (b"\x1a\x45\xdf\xa3",),
    "a Hadoop sequence file": (b"SEQ4", b"SEQ5", b"SEQ6"),
    "an ar archive": (b"!<arch>\n",),
    "an lzip file": (b"LZIP",),
    "an lzop file": (b"\x89LZO\0\r\n\x1a\n",),
    "an lz4 file in the legacy format": (b"\x02\x21\x4c\x18",),
    "a Snappy file": (b"\xff\x06\0\0sNaPpY",),
    "a Python pickle": (b"\x80\x04\x95", b"\x80\x05\x95"),
    "a font": (b"wOFF", b"wOF2"),
}
"""The formats, each with its signatures at the start of a file."""

_ZIPPED = (
    (re.compile(rb"\[Content_Types\]\.xml|_rels/|(?:word|xl|ppt)/"), "an Office document"),
    (re.compile(rb"mimetypeapplication/epub"), "an EPUB book"),
    (re.compile(rb"mimetypeapplication/vnd\.oasis"), "an OpenDocument file"),
    (re.compile(rb"META-INF/"), "a Java archive"),
    (re.compile(rb"[^/]{1,100}/data\.pkl"), "a PyTorch checkpoint"),
    (re.compile(rb"[^/]{1,100}\.npy"), "a NumPy archive"),
)
"""Patterns for the name of the first member of a zip file (and, for some, the content directly after the name)."""


def foreign_kind(head: bytes) -> str:
    """The format, with its article, of a file that begins with these bytes, if it is a known format that is not read;
    empty for all other files.

    >>> foreign_kind(b"%PDF-1.7")
    'a PDF document'
    """
    for what, signatures in _SIGNATURES.items():
        if any(head.startswith(each) and (not _is_word(each) or b"\0" in head[:1024]) for each in signatures):
            return what
    if head.startswith(b"PK\3\4"):
        return _zipped_kind(head)
    if head.startswith(b"RIFF") and head[8:12] in (b"WAVE", b"AVI ", b"WEBP"):
        return {b"WAVE": "a WAVE file", b"AVI ": "an AVI video", b"WEBP": "a WebP image"}[head[8:12]]
    if head[4:8] == b"ftyp" and head[:3] == b"\0\0\0":
        return "an MPEG-4 or HEIF file"
    if head[:2] in (b"MZ", b"BM") and b"\0\0" in head[2:64]:
        return "a program" if head.startswith(b"MZ") else "a BMP image"
    if head.startswith(b"\x1f\x9d\x90"):
        return "a file of Unix compress"
    return ""


def _is_word(signature: bytes) -> bool:
    """Whether a text could begin with this signature."""
    return signature.isalnum() and len(signature) < 8


def _zipped_kind(head: bytes) -> str:
    """The format of a zip file by its first member, if it is a container of a document format; else empty."""
    if len(head) < 30:
        return ""
    begin, length = 30, int.from_bytes(head[26:28], "little")
    name = head[begin : begin + length]
    inside = name + head[begin + length + int.from_bytes(head[28:30], "little") :][:64]
    return next((what for pattern, what in _ZIPPED if pattern.match(inside)), "")
