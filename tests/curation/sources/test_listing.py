"""Files in one order whatever the file system says, and units that share them out without gap or overlap."""

import os
import socket
import zipfile
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.sources import local_matches
from curation.sources.inputs import Input, InputFile, Span
from curation.sources.listing import list_files, list_input, named_input
from curation.sources.units import plan_units
from schemas.errors import InputError, RunError
from tests.curation.sources.made import lines, read_spans


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
    listdir = os.listdir
    with (
        patch.object(os, "listdir", lambda folder: listdir(folder)[::-1]),
        patch.object(local_matches, "sorted", list, create=True),
    ):
        assert list_files([Input(f"{tree}/**/*.txt")]) == expected


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
def test_mistakes_are_reported_in_one_sentence(pattern: str, message: str, tree: Path) -> None:
    with pytest.raises(InputError, match=message) as error:
        list_files([Input(pattern.format(tree=tree))])
    assert "\n" not in str(error.value)


def test_no_permission_is_reported(tree: Path) -> None:
    refusing = patch.object(os, "access", lambda path, mode: not path.endswith("c.txt"))
    with refusing, pytest.raises(InputError, match=r"no permission to read the input file '.*c\.txt'"):
        list_files([Input(str(tree))])


def _listed(pattern: Path | str, follow_links: bool = False) -> tuple[list[str], list[str]]:
    """The names that an input lists, and the notes on what it skips."""
    found = list_input([Input(str(pattern))], follow_links)
    return [file.name for file in found.files], list(found.skipped)


@pytest.mark.parametrize("pattern", ["", "/**/*.txt", "/**"])
def test_a_loop_of_links_is_read_once(tree: Path, pattern: str) -> None:
    (tree / "a" / "up").symlink_to("..")
    (tree / "b" / "round").symlink_to(tree / "b")
    names, skipped = _listed(f"{tree}{pattern}")
    assert [name for name in names if name.endswith(".txt")] == ["a/1.txt", "b/2.txt", "c.txt"]
    assert skipped == []


def test_many_links_take_no_longer_than_their_number(tree: Path) -> None:
    for n in range(20):
        for side in ("left", "right"):
            (tree / "a" / f"{side}{n}").symlink_to("..")
    assert _listed(f"{tree}/**/*.txt")[0] == ["a/1.txt", "b/2.txt", "c.txt"]


def test_a_linked_folder_below_the_input_is_read_under_its_own_name(tree: Path) -> None:
    (tree / "0").symlink_to("b")
    assert _listed(f"{tree}/*/2.txt")[0] == ["b/2.txt"]
    assert _listed(f"{tree}/0/*.txt")[0] == ["2.txt"]


def test_links_that_leave_the_input_are_followed_when_asked(tree: Path) -> None:
    (tree / "a" / "out").symlink_to(tree / "b")
    (tree / "a" / "c.txt").symlink_to(tree / "c.txt")
    names, skipped = _listed(tree / "a")
    assert names == ["1.txt", "x.jsonl"]
    assert len(skipped) == 2
    assert all(f"outside of {tree}/a)" in note for note in skipped)
    assert _listed(tree / "a", follow_links=True) == (["1.txt", "c.txt", "out/2.txt", "x.jsonl"], [])
    (tree / "a" / "1.txt").unlink()
    with pytest.raises(
        InputError, match=r"everything that the input .* matches was skipped: .*--follow-links follows links"
    ):
        _listed(tree / "a" / "*.txt")


def test_what_is_no_file_is_skipped_in_a_folder_and_refused_by_name(tree: Path) -> None:
    os.mkfifo(tree / "a" / "pipe")
    (tree / "a" / "gone").symlink_to("nothing")
    (tree / "a" / "self").symlink_to("self")
    (tree / "a" / "zero").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(tree / "a" / "socket"))
    names, skipped = _listed(tree / "a")
    assert names == ["1.txt", "x.jsonl"]
    told = {os.path.basename(note.partition(" (")[0]): note.partition(" (")[2].rstrip(")") for note in skipped}
    assert told == {
        "gone": "a broken link",
        "pipe": "a FIFO",
        "self": "a broken link",
        "socket": "a socket",
        "zero": "a device",
    }
    for path, what in ((tree / "a/pipe", "a FIFO"), ("/dev/zero", "a device"), (tree / "a/self", "a broken link")):
        with pytest.raises(InputError, match=f"is {what}"):
            _listed(path)


def test_braces_are_expanded_and_a_name_with_braces_is_a_name(tree: Path) -> None:
    assert _listed(f"{tree}/{{a,b}}/*.txt")[0] == ["a/1.txt", "b/2.txt"]
    assert _listed(f"{tree}/{{a,none}}/{{1,2}}*.txt")[0] == ["a/1.txt"]
    (tree / "{a,b}.txt").write_text("")
    assert _listed(f"{tree}/{{a,b}}.txt")[0] == ["{a,b}.txt"]


def test_a_path_in_braces_must_exist_and_a_wildcard_or_a_range_need_not_match(tree: Path) -> None:
    with pytest.raises(InputError, match=rf"no file matches '{tree}/a/2\.txt' of the input '.*': check the path"):
        _listed(f"{tree}/a/{{1,2}}.txt")
    (tree / "a" / "empty").mkdir()
    for pattern, unmatched in (
        ("a/{1,2*}.txt", ("a/2*.txt",)),
        ("a/{0..2}.txt", ("a/0.txt", "a/2.txt")),
        ("{a,b}/*.txt", ()),
        ("a/{1.txt,empty}", ("a/empty",)),
    ):
        found = list_input([Input(f"{tree}/{pattern}")])
        assert found.unmatched == tuple(f"{tree}/{each}" for each in unmatched)


def test_a_hive_folder_is_a_path_and_a_source_has_no_slash(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    (tree / "year=2024").mkdir()
    (tree / "year=2024" / "1.txt").write_text("")
    assert named_input("year=2024/*.txt") == Input("year=2024/*.txt")
    assert named_input("year=2024") == Input("year=2024")
    assert named_input("web=year=2024/*.txt") == Input("year=2024/*.txt", "web")
    assert named_input("web=a/*.txt") == Input("a/*.txt", "web")
    assert named_input("a/year=2023/*.txt") == Input("a/year=2023/*.txt")
    assert named_input("web=s3://bucket/year=2024/*") == Input("s3://bucket/year=2024/*", "web")
    assert named_input("s3://bucket/year=2024/*") == Input("s3://bucket/year=2024/*")
    with pytest.raises(InputError, match=r"'2023/\*\.txt', nor 'year=2023/\*\.txt': check"):
        list_files([named_input("year=2023/*.txt")])


def test_a_name_that_is_not_utf8_is_shown_with_escapes(tree: Path) -> None:
    path = os.fsencode(tree) + b"/bad\xff.txt"
    with open(path, "w") as file:
        file.write("a")
    [found] = list_files([Input(f"{tree}/bad*.txt")])
    assert (found.name, os.fsencode(found.path)) == (r"bad\xff.txt", path)
    with open(os.fsencode(tree) + rb"/bad\xff.txt", "w") as file:
        file.write("b")
    with pytest.raises(InputError, match="two input files would both be called"):
        list_files([Input(f"{tree}/bad*.txt")])


def test_chains_of_file_systems(tree: Path) -> None:
    with zipfile.ZipFile(tree / "texts.zip", "w") as archive:
        archive.writestr("deep/1.jsonl", lines({"text": "One."}))
        archive.writestr("2.jsonl", lines({"text": "Two."}))
    files = list_files([Input(f"zip://**/*.jsonl::{tree}/texts.zip")])
    assert [(file.name, file.path.partition("::")[0]) for file in files] == [
        ("2.jsonl", "zip://2.jsonl"),
        ("deep/1.jsonl", "zip://deep/1.jsonl"),
    ]
    assert read_spans([Span(file) for file in files]).texts == ["Two.", "One."]
    cached = list_files([Input(f"simplecache::file://{tree}/a/*.jsonl")])
    assert [file.name for file in cached] == ["x.jsonl"]
    assert read_spans([Span(file) for file in cached]).reports


def test_a_password_in_a_url_is_refused(tree: Path) -> None:
    with pytest.raises(InputError, match="contains a password") as error:
        list_files([Input("ftp://me:secret@mill.example/*.gz")])
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("change", [b"more", b""])
def test_a_file_that_changes_while_it_is_read_is_reported(tree: Path, change: bytes) -> None:
    path = tree / "big.jsonl"
    path.write_bytes(lines(*({"text": f"Stone {n}."} for n in range(10))))
    [file] = list_files([Input(str(path))])
    with path.open("ab") as more:
        more.write(change)
    os.utime(path, ns=(0, 0))
    with pytest.raises(RunError, match=r"changed while it was read .* run again into a new folder"):
        read_spans([Span(file)])


FILES = st.lists(st.integers(0, 500), max_size=30).map(
    lambda sizes: [InputFile(n, f"/none/{n}", str(n), size, None) for n, size in enumerate(sizes)]
)


@given(FILES, st.integers(1, 600))
def test_units_share_the_files_out(files: list[InputFile], unit_bytes: int) -> None:
    with patch("curation.sources.units._spans", lambda file, unit_bytes: [Span(file)]):
        units = plan_units(files, unit_bytes)
    assert [span for unit in units for span in unit.spans] == [Span(file) for file in files]
    assert [unit.index for unit in units] == list(range(len(units)))
    for unit in units:
        size = sum(span.file.size for span in unit.spans)
        assert size <= unit_bytes or len(unit.spans) == 1
    for one, two in pairwise(units):
        assert sum(span.file.size for span in one.spans) + two.spans[0].file.size > unit_bytes or len(one.spans) == 1


def test_a_large_plain_file_is_cut_into_equal_ranges(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    path.write_bytes(lines(*({"text": "word " * 20} for _ in range(100))))
    [file] = list_files([Input(str(path))])
    spans = [unit.spans[0] for unit in plan_units([file], 1000)]
    assert spans[0].start == 0
    assert spans[-1].end is None
    assert all(one.end == two.start for one, two in pairwise(spans))
    sizes = [(span.end or file.size) - span.start for span in spans]
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= 1000


def test_an_input_without_a_name_is_not_the_current_folder() -> None:
    with pytest.raises(InputError, match="an input has no name"):
        Input(glob="")
