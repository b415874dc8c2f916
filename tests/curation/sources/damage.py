"""Files of every format, and seeded damage to them."""

import bz2
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

import lz4.frame
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from tests.curation.sources.made import arc, gz, lines, page, response, warc, zst

Piece = tuple[bytes, tuple[str, ...]]
"""A stretch of a file, and the texts that it alone holds."""


@dataclass(frozen=True)
class Sample:
    """A whole file as pieces one after another; ``name`` is the file's name.

    Damage to one piece may cost the texts of this piece and of those ``reach`` pieces around it, never others; None
    where it may cost the whole file. The first ``fixed`` pieces are never damaged.
    """

    name: str
    pieces: tuple[Piece, ...]
    reach: int | None = 1
    fixed: int = 0

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


def _lz4(data: bytes) -> bytes:
    return lz4.frame.compress(data, content_checksum=True)


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


def _parquet_types() -> Sample:
    """Nested columns, dates, dictionaries and no checksums."""
    table = pa.table(
        {
            "text": TEXTS,
            "url": pa.array([f"http://mill.example/{n % 3}" for n in range(12)]).dictionary_encode(),
            "date": pa.array(range(12), pa.timestamp("us", "UTC")),
            "tags": [["a", None]] * 12,
            "meta": [{"n": n, "raw": b"\xff" * n} for n in range(12)],
            "map": pa.array([[("k", n)] for n in range(12)], pa.map_(pa.string(), pa.int64())),
            "fixed": pa.array([b"12345678"] * 12, pa.binary(8)),
        }
    )
    sink = BytesIO()
    pq.write_table(table, sink, row_group_size=4, compression="zstd", data_page_version="2.0")
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


def _array(compact: bool) -> Sample:
    option = 0 if compact else orjson.OPT_INDENT_2
    records = [orjson.dumps(record, option=option) for record in _records()]
    between = b"," if compact else b",\n"
    pieces = [(b"[" + records[0] + between, (TEXTS[0],))]
    pieces += [(record + between, (text,)) for record, text in zip(records[1:-1], TEXTS[1:-1], strict=True)]
    return Sample("a.json", (*pieces, (records[-1] + b"]", (TEXTS[-1],))))


def _delimited(name: str, delimiter: str) -> Sample:
    """Every other text holds a line feed and quotes."""
    pieces: list[Piece] = [(delimiter.join(["id", "text", "n"]).encode() + b"\n", ())]
    for n, text in enumerate(TEXTS):
        text = text.replace("stone ", 'stone\n"').replace("wheel", 'wheel"') if n % 2 else text
        quoted = text.replace('"', '""')
        pieces.append((f'{n}{delimiter}"{quoted}"{delimiter}{len(text)}\r\n'.encode(), (text,)))
    return Sample(name, tuple(pieces), fixed=1)


def _arrow(stream: bool) -> Sample:
    sink = BytesIO()
    table = pa.Table.from_pylist(_records())
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)
    return Sample("a.arrows" if stream else "a.arrow", ((sink.getvalue(), tuple(TEXTS)),), None)


def _zip(name: str, members: list[tuple[str, bytes, tuple[str, ...]]]) -> Sample:
    sink = BytesIO()
    edges, spots = [0], []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as packed:
        for member, data, texts in members:
            packed.writestr(zipfile.ZipInfo(member), data, zipfile.ZIP_DEFLATED)
            edges.append(sink.tell())
            spots.append(texts)
    data = sink.getvalue()
    pieces = [(data[a:b], texts) for a, b, texts in zip(edges, edges[1:], spots, strict=False)]
    return Sample(name, (*pieces, (data[edges[-1] :], ())))


def _tar(pack: Callable[[bytes], bytes] = bytes, name: str = "a.tar") -> Sample:
    pieces: list[Piece] = []
    for n, (member, data, texts) in enumerate(_members()):
        info = tarfile.TarInfo(member if n else "a/" + "long/" * 30 + member)
        info.size = len(data)
        pieces.append((pack(info.tobuf(tarfile.GNU_FORMAT) + data + b"\0" * (-len(data) % 512)), texts))
    return Sample(name, (*pieces, (pack(b"\0" * 1024), ())))


def _members() -> list[tuple[str, bytes, tuple[str, ...]]]:
    """A file of each of several formats."""
    table = BytesIO()
    pq.write_table(pa.Table.from_pylist(_records(4, 6)), table)
    record = warc("conversion", TEXTS[6].encode(), "http://mill.example/6", Content_Type="text/plain")
    return [
        ("a.jsonl", lines(*_records(0, 2)), tuple(TEXTS[0:2])),
        ("b/c.jsonl.gz", gz(lines(*_records(2, 4))), tuple(TEXTS[2:4])),
        ("d.parquet", table.getvalue(), tuple(TEXTS[4:6])),
        ("e.warc", record, (TEXTS[6],)),
        ("f.txt", TEXTS[7].encode(), (TEXTS[7],)),
        ("g.json", orjson.dumps(_records(8, 10)), tuple(TEXTS[8:10])),
        ("h.jsonl.xz", lzma.compress(lines(*_records(10, 12))), tuple(TEXTS[10:12])),
    ]


def _page() -> Sample:
    return Sample("a.html", ((page(TEXTS[0]), ()),), None)


def _text() -> Sample:
    return Sample("a.txt", (("\n".join(TEXTS).encode(), ()),), None)


SAMPLES: dict[str, Callable[[], Sample]] = {
    "jsonl": lambda: _jsonl("a.jsonl", bytes, 1),
    "jsonl.gz": lambda: _jsonl("a.jsonl.gz", gz, 2),
    "jsonl.zst": lambda: _jsonl("a.jsonl.zst", zst, 2),
    "parquet": _parquet,
    "parquet of many types": _parquet_types,
    "warc": lambda: _warc("a.warc", bytes),
    "warc.gz": lambda: _warc("a.warc.gz", gz),
    "warc.zst": lambda: _warc("a.warc.zst", zst),
    "arc": _arc,
    "pages": _pages,
    "jsonl.bz2": lambda: _jsonl("a.jsonl.bz2", bz2.compress, 2),
    "jsonl.xz": lambda: _jsonl("a.jsonl.xz", lzma.compress, 2),
    "jsonl.lz4": lambda: _jsonl("a.jsonl.lz4", _lz4, 2),
    "array": lambda: _array(compact=True),
    "pretty": lambda: _array(compact=False),
    "csv": lambda: _delimited("a.csv", ","),
    "tsv": lambda: _delimited("a.tsv", "\t"),
    "arrow": lambda: _arrow(stream=False),
    "arrow stream": lambda: _arrow(stream=True),
    "zip": lambda: _zip("a.zip", _members()),
    "tar": _tar,
    "tar.gz": lambda: _tar(gz, "a.tar.gz"),
    "html": _page,
    "text": _text,
}
"""A small file of each format, by the name of the format."""


def damage(sample: Sample, seed: str) -> Damaged:
    """The sample with one kind of damage, chosen by the seed: flipped bits, bytes cut out, bytes spliced in, or an end
    that is missing."""
    chance = random.Random(seed)
    place = chance.randrange(sample.fixed, len(sample.pieces))
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
