"""Lists of what is to be taken down, as they are written."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.jobs.calling import call

ODD = " a", "#b", "c\u2028d", "e"


def test_a_list_of_ids_is_taken_as_it_is_and_other_lists_without_comments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, out, listed = tmp_path / "in.jsonl", tmp_path / "out", tmp_path / "listed.txt"
    documents = [{"id": name, "text": f"word {n}", "url": f"http://m{n}.example/"} for n, name in enumerate(ODD)]
    read.write_text("".join(json.dumps(document) + "\n" for document in documents))
    assert call("curate", "--recipe", "none", "--input", read, "--output", out, monkeypatch=monkeypatch) == 0
    listed.write_bytes("\ufeff a\r\n#b\r\n\nc\u2028d\n".encode())
    assert call("takedown", out, "--doc-id", listed, "--output", tmp_path / "less", monkeypatch=monkeypatch) == 0
    assert pq.read_table(tmp_path / "less/documents")["doc_id"].to_pylist() == ["e"]
    listed.write_bytes("\ufeff m0.example \r\n# m3.example\n\nm2.example\n".encode())
    assert call("takedown", out, "--host", listed, "--output", tmp_path / "other", monkeypatch=monkeypatch) == 0
    assert pq.read_table(tmp_path / "other/documents")["doc_id"].to_pylist() == ["#b", "e"]
    listed.write_text("e\n" + "".join(f"no{number}\n" for number in range(8)))
    capsys.readouterr()
    for _ in range(2):
        assert call("takedown", out, "--doc-id", listed, "--output", tmp_path / "third", monkeypatch=monkeypatch) == 0
        told = "not found: 8 of the 9 documents asked for: no0, no1, no2, no3, no4 and 3 more, see not_found/doc_id.txt"
        assert told in capsys.readouterr().out
    assert (tmp_path / "third/not_found/doc_id.txt").read_text().split() == [f"no{number}" for number in range(8)]
