"""What no reader takes is refused by name before the run; what a job asks for is read as that."""

from pathlib import Path

import pytest

from curation.sources.inputs import Input, Span
from curation.sources.listing import list_files
from curation.sources.recognised import check_formats
from schemas.errors import InputError, UserError
from tests.curation.sources.made import gz, lines, read_spans, whole
from tests.curation.sources.test_contents import zipped
from tests.curation.sources.test_formats import FOREIGN


def _check(folder: Path, asked: str | None = None) -> None:
    check_formats(list_files([Input(str(folder), format=asked)]))


@pytest.mark.parametrize("what", FOREIGN)
def test_a_known_kind_is_named(what: str, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(FOREIGN[what])
    with pytest.raises(InputError, match=f"a.parquet \\({what}.*\\)\\. Leave it out, "):
        _check(tmp_path)


def test_an_unknown_kind_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("Some prose.\n")
    with pytest.raises(InputError) as refused:
        _check(tmp_path)
    assert str(refused.value) == (
        f"an input file is in a format that gristmill does not read: {tmp_path}/notes (unknown). "
        "Leave it out, with a glob such as 'DIR/**/*.jsonl', or say how to read it: --format text"
    )
    _check(tmp_path, "text")


def test_an_encrypted_zip_file_is_named(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.jsonl": lines({"text": "a"})}))
    data[6] |= 1
    data[data.rindex(b"PK\1\2") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.zip \(an encrypted zip file\)\. Leave it out, "):
        _check(tmp_path)


def test_many_files_are_counted(tmp_path: Path) -> None:
    for n in range(9):
        (tmp_path / f"{n}.dat").write_bytes(gz(b"Some prose.\n"))
    (tmp_path / "a.pdf").write_bytes(FOREIGN["a PDF document"])
    with pytest.raises(InputError, match=r"2\.dat and 6 more \(unknown\); .*a\.pdf \(a PDF document\)\. Leave them"):
        _check(tmp_path)


def test_what_is_read_passes(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Some prose.\n")
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / "a.jsonl.gz").write_bytes(gz(lines({"text": "a"}))[:-7])
    (tmp_path / "broken.jsonl.gz").write_bytes(b"\xff" * 100)
    (tmp_path / "broken.parquet").write_bytes(b"\xff" * 100)
    (tmp_path / "long first line.jsonl").write_bytes(lines({"text": "a" * 10_000}))
    _check(tmp_path)


def test_a_job_names_the_format(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"id;text\n1;The text.\n")
    [file] = list_files([Input(str(tmp_path), format="csv")])
    assert read_spans([whole(tmp_path / "a.txt")]).texts == ["id;text\n1;The text.\n"]
    assert read_spans([Span(file)]).texts == ["The text."]


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UserError, match="there is no format 'jsonlines': choose from parquet, arrow"):
        Input("a", format="jsonlines")
