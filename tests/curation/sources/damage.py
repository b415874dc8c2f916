"""Files of every format, and seeded damage to them."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

from tests.curation.sources.made import arc, gz, lines, response, warc, zst

Piece = tuple[bytes, tuple[str, ...]]
"""A stretch of a file, and the texts that it alone holds."""


@dataclass(frozen=True)
class Sample:
    """A whole file as pieces one after another; ``name`` is the file's name.

    Damage to one piece may cost the texts of this piece and of those ``reach`` pieces around it, never others; None
    where it may cost the whole file.
    """

    name: str
    pieces: tuple[Piece, ...]
    reach: int | None = 1

    @property
    def data(self) -> bytes:
        return b"".join(piece for piece, _ in self.pieces)

    @property
    def texts(self) -> list[str]:
        return [text for _, texts in self.pieces for text in texts]


@dataclass(frozen=True)
class Damaged:
    data: bytes
    spared: frozenset[str]
    """The texts that must still be read."""


def words(seed: str, count: int = 30) -> str:
    """A text that no other seed gives."""
    chance = random.Random(seed)
    syllables = ["mill", "stone", "wheel", "corn", "race", "sluice", "flour", "brook", "hopper", "sieve"]
    return f"{seed}: " + " ".join(chance.choice(syllables) for _ in range(count))


TEXTS = [words(f"text {n}") for n in range(12)]


def _records(first: int = 0, last: int | None = None) -> list[dict[str, object]]:
    return [{"id": text[:7], "text": text, "n": len(text)} for text in TEXTS[first:last]]


def _jsonl(name: str, pack: Callable[[bytes], bytes], each: int) -> Sample:
    """``each`` lines in a piece, which is packed by itself."""
    pieces = [(pack(lines(*_records(n, n + each))), tuple(TEXTS[n : n + each])) for n in range(0, len(TEXTS), each)]
    return Sample(name, tuple(pieces))


def _parquet() -> Sample:
    sink = BytesIO()
    with pq.ParquetWriter(sink, pa.Table.from_pylist(_records()).schema, write_page_checksum=True) as writer:
        for n in range(0, 12, 3):
            writer.write_table(pa.Table.from_pylist(_records(n, n + 3)))
    return Sample("a.parquet", ((sink.getvalue(), tuple(TEXTS)),), None)


def _warc(name: str, pack: Callable[[bytes], bytes]) -> Sample:
    pieces: list[Piece] = [(pack(warc("warcinfo", b"software: none\r\n")), ())]
    for n, text in enumerate(TEXTS[:8]):
        record = warc("conversion", text.encode(), f"http://mill.example/{n}", Content_Type="text/plain")
        pieces.append((pack(record), (text,)))
    return Sample(name, tuple(pieces))


def _arc() -> Sample:
    head, *records = arc([(f"http://mill.example/{n}", text.encode()) for n, text in enumerate(TEXTS[:8])])
    records = [record.replace(b"text/html", b"text/plain", 1) for record in records]
    return Sample("a.arc", ((head, ()), *((record, (text,)) for record, text in zip(records, TEXTS, strict=False))))


def _pages() -> Sample:
    found = [(response(text, f"http://mill.example/{n}"), ()) for n, text in enumerate(TEXTS[:3])]
    return Sample("pages.warc", tuple(found))


def _text() -> Sample:
    return Sample("a.txt", (("\n".join(TEXTS).encode(), ()),), None)


SAMPLES: dict[str, Callable[[], Sample]] = {
    "jsonl": lambda: _jsonl("a.jsonl", bytes, 1),
    "jsonl.gz": lambda: _jsonl("a.jsonl.gz", gz, 2),
    "jsonl.zst": lambda: _jsonl("a.jsonl.zst", zst, 2),
    "parquet": _parquet,
    "warc": lambda: _warc("a.warc", bytes),
    "warc.gz": lambda: _warc("a.warc.gz", gz),
    "warc.zst": lambda: _warc("a.warc.zst", zst),
    "arc": _arc,
    "pages": _pages,
    "text": _text,
}
"""A small file of each format, by the name of the format."""


def damage(sample: Sample, seed: str) -> Damaged:
    """The sample with one kind of damage, chosen by the seed: flipped bits, bytes cut out, bytes spliced in, or an end
    that is missing."""
    chance = random.Random(seed)
    place = chance.randrange(len(sample.pieces))
    piece = sample.pieces[place][0]
    kind = chance.choice(["flip", "flip", "cut", "splice", "end"])
    if kind == "end":
        keep = chance.randrange(len(piece))
        before = sample.pieces[:place]
        data = b"".join(one for one, _ in before) + piece[:keep]
        return Damaged(
            data, _texts(before, 0, place - (sample.reach or 0)) if sample.reach is not None else frozenset()
        )
    spoilt = {"flip": _flip, "cut": _cut, "splice": _splice}[kind](piece, sample.data, chance)
    data = b"".join(spoilt if n == place else one for n, (one, _) in enumerate(sample.pieces))
    if sample.reach is None:
        return Damaged(data, frozenset())
    before = _texts(sample.pieces, 0, place - sample.reach)
    return Damaged(data, before | _texts(sample.pieces, place + sample.reach + 1, len(sample.pieces)))


def _texts(pieces: Sequence[Piece], first: int, last: int) -> frozenset[str]:
    return frozenset(text for _, texts in pieces[first : max(first, last)] for text in texts)


def _flip(piece: bytes, _: bytes, chance: random.Random) -> bytes:
    spoilt = bytearray(piece)
    for _n in range(chance.choice([1, 1, 3])):
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
    return bytes(spoilt)


def _cut(piece: bytes, _: bytes, chance: random.Random) -> bytes:
    begin = chance.randrange(len(piece))
    return piece[:begin] + piece[begin + 1 + chance.randrange(40) :]


def _splice(piece: bytes, data: bytes, chance: random.Random) -> bytes:
    begin, source = chance.randrange(len(piece)), chance.randrange(len(data))
    strange = data[source : source + 1 + chance.randrange(40)]
    return piece[:begin] + (strange if chance.random() < 0.5 else chance.randbytes(len(strange))) + piece[begin:]
