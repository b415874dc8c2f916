"""A release that is damaged, or would be by what is asked, is refused; nothing goes in silence."""

import hashlib
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curation.engine.selection import Selection
from schemas.errors import UserError
from tests.curation.engine.test_takedown import PAGES, STRICT, run, take, text, write
from tests.curation.test_laws import digest


def test_shards_that_do_not_belong_together_are_seen(tmp_path: Path) -> None:
    write(tmp_path / "in", PAGES)
    released = run(tmp_path / "in", tmp_path / "released", STRICT)
    first, second, *_ = sorted((released / "documents").iterdir())
    shutil.copy(second, first)
    with pytest.raises(UserError, match=r"documents/00000\.parquet has [\d,]+ bytes, the manifest says"):
        take(released, Selection.of(["0-0"]), tmp_path / "new")
    assert not (tmp_path / "new").exists()
    to_the_files(released)
    with pytest.raises(UserError, match="do not belong together"):
        take(released, Selection.of(["0-0"]), tmp_path / "new")
    pq.write_table(pq.read_table(second).slice(0, 0), first)
    to_the_files(released)
    with pytest.raises(UserError, match="do not belong together"):
        take(released, Selection.of(["0-0"]), tmp_path / "newer")


def to_the_files(release: Path) -> None:
    """Makes the manifest tell the sizes and digests that the shards have, as somebody would who changed them."""
    manifest = json.loads((release / "manifest.json").read_text())
    for name, entry in manifest["outputs"].items():
        content = (release / name).read_bytes()
        entry |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (release / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("table", ["documents", "rejects/filters", "rejects/duplicates", "sketches", "signals"])
def test_a_shard_that_is_missing_is_reported_before_anything_is_written(tmp_path: Path, table: str) -> None:
    write(tmp_path / "in", PAGES)
    released = run(tmp_path / "in", tmp_path / "released", recipe="gopher")
    shutil.rmtree(released / table)
    with pytest.raises(UserError, match=rf"{table}/00000\.parquet is missing: restore the original folder"):
        take(released, Selection.of(["0-0"]), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_what_was_read_is_accounted_for_again(tmp_path: Path) -> None:
    write(tmp_path / "in", [[("", None), ("", None), (text(0), None)]])
    released = run(tmp_path / "in", tmp_path / "released", STRICT)
    shard = released / "rejects/filters/00000.parquet"
    assert pq.read_metadata(shard).num_rows == 2
    pq.write_table(pq.read_table(shard).slice(0, 1), shard)
    to_the_files(released)
    with pytest.raises(UserError, match="count different read records: restore the original folder"):
        take(released, Selection.of(["0-2"]), tmp_path / "new")
    assert not (tmp_path / "new/manifest.json").exists()


def test_no_output_lies_in_a_release(tmp_path: Path) -> None:
    write(tmp_path / "in", PAGES)
    released = run(tmp_path / "in", tmp_path / "released", STRICT)
    before = digest(released)
    (tmp_path / "link").symlink_to(released)
    for output in (released, released / "new", released / "documents/new", tmp_path / "link/new"):
        with pytest.raises(UserError, match="is inside the release"):
            take(released, Selection.of(["0-0"]), output)
    with pytest.raises(UserError, match="is inside the release"):
        run(tmp_path / "in", released / "new", STRICT, [released])
    assert digest(released) == before
    take(released, Selection.of(["0-0"]), tmp_path / "released-new")
