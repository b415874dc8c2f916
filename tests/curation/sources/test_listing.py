"""Files in one order whatever the file system says, and units that share them out without gap or overlap."""

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.errors import InputError
from curation.sources import listing
from curation.sources.listing import Input, InputFile, Part, list_files, plan_units
from tests.curation.sources.made import lines


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b/2.txt", "a/1.txt", "a/x.jsonl", ".hidden/3.txt", "a/.part", "c.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return tmp_path


def _names(*inputs: str) -> list[str]:
    return [file.name for file in list_files([Input(one) for one in inputs])]


def test_a_folder_a_file_and_a_glob(tree: Path) -> None:
    assert _names(str(tree)) == ["a/1.txt", "a/x.jsonl", "b/2.txt", "c.txt"]
    assert _names(str(tree / "c.txt")) == ["c.txt"]
    assert _names(f"{tree}/*/*.txt") == ["a/1.txt", "b/2.txt"]
    assert _names(f"{tree}/**/*.txt") == ["a/1.txt", "b/2.txt", "c.txt"]
    assert _names(f"file://{tree}/a/*.txt") == ["1.txt"]


def test_files_carry_their_place_and_source(tree: Path) -> None:
    files = list_files([Input(f"{tree}/a/*", source="books"), Input(str(tree))])
    assert [file.index for file in files] == [0, 1, 2, 3]
    assert {file.name: file.source for file in files} == {
        "1.txt": "books",
        "x.jsonl": "books",
        "b/2.txt": None,
        "c.txt": None,
    }
    assert all(file.size == os.stat(file.path).st_size for file in files)


def test_the_order_of_a_listing_does_not_matter(tree: Path) -> None:
    expected = list_files([Input(f"{tree}/**/*.txt")])
    with patch.object(listing, "glob", lambda *args, **kwargs: sorted(map(str, tree.rglob("*.txt")), reverse=True)):
        files = list_files([Input(f"{tree}/**/*.txt")])
    assert [file for file in files if ".hidden" not in file.path] == [
        replace(file, index=file.index + sum(".hidden" in one.path for one in files)) for file in expected
    ]


def test_files_of_one_name_get_different_names(tree: Path) -> None:
    (tree / "b" / "1.txt").write_text("")
    assert _names(f"{tree}/a/1.txt", f"{tree}/b/1.txt") == ["a/1.txt", "b/1.txt"]


def test_other_file_systems(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe({"/corpus/b.jsonl": b"b", "/corpus/deep/a.jsonl": b"aa"})
    files = list_files([Input("memory://corpus/**/*.jsonl")])
    assert [(file.name, file.size) for file in files] == [("b.jsonl", 1), ("deep/a.jsonl", 2)]
    assert _names("memory://corpus") == ["b.jsonl", "deep/a.jsonl"]
    memory.rm("/corpus", recursive=True)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{tree}/nothing-*.jsonl", "no file matches"),
        ("{tree}/missing.jsonl", "no file matches"),
        ("memory://nowhere/*.gz", "no file matches"),
        ("nosuchscheme://bucket/*.gz", "neither fsspec nor Beam knows it"),
    ],
)
def test_mistakes_are_told_in_one_sentence(pattern: str, message: str, tree: Path) -> None:
    with pytest.raises(InputError, match=message) as error:
        list_files([Input(pattern.format(tree=tree))])
    assert "\n" not in str(error.value)


def test_no_permission_is_told(tree: Path) -> None:
    refusing = patch.object(os, "access", lambda path, mode: not path.endswith("c.txt"))
    with refusing, pytest.raises(InputError, match=r"c\.txt' may not be read"):
        list_files([Input(str(tree))])


FILES = st.lists(st.integers(0, 500), max_size=30).map(
    lambda sizes: [InputFile(n, f"/none/{n}", str(n), size, None) for n, size in enumerate(sizes)]
)


@given(FILES, st.integers(1, 600))
def test_units_share_the_files_out(files: list[InputFile], unit_bytes: int) -> None:
    with patch.object(listing, "_parts", lambda file, unit_bytes: [Part(file)]):
        units = plan_units(files, unit_bytes)
    assert [part for unit in units for part in unit.parts] == [Part(file) for file in files]
    assert [unit.index for unit in units] == list(range(len(units)))
    for unit in units:
        size = sum(part.file.size for part in unit.parts)
        assert size <= unit_bytes or len(unit.parts) == 1
    for one, two in pairwise(units):
        assert sum(part.file.size for part in one.parts) + two.parts[0].file.size > unit_bytes or len(one.parts) == 1


def test_a_large_plain_file_is_cut_into_equal_ranges(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    path.write_bytes(lines(*({"text": "word " * 20} for _ in range(100))))
    [file] = list_files([Input(str(path))])
    parts = [unit.parts[0] for unit in plan_units([file], 1000)]
    assert parts[0].start == 0
    assert parts[-1].end is None
    assert all(one.end == two.start for one, two in pairwise(parts))
    sizes = [(part.end or file.size) - part.start for part in parts]
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= 1000
