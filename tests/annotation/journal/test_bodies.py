"""Bodies that Gristmill wrote are read as records and written as the same bytes; others are refused by name."""

import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotation.journal.bodies import AnnotationRow, Batch, Settings, read, read_annotation, write, write_annotation
from schemas.errors import DamagedError
from tests.architecture.tree import ROOT

STORED = ROOT / "tests/stored/version_0.1.0.tar.xz"
AGAIN: dict[str, Callable[[bytes], bytes]] = {
    "campaign": lambda body: write(read(str, body, "id")),
    "settings": lambda body: write(read(Settings, body, "settings"), sort=True),
    "annotator": lambda body: write(read(str, body, "annotator")),
    "batch": lambda body: write(read(Batch, body, "batch")),
    "withdrawn": lambda body: write(read(bool, body, "withdrawn")),
    "annotation": lambda body: write_annotation(read_annotation(body, "annotation")),
}
ROW = AnnotationRow("t1", "00", "ann@mill.example", None, 1, 2, {"id": 3, "was_cancelled": False})


def test_what_an_earlier_version_wrote_is_written_as_the_same_bytes(tmp_path: Path) -> None:
    with tarfile.open(STORED) as archive:
        archive.extractall(tmp_path, filter="data")
    seen = set()
    for path in (tmp_path / "mill/campaign.db", tmp_path / "guard/campaign.db"):
        with sqlite3.connect(path) as journal:
            for kind, body in journal.execute("SELECT kind, body FROM journal"):
                if kind in AGAIN:
                    seen.add(kind)
                    assert AGAIN[kind](body) == body
        journal.close()
    assert seen == AGAIN.keys()


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"uid": 7}, "uid is not a text"),
        ({"shown": None}, "shown is not a text"),
        ({"task": "2"}, "task is not a whole number"),
        ({"annotation": []}, "annotation is not a table"),
    ],
)
def test_an_annotation_that_is_not_as_it_was_written_is_refused(changes: dict[str, Any], wrong: str) -> None:
    assert read_annotation(write_annotation(ROW), "here") == read(AnnotationRow, write_annotation(ROW), "here") == ROW
    with pytest.raises(DamagedError, match=f"^here: {wrong}"):
        read_annotation(write({**vars(ROW), **changes}), "here")
    with pytest.raises(DamagedError, match=r"^here lacks"):
        read_annotation(b"{}", "here")


def test_wrong_lengths_and_invalid_json_are_refused() -> None:
    with pytest.raises(DamagedError, match="is not a list of 2"):
        read(tuple[str, float], b'["a"]', "here")  # type: ignore[arg-type]
    with pytest.raises(DamagedError, match="here is not JSON"):
        read(Settings, b"{", "here")
