"""What is taken down: a host is known however it is written, and what is none is refused."""

from pathlib import Path

import pytest

from curation.errors import UserError
from curation.selection import Selection
from tests.curation.test_laws import rows
from tests.curation.test_takedown import STRICT, run, take, text, write

HOSTS = [
    ("mill.example", ["0", "1"]),
    ("https://MILL.example:8080/", ["0", "1"]),
    (".mill.example.", ["0", "1"]),
    ("//www.mill.example", ["1"]),
    ("bücher.example", ["2", "3"]),
    ("xn--bcher-kva.example", ["2", "3"]),
]


@pytest.mark.parametrize(("host", "expected"), HOSTS)
def test_a_host_is_found_however_it_is_written(tmp_path: Path, host: str, expected: list[str]) -> None:
    urls = ["mill.example/x//y", "http://www.mill.example:80/", "http://xn--bcher-kva.example/", "BÜCHER.example/1"]
    write(tmp_path / "in", [[(text(10 * number), url) for number, url in enumerate([*urls, "http://else.example/"])]])
    released = run(tmp_path / "in", tmp_path / "released", STRICT)
    take(released, Selection.of(hosts=[host]), tmp_path / "new")
    down = [row["doc_id"] for row in rows(tmp_path / "new", "rejects/filters")]
    assert down == [f"0-{number}" for number in expected]


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("*.mill.example", "hosts are named without \\*"),
        ("https://mill.example/page", "is more than a host: name mill.example, or list a page"),
        ("mill.example?q", "is more than a host"),
        ("mill.example/x//y", "is more than a host"),
        ("http://mill.example/x//", "is more than a host"),
        ("ann@mill.example", "is more than a host"),
        ("http://", "is no host: give hosts"),
        ("http://[broken", "is no host: give hosts"),
    ],
)
def test_what_is_no_host_is_refused(host: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        Selection.of(hosts=["fine.example", host])
