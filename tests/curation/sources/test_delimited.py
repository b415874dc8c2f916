"""CSV and TSV: a document a row, whatever its quotes hold; a broken row costs itself."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.sources import delimited
from curation.sources.reading import ReadingSettings
from tests.curation.sources.made import gz, read_bytes

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20)


def _written(rows: list[list[str]], delimiter: str, end: str) -> bytes:
    sink = io.StringIO()
    csv.writer(sink, delimiter=delimiter, lineterminator=end).writerows(rows)
    return sink.getvalue().encode()


@settings(max_examples=80)
@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), max_size=8),
    delimiter=st.sampled_from(",;|\t"),
    end=st.sampled_from(["\n", "\r\n"]),
    mark=st.booleans(),
)
def test_what_a_writer_wrote_is_read(
    rows: list[tuple[str, str, str]], delimiter: str, end: str, mark: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = b"\xef\xbb\xbf" * mark + _written([["id", "text", "note"], *map(list, rows)], delimiter, end)
    read = read_bytes(data, tmp_path_factory.getbasetemp(), name="a.tsv" if delimiter == "\t" else "a.csv")
    assert read.texts == [text for _, text, _ in rows]
    assert [row["doc_id"] for row, given in zip(read.documents, rows, strict=True) if given[0]] == [
        doc_id for doc_id, _, _ in rows if doc_id
    ]
    assert not read.quarantine
    assert read.bytes_read == len(data)


def test_fields_are_mapped_as_in_json(tmp_path: Path) -> None:
    data = b"key,body,link,when,kind\n7,The text.,http://a/,2024-01-01,web\n"
    fields = {"text": "body", "url": "link", "date": "when", "source": "kind", "doc_id": "key"}
    [row] = read_bytes(data, tmp_path, ReadingSettings(fields=fields), "a.csv").documents
    named = [row[name] for name in ("text", "url", "date", "source", "doc_id", "metadata")]
    assert named == ["The text.", "http://a/", "2024-01-01", "web", "7", "{}"]


@settings(max_examples=80)
@given(names=st.lists(st.sampled_from(["n", "n_2", "n_3", "n_2_2", ""]), max_size=9))
def test_columns_of_the_same_name_keep_a_value_each(names: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    header = ["text", *names]
    values = [str(number) for number in range(len(header))]
    [row] = read_bytes(_written([header, values], ",", "\n"), tmp_path_factory.getbasetemp(), name="a.csv").documents
    metadata = json.loads(row["metadata"])
    assert sorted(metadata.values()) == sorted(values[1:])
    assert all(metadata[name] == str(1 + names.index(name)) for name in names)  # the first one has the name itself


def test_a_header_of_many_names_is_read_in_linear_time(tmp_path: Path) -> None:
    names = ["n"] * 200_000
    data = _written([["text", *names], ["The text.", *names]], ",", "\n")
    [row] = read_bytes(data, tmp_path, name="a.csv").documents
    assert len(json.loads(row["metadata"])) == 200_000


def test_other_columns_are_metadata_and_the_offset_is_that_of_the_row(tmp_path: Path) -> None:
    data = b'text,n,n\n"a\nb",1,2\n\nc,,4\n'
    read = read_bytes(data, tmp_path, name="a.csv")
    assert [(row["text"], row["offset"], row["metadata"]) for row in read.documents] == [
        ("a\nb", 9, '{"n":"1","n_2":"2"}'),
        ("c", 20, '{"n":"","n_2":"4"}'),
    ]


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (b"1,2,3\n", "bad_row"),
        (b"1\n", "bad_row"),
        (b'7,"stray" quote\n', "bad_row"),
        (b'7,"no end of a quote\n', "bad_row"),
        (b"7,\xff\xfe\n", "bad_utf8"),
    ],
)
def test_a_bad_row_costs_itself(bad: bytes, error: str, tmp_path: Path) -> None:
    good = [f'{n},"text\n""{n}"""\n'.encode() for n in range(6)]
    data = b"".join([b"id,text\n", *good[:3], bad, *good[3:]])
    read = read_bytes(data, tmp_path, name="a.csv")
    assert read.texts == [f'text\n"{n}"' for n in range(6)]
    assert read.errors == [error]
    assert read.quarantine[0]["record"] == bad
    assert read.quarantine[0]["offset"] == data.index(bad)


def test_a_quote_that_never_ends_costs_its_line(tmp_path: Path) -> None:
    rows = b"".join(b"%d,plain text\n" % n for n in range(20_000))
    data = b'id,text\n0,"open\n' + rows
    read = read_bytes(data, tmp_path, ReadingSettings(max_record_bytes=100_000), "a.csv")
    assert (len(read.documents), read.errors) == (20_000, ["bad_row"])


def test_a_file_that_is_cut_inside_a_row_loses_that_row_alone(tmp_path: Path) -> None:
    """Lines of a quoted text could pass for rows."""
    stored = gz(b'url,text\nb,The mill.\nc,"A text\nof lines, of which\neach, has a comma\n')[:-8]
    read = read_bytes(stored, tmp_path, name="a.csv.gz")
    assert read.texts == ["The mill."]
    assert sorted(read.errors) == ["bad_row", "truncated"]


def test_work_behind_open_quotes_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line opens a quote that the end of the file leaves open, seen from that line."""
    monkeypatch.setattr(delimited, "_FREE_RETRIES", 1 << 18)
    taken = []
    original = delimited._Lines.__next__

    def counted(self: delimited._Lines) -> str:
        line = original(self)
        taken.append(len(line))
        return line

    monkeypatch.setattr(delimited._Lines, "__next__", counted)
    data = b"id,text\n" + b'x,"""a\n' * 20_000
    read = read_bytes(data, tmp_path, name="a.csv")
    assert not read.documents
    assert sum(taken) < (1 << 18) + 12 * len(data)


def test_a_row_that_is_too_large_costs_itself(tmp_path: Path) -> None:
    data = b'id,text\n0,a\n1,"' + b"line\n" * 50_000 + b'"\n2,' + b"b" * 300_000 + b"\n3,c\n"
    read = read_bytes(data, tmp_path, ReadingSettings(max_record_bytes=100_000), "a.csv")
    assert read.texts[0] == "a"
    assert read.texts[-1] == "c"
    assert "too_large" in read.errors


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_spreadsheets_write_other_encodings(encoding: str, tmp_path: Path) -> None:
    data = "id\ttext\r\n1\tDie Mühle\r\n".encode(encoding)
    assert read_bytes(gz(data), tmp_path, name="a.tsv.gz").texts == ["Die Mühle"]


def test_a_file_without_the_column_says_so(tmp_path: Path) -> None:
    read = read_bytes(b"id,body\n1,a\n", tmp_path, name="a.csv")
    assert read.errors == ["no_text"]
    assert "'body', 'id'" in read.quarantine[0]["message"]
