"""Ranges of a file of JSON lines: each line belongs to the one in which it begins."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.sources.chunks import ChunkBuilder
from curation.sources.inputs import InputFile, Span
from curation.sources.jsonl import LineBlocks
from curation.sources.reading import ReadingSettings
from curation.sources.units import plan_units
from tests.curation.sources.made import Read, lines, read_spans, whole

LINES = st.lists(
    st.one_of(st.integers(0, 60).map(lambda n: {"text": "x" * n}), st.just(b""), st.just(b"bad")), max_size=30
)


@settings(max_examples=60)
@given(some=LINES, cuts=st.lists(st.integers(0, 1500), max_size=5), ended=st.booleans())
def test_any_split_reads_as_the_whole(
    some: list[Any], cuts: list[int], ended: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = lines({"text": "begin"}, {"text": "begin"}, {"text": "begin"}, {"text": "b"}, *some)
    data = data if ended else data[:-1]
    path = tmp_path_factory.getbasetemp() / "split"
    path.write_bytes(data)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    file = whole(path).file
    spans = [Span(file, a, b) for a, b in zip(edges, [*edges[1:-1], None], strict=False)]
    read, again = read_spans([whole(path)]), Read()
    for span in spans:
        one = read_spans([span])
        again.documents += one.documents
        again.quarantine += one.quarantine
        again.bytes_read += one.bytes_read
        again.reports += one.reports
    assert again.documents == read.documents
    assert again.quarantine == read.quarantine
    assert again.bytes_read == read.bytes_read == len(data)
    assert sum(report.bytes for report in again.reports) == len(data)


@settings(max_examples=300)
@given(
    some=st.lists(st.integers(0, 40), min_size=1, max_size=12),
    ended=st.booleans(),
    cuts=st.lists(st.integers(1, 300), max_size=8),
    reads=st.lists(st.integers(1, 50), min_size=1, max_size=6),
)
@example(some=[30, 2, 30], ended=True, cuts=[10, 20], reads=[31])
@example(some=[30, 2], ended=True, cuts=[10, 20, 31], reads=[11])
def test_each_line_belongs_to_the_range_in_which_it_begins(
    some: list[int], ended: bool, cuts: list[int], reads: list[int]
) -> None:
    """Whatever the lengths of lines, of ranges and of what is read at a time."""
    data = b"".join(bytes([97 + n % 26]) * size + b"\n" for n, size in enumerate(some))
    data = data if ended else data[:-1]
    edges = [0, *sorted({cut for cut in cuts if cut < len(data)}), None]
    begins = [0, *(n + 1 for n in range(len(data) - 1) if data[n : n + 1] == b"\n")]
    for start, end in itertools.pairwise(edges):
        assert start is not None
        expected = [n for n in begins if start <= n and (end is None or n < end)]
        stops = [data.find(b"\n", n) + 1 or len(data) for n in expected]
        found, first = _range_of_lines(data, start, end, reads)
        assert found == b"".join(data[n:stop] for n, stop in zip(expected, stops, strict=True))
        assert not found or first == expected[0]


def _range_of_lines(data: bytes, start: int, end: int | None, reads: list[int]) -> tuple[bytes, int]:
    """What LineBlocks gives for a range, read in pieces of these sizes, and the offset of its first line."""
    span = Span(InputFile(0, "x", "x", len(data), None), start, end)
    builder = ChunkBuilder(ReadingSettings())
    builder.start_span(span)
    blocks = LineBlocks(span, builder)
    at = blocks.position = max(0, start - 1)
    got: list[tuple[bytes, int]] = []
    while not blocks.finished and at < len(data):
        size = reads[len(got) % len(reads)]
        got.append(blocks.add(data[at : at + size]))
        at += size
    got.append(blocks.rest())
    lines_of = [(block, offset) for block, offset in got if block]
    for (block, offset), (_, following) in itertools.pairwise(lines_of):
        assert offset + len(block) == following
    return b"".join(block for block, _ in lines_of), lines_of[0][1] if lines_of else 0


def test_lines_longer_than_a_unit_are_read_once(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(lines(*({"text": "words " * 60_000, "n": n} for n in range(8))))
    units = plan_units([whole(path).file], 100_000)
    read = [read_spans(unit.spans) for unit in units]
    assert len(units) > 20
    assert [row["metadata"] for one in read for row in one.documents] == [f'{{"n":{n}}}' for n in range(8)]
    assert not any(one.quarantine for one in read)


def test_a_line_that_ends_where_a_read_ends_does_not_repeat_the_next_one(tmp_path: Path) -> None:
    """The first line is longer than a unit and ends where a read of 1 MiB ends."""
    first = 299_999 + (1 << 20)
    data = lines(b'{"text":"%b"}' % (b"a" * (first - 12)), {"text": "once"}, {"text": "b" * 900_000})
    assert data[first - 1 : first] == b"\n"
    path = tmp_path / "twice.jsonl"
    path.write_bytes(data)
    edges: list[int | None] = [0, 300_000, 600_000, 900_000, None]
    spans = [Span(whole(path).file, a or 0, b) for a, b in itertools.pairwise(edges)]
    assert [text[:4] for span in spans for text in read_spans([span]).texts] == ["aaaa", "once", "bbbb"]


def test_a_large_file_is_split_and_no_line_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    path.write_bytes(lines(*({"text": "words " * (n % 300), "n": n} for n in range(3000))))
    units = plan_units([whole(path).file], 100_000)
    assert len(units) > 10
    split = [row for unit in units for row in read_spans(unit.spans).documents]
    assert split == read_spans([whole(path)]).documents
