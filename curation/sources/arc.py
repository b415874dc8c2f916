"""The one-line headers of ARC records, of versions 1 and 2.

A line has the url, which may contain spaces, and a fixed number of fields after it. The block of the file's first
record names the fields: 5 with the url in version 1, 10 in version 2.
Source: https://archive.org/web/researcher/ArcFileFormat.php.
"""

import re

_VERSIONS = {
    b"1": ("url", "ip-address", "archive-date", "content-type", "archive-length"),
    b"2": (
        *("url", "ip-address", "archive-date", "content-type", "result-code"),
        *("checksum", "location", "offset", "filename", "archive-length"),
    ),
}
_URL = re.compile(rb"[a-zA-Z][a-zA-Z0-9+.-]{0,40}:")
_DATE = re.compile(rb"\d{8,14}\Z")
_NUMBER = re.compile(rb"\d{1,18}\Z")


def is_arc_line(line: bytes) -> bool:
    """Whether a line (without its line end) is the header of an ARC record: a url, a date and a length."""
    return bool(_URL.match(line)) and _date_index(line.split(b" ")) is not None


def content_length(line: bytes) -> int:
    """The last field of the line of an ARC record: the length of the content in bytes."""
    return int(line.rsplit(b" ", 1)[-1])


def _date_index(words: list[bytes]) -> int | None:
    """The index of the date among the words of a line; None if the line is not a header.

    The date is third from the end in version 1 and eighth in version 2, and elsewhere if a field contains spaces.
    """
    if len(words) < 5 or not _NUMBER.match(words[-1]):
        return None
    usual = (len(words) - 3, len(words) - 8)
    rest = range(len(words) - 3, 1, -1)
    return next((n for n in (*usual, *rest) if n > 1 and _DATE.match(words[n])), None)


class ArcFields:
    """The fields of the records of one ARC file."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = _VERSIONS[b"1"]

    def describe(self, block: bytes) -> None:
        """Takes the field names from the block of a ``filedesc`` record."""
        version, _, rest = block.lstrip().partition(b"\n")
        names = tuple(rest.partition(b"\n")[0].decode("latin-1").lower().split())
        known = _VERSIONS.get(version[:1], self.names)
        self.names = names if names[:1] == ("url",) and {*_VERSIONS[b"1"]} <= {*names} else known

    def read(self, line: bytes) -> dict[str, str] | None:
        """The fields of a record by name; None if the line has no url, date and length."""
        words = line.rstrip(b"\r\n").split(b" ")
        place = _date_index(words)
        if place is None:
            return None
        spare = len(words) - len(self.names)
        date = spare + self.names.index("archive-date")
        if spare >= 0 and _DATE.match(words[date]):
            values, names = [b" ".join(words[: spare + 1]), *words[spare + 1 :]], self.names
        else:
            values = [b" ".join(words[: place - 1]), *words[place - 1 : place + 2], words[-1]]
            names = _VERSIONS[b"1"]
        return {name: value.decode("utf-8", "replace") for name, value in zip(names, values, strict=True)}
