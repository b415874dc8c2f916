"""Reads zip files by their directory, or by the headers of their members if the directory is broken."""

import errno
import lzma
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from copy import copy
from typing import IO

from curation.sources.chunks import ChunkBuilder
from curation.sources.decompression import FREE_EXPANSION, MAX_EXPANSION, TOO_FAR
from curation.sources.events import EXCERPT_BYTES, Broken, Event
from curation.sources.opening import is_content
from curation.sources.tar import ArchivedFile

_HEADER_BYTES = 30
_SIGNATURE = re.compile(rb"PK\x03\x04")
_ANY_SIGNATURE = re.compile(rb"PK(?:\x01\x02|\x03\x04|\x05\x06|\x07\x08)")
_AROUND = re.compile(rb"PK(?:\x01\x02|\x05\x06|\x07\x08)|.{0,16}\Z", re.DOTALL)
_READ = 1 << 18
_METHODS = {9: " (Deflate64)", 12: " (bzip2)", 14: " (LZMA)", 93: " (Zstandard)", 95: " (XZ)"}
_ENCRYPTED, _SIZES_BEHIND, _UTF8 = 1, 8, 0x800
_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError, struct.error)
"""Exceptions of the standard library for broken members."""


def zip_members(file: IO[bytes], builder: ChunkBuilder) -> Iterator[ArchivedFile]:
    """The files in a zip file, which must be seekable.

    Of a WACZ only the archives are read; its other files count as skipped. Encrypted members are quarantined.
    """
    budget = _Budget()
    size = file.seek(0, 2)
    try:
        zipped = zipfile.ZipFile(file)
        listed = zipped.infolist()
        if sum(info.compress_size for info in listed) > size:
            raise zipfile.BadZipFile("its members overlap")
        stored = _ZipBytes(file)
        if not all(_agrees(info, stored) for info in listed):
            raise zipfile.BadZipFile("it contradicts the headers of the members")
        if not _all_listed(listed, stored):
            raise zipfile.BadZipFile("it does not list all members")
    except (*_ERRORS, OSError, NotImplementedError) as error:
        _raise_outage(error)
        message = f"the directory of the zip file cannot be read ({error}): its members were found by their own headers"
        builder.quarantine("bad_directory", message)
        yield from _scan_members(file, size, builder, budget)
        return
    names = {info.filename for info in listed}
    archives_only = "datapackage.json" in names and any(name.startswith("archive/") for name in names)
    for info in listed:
        if info.is_dir():
            continue
        if stat.S_ISLNK(info.external_attr >> 16):
            builder.skip("irregular_member")
        elif archives_only and not info.filename.startswith("archive/"):
            builder.skip("not_in_archive")
        elif info.flag_bits & _ENCRYPTED:
            _quarantine_encrypted(info.filename, info.compress_size, builder)
        else:
            yield ArchivedFile(info.filename, info.file_size, _read_listed(zipped, info, budget))


def _agrees(info: zipfile.ZipInfo, stored: "_ZipBytes") -> bool:
    """Whether the directory entry agrees with the header in front of the member."""
    header = stored.at(info.header_offset, _HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not _SIGNATURE.match(header):
        return False
    flags, method, crc, packed, size = struct.unpack_from("<HH4xIII", header, 6)
    known = (info.compress_size, info.file_size)
    sizes = flags & _SIZES_BEHIND or packed == 0xFFFFFFFF or (packed, size) == known
    named = _name(stored.at(info.header_offset + _HEADER_BYTES, int.from_bytes(header[26:28], "little")), flags)
    same = (flags, method, named) == (info.flag_bits, info.compress_type, info.orig_filename)
    return bool(sizes and same and crc in (0, info.CRC))


def _all_listed(listed: list[zipfile.ZipInfo], stored: "_ZipBytes") -> bool:
    """Whether the directory lists every member that begins at the start of the file or right after another member."""
    begins = {info.header_offset for info in listed}
    ends = {0}
    for info in listed:
        if not info.flag_bits & _SIZES_BEHIND:
            sizes = stored.at(info.header_offset + 26, 4)
            before = _HEADER_BYTES + int.from_bytes(sizes[:2], "little") + int.from_bytes(sizes[2:], "little")
            ends.add(info.header_offset + before + info.compress_size)
    return not any(_SIGNATURE.match(stored.at(place, 4)) for place in ends - begins)


def _name(name: bytes, flags: int) -> str:
    return name.decode("utf-8" if flags & _UTF8 else "cp437", "replace")


def _raise_outage(error: Exception) -> None:
    """Reraises an error that the bytes of the file did not cause (they can cause a seek before the file's start)."""
    hidden = error.__context__  # zipfile raises BadZipFile instead of any OSError
    for each in (error, hidden) if isinstance(hidden, OSError) else (error,):
        before_start = isinstance(each, OSError) and each.errno == errno.EINVAL
        if not before_start and not is_content(each):
            raise each


def is_encrypted(path: str) -> bool:
    """Whether all files in the zip file at this path are encrypted."""
    try:
        with zipfile.ZipFile(path) as zipped:
            files = [info for info in zipped.infolist() if not info.is_dir()]
    except (*_ERRORS, OSError, NotImplementedError):
        return False
    return bool(files) and all(info.flag_bits & _ENCRYPTED for info in files)


class _Budget:
    """Limits the total expansion of the members of a file."""

    def __init__(self) -> None:
        self._left = FREE_EXPANSION

    def begin(self, stored: int) -> None:
        self._left += MAX_EXPANSION * stored

    def spent(self, size: int) -> bool:
        self._left -= size
        return self._left < 0


def _quarantine_encrypted(name: str, size: int, builder: ChunkBuilder) -> None:
    with builder.inside_member(name, size):
        message = "a member that is encrypted: decrypt the zip file first"
        builder.quarantine("encrypted", message, size=size, lost=size)


def _read_listed(zipped: zipfile.ZipFile, info: zipfile.ZipInfo, budget: _Budget) -> Iterator[Event]:
    """The content of a member; a wrong checksum is the last event (the standard library would drop the last bytes)."""
    budget.begin(info.compress_size)
    checksum = 0
    unchecked = copy(info)
    del unchecked.CRC
    try:
        with zipped.open(unchecked) as member:
            while data := member.read(_READ):
                checksum = zlib.crc32(data, checksum)
                yield data
                if budget.spent(len(data)):
                    yield _broken("expands_too_far", TOO_FAR, info.header_offset, info.compress_size, b"")
                    return
    except (*_ERRORS, NotImplementedError, OSError, MemoryError) as error:
        _raise_outage(error)
        word = "unsupported_format" if isinstance(error, NotImplementedError) else "corrupt"
        lost = max(info.compress_size, 1)
        yield _broken(word, f"zip: {error}", info.header_offset, info.compress_size, b"", lost)
        return
    if checksum != info.CRC:
        message = f"zip: Bad CRC-32 for file {info.filename!r}"
        yield _broken("bad_checksum", message, info.header_offset, info.compress_size, b"", 0)


def _broken(word: str, message: str, offset: int, size: int, excerpt: bytes, lost: int | None = None) -> Broken:
    return Broken(word, message, offset, size, excerpt, size if lost is None else lost)


class _ZipBytes:
    """The bytes of a zip file, for searching and reading."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.position = 0

    def find(self, pattern: re.Pattern[bytes], start: int) -> int | None:
        """The first match of a pattern of four bytes at or after ``start``, or None."""
        self.file.seek(start)
        tail = b""
        while data := self.file.read(_READ):
            found = pattern.search(tail + data)
            if found:
                return start - len(tail) + found.start()
            start += len(data)
            tail = (tail + data)[-3:]
        return None

    def at(self, start: int, size: int) -> bytes:
        self.file.seek(start)
        return self.file.read(size)


def _scan_members(file: IO[bytes], size: int, builder: ChunkBuilder, budget: _Budget) -> Iterator[ArchivedFile]:
    """Finds the members by their own headers, in their order in the file."""
    stored = _ZipBytes(file)
    place, end = stored.find(_SIGNATURE, 0), 0
    while place is not None:
        _quarantine_between(stored, end, place, builder)
        head = stored.at(place, _HEADER_BYTES)
        if len(head) < _HEADER_BYTES:
            return
        _, flags, method, _, _, crc, packed, length, name_size, extra = struct.unpack("<HHHHHIIIHH", head[4:])
        begin = place + _HEADER_BYTES + name_size + extra
        following = _SIGNATURE.search(stored.at(place + 4, begin - place))
        if following is not None:  # the header does not say where it ends
            place += 4 + following.start()
            continue
        name = _name(stored.at(place + _HEADER_BYTES, name_size), flags)
        end = begin + packed
        if flags & _SIZES_BEHIND or end > size or (end < size and not _ANY_SIGNATURE.match(stored.at(end, 4))):
            end = stored.find(_ANY_SIGNATURE, begin) or size
        end = max(begin, min(end, size))
        if flags & _ENCRYPTED:
            _quarantine_encrypted(name, end - begin, builder)
        elif not name.endswith("/") and name:
            known = None if flags & _SIZES_BEHIND else crc or None
            yield ArchivedFile(name, length, _read_unlisted(stored, method, begin, end, budget, known))
        place = stored.find(_SIGNATURE, end)
    _quarantine_between(stored, end, size, builder)


def _quarantine_between(stored: "_ZipBytes", begin: int, end: int, builder: ChunkBuilder) -> None:
    """Quarantines bytes between members, unless they are sizes or the directory, which belong there."""
    record = stored.at(begin, EXCERPT_BYTES)[: end - begin]
    if record and not _AROUND.match(record):
        message = "no member of the zip file begins here"
        builder.quarantine("bad_member", message, offset=begin, size=end - begin, record=record, lost=end - begin)


def _read_unlisted(
    stored: _ZipBytes, method: int, begin: int, end: int, budget: _Budget, known: int | None
) -> Iterator[Event]:
    """The content of a member, without the directory; ``known`` is its checksum, None if only the directory has it."""
    if method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        message = (
            f"zip: a member compressed by method {method}{_METHODS.get(method, '')} is read only where the directory "
            "of the zip file is whole: copy the zip file again, or repair it"
        )
        yield _broken("unsupported_format", message, begin, end - begin, stored.at(begin, EXCERPT_BYTES)[: end - begin])
        return
    budget.begin(end - begin)
    stream = zlib.decompressobj(-15)
    at, checksum = begin, 0
    while at < end:
        data = stored.at(at, min(_READ, end - at))
        if not data:
            break
        at += len(data)
        while data:
            try:
                output = stream.decompress(data, _READ) if method == zipfile.ZIP_DEFLATED else data
            except zlib.error as error:
                yield _broken("corrupt", f"zip: {error}", begin, end - begin, b"", end - at)
                return
            data = stream.unconsumed_tail
            checksum = zlib.crc32(output, checksum)
            if output:
                yield output
            if budget.spent(len(output)):
                yield _broken("expands_too_far", TOO_FAR, begin, end - begin, b"")
                return
    if method == zipfile.ZIP_DEFLATED and not stream.eof:
        yield _broken("truncated", "zip: the file ends inside a member", begin, end - begin, b"", 0)
    elif known is not None and checksum != known:
        yield _broken("bad_checksum", "zip: Bad CRC-32 of a member", begin, end - begin, b"", 0)
