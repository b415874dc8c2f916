"""The tables of ``gristmill look``: each filter chooses the rows of its definition, in the order of the files."""

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.filters.hosts import host_of, hosts_of
from curation.release.lookup import Lookup
from jobs.corpus.look_pages import Pages
from jobs.corpus.look_tables import START, CorpusTables, Place, Wanted
from schemas.errors import UserError
from tests.jobs.look.corpus import QUOTES, Rows, shards
from tests.jobs.test_evaluation_report import EVIL


def agrees(row: dict[str, Any], wanted: Wanted) -> bool:
    """The definition of a filter, in Python."""
    host = "" if row["url"] is None else host_of(row["url"])
    return (
        all(
            getattr(wanted, name) in (None, row.get(name))
            for name in ("stage", "reason", "source", "language", "doc_id")
        )
        and (wanted.host is None or f".{host}".endswith(f".{wanted.host}"))
        and (wanted.text is None or wanted.text.lower() in (row["text"] or "").lower())
    )


TEXTS = st.sampled_from(
    ["NUMBER 1", "the MILL", QUOTES, "%", "_", "'", '"', "\\", "?", "$1", EVIL, "\0", "{", "number 5"]
)


@pytest.fixture(scope="module")
def compare(tables: CorpusTables, rows: Rows) -> Callable[[Wanted], None]:
    """Asserts that the wanted rows are those of the definition, in their order."""

    def run(wanted: Wanted) -> None:
        expected = [row["doc_id"] for row in rows[wanted.table] if agrees(row, wanted)]
        assert ids(tables, wanted) == expected
        assert tables.count(wanted) == len(expected)

    return run


def ids(tables: CorpusTables, wanted: Wanted) -> list[str]:
    """The ids on all pages of the wanted rows."""
    found: list[str] = []
    start: Place | None = START
    while start is not None:
        part = tables.page(wanted, start)
        found += [row["doc_id"] for _, row in part.rows]
        start = part.next
    return found


@settings(max_examples=30)
@given(
    wanted=st.builds(
        Wanted,
        table=st.sampled_from(["documents", "rejects"]),
        stage=st.sampled_from([None, None, "exact", "language", QUOTES]),
        source=st.sampled_from([None, EVIL, "web", QUOTES]),
        host=st.sampled_from([None, "mill.example", "example", "xn--bcher-kva.example", "l.example", QUOTES]),
        doc_id=st.sampled_from([None, None, None, f"short 1 5 {QUOTES}", QUOTES]),
        text=st.none() | TEXTS,
    ).filter(lambda wanted: wanted.table == "rejects" or wanted.stage is None)
)
def test_filters_choose_the_rows_of_their_definition(wanted: Wanted, compare: Callable[[Wanted], None]) -> None:
    compare(wanted)


def test_rows_of_many_files_stay_in_order(tmp_path: Path) -> None:
    """Row groups that two threads read at once, of which the later ones are done sooner."""
    paths = []
    for number in range(6):
        size = 20_000 if number % 2 == 0 else 50
        names = [f"{number}-{n}" for n in range(size)]
        columns = {"doc_id": names, "url": [None] * size, "source": ["s"] * size, "language": ["en"] * size}
        types = {"url": pa.string()}
        table = pa.table(
            {**{name: pa.array(values, types.get(name)) for name, values in columns.items()}, "text": names}
        )
        paths.append(str(tmp_path / f"{number}.parquet"))
        pq.write_table(table, paths[-1], row_group_size=2_500)
    wanted = Wanted(text="77")
    expected = [name for path in paths for name in pq.read_table(path)["doc_id"].to_pylist() if "77" in name]
    with closing(CorpusTables("corpus", {"documents": paths, "rejects": []})) as tables:
        found = ids(tables, wanted)
        assert tables.page(Wanted(table="rejects")).rows == []
        assert tables.count(Wanted(table="rejects")) == 0
    assert found == expected


def test_a_corpus_larger_than_the_memory_is_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """100 MB of texts in 64 MB: each page, and the count for a host, which calls Python for each url."""
    monkeypatch.setattr("jobs.corpus.look_tables.MEMORY", "64MB")
    draw, paths = np.random.default_rng(0), []
    for number in range(4):
        names = [f"{number}-{n}" for n in range(100)]
        letters = draw.integers(97, 123, (100, 250_000), np.uint8)
        table = pa.table(
            {
                "doc_id": names,
                "url": [f"http://h{n}.example/" for n in range(100)],
                "source": ["s"] * 100,
                "language": ["en"] * 100,
                "text": [
                    f"{name} {row.tobytes().decode()} end of {name}." for name, row in zip(names, letters, strict=True)
                ],
            }
        )
        paths.append(str(tmp_path / f"{number}.parquet"))
        pq.write_table(table, paths[-1], row_group_size=20, compression="zstd")
    with closing(CorpusTables("corpus", {"documents": paths, "rejects": []})) as tables:
        assert ids(tables, Wanted()) == [f"{number}-{n}" for number in range(4) for n in range(100)]
        assert ids(tables, Wanted(text="END OF 2-30.")) == ["2-30"]
        assert ids(tables, Wanted(host="h7.example")) == [f"{number}-7" for number in range(4)]
        assert tables.count(Wanted(host="h7.example")) == 4
        row = tables.row("documents", Place(3, 99))
        assert row is not None
        assert row["text"].endswith("end of 3-99.")


def test_a_damaged_file_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    lookup = Lookup(str(copy))
    [shard] = shards(lookup, "documents")
    content = bytearray(Path(shard).read_bytes())
    for damaged in (slice(4, len(content) // 2), slice(len(content) // 2, len(content))):
        broken = bytearray(content)
        broken[damaged] = bytes(reversed(content[damaged]))
        Path(shard).write_bytes(broken)
        with closing(CorpusTables.of(lookup)) as tables, pytest.raises(UserError, match="gristmill verify"):
            Pages(lookup, tables).list({"text": "mill"})


def test_closing_ends_a_running_query(lookup: Lookup, monkeypatch: pytest.MonkeyPatch) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow_hosts(urls: pa.Array) -> pa.Array:
        started.set()
        assert go_on.wait(60)
        return hosts_of(urls)

    monkeypatch.setattr("jobs.corpus.look_tables.hosts_of", slow_hosts)
    tables = CorpusTables.of(lookup)
    with ThreadPoolExecutor() as pool:
        counted = [pool.submit(tables.count, Wanted(host="mill.example")) for _ in range(3)]
        assert started.wait(60)
        closed = pool.submit(tables.close)
        go_on.set()
        closed.result(60)
        for each in counted:
            assert isinstance(each.exception(60), UserError | None)
    with pytest.raises(UserError, match="is ending"):
        tables.count(Wanted())


def test_duckdb_reaches_nothing_but_the_corpus(tables: CorpusTables, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    for sql in (
        f"SELECT * FROM read_text('{tmp_path}/secret')",
        f"COPY (SELECT 1) TO '{tmp_path}/written'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
    ):
        with pytest.raises(duckdb.Error):
            tables._database.execute(sql)
    assert not (tmp_path / "written").exists()


def test_documents_open_in_duckdb(folder: Path, rows: Rows) -> None:
    pattern = str(folder / "documents" / "*.parquet").replace("[", "[[]").replace("out[[]1]*", "out[[]1][*]")
    with closing(duckdb.connect()) as database:
        opened = database.sql("SELECT * FROM read_parquet(?)", params=[pattern]).to_arrow_table().to_pylist()
    assert opened == rows["documents"]
