"""Recognises formats that are not read, so that messages can name them and no such file becomes a document."""

import re

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs.github.com/spec/", "a git-lfs pointer, in whose place git lfs pull puts the file"),
    (b"%PDF-", "a PDF document"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC", "an ORC file"),
    (b"FEA1", "a Feather file of version 1 (write it anew as version 2)"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"GGUF", "a GGUF model"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
    (b"{\\rtf", "an RTF document"),
    (b"%!PS", "a PostScript document"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"\x7fELF", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"\0asm", "a WebAssembly program"),
    (b"OggS", "an Ogg file"),
    (b"fLaC", "a FLAC file"),
    (b"ID3\x02", "an MP3 file"),
    (b"ID3\x03", "an MP3 file"),
    (b"ID3\x04", "an MP3 file"),
    (b"\x1a\x45\xdf\xa3", "a Matroska video"),
    (b"SEQ4", "a Hadoop sequence file"),
    (b"SEQ5", "a Hadoop sequence file"),
    (b"SEQ6", "a Hadoop sequence file"),
    (b"!<arch>\n", "an ar archive"),
    (b"LZIP", "an lzip file"),
    (b"\x89LZO\0\r\n\x1a\n", "an lzop file"),
    (b"\x02\x21\x4c\x18", "an lz4 file in the legacy format"),
    (b"\xff\x06\0\0sNaPpY", "a Snappy file"),
    (b"\x80\x04\x95", "a Python pickle"),
    (b"\x80\x05\x95", "a Python pickle"),
    (b"wOFF", "a font"),
    (b"wOF2", "a font"),
)
"""Signatures at the start of a file, and their formats."""

_ZIPPED = (
    (re.compile(rb"\[Content_Types\]\.xml|_rels/|(?:word|xl|ppt)/"), "an Office document"),
    (re.compile(rb"mimetypeapplication/epub"), "an EPUB book"),
    (re.compile(rb"mimetypeapplication/vnd\.oasis"), "an OpenDocument file"),
    (re.compile(rb"META-INF/"), "a Java archive"),
    (re.compile(rb"[^/]{1,100}/data\.pkl"), "a PyTorch checkpoint"),
    (re.compile(rb"[^/]{1,100}\.npy"), "a NumPy archive"),
)
"""Patterns for the name of the first member of a zip file (and, for some, the content directly behind the name)."""


def foreign_kind(head: bytes) -> str:
    """The format, with its article, of a file that begins with these bytes, if it is a known format that is not read;
    empty for all other files.

    >>> foreign_kind(b"%PDF-1.7")
    'a PDF document'
    """
    for signature, what in _SIGNATURES:
        if head.startswith(signature) and (not _is_word(signature) or b"\0" in head[:1024]):
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
