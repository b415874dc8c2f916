"""What is cut out of documents is what a naive program over all of them cuts."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.dedup import substrings
from curation.dedup.pieces import keys_by_partition, repeated_keys, sort_places
from curation.dedup.settings import Pieces
from curation.engine.driver import curate
from curation.job import Execution
from curation.kernels.cuts import Parts, cut_parts, restore_parts
from curation.kernels.piece_bounds import LINES, PARAGRAPHS, SENTENCES, find_pieces
from curation.kernels.substrings import RUN_WIDTH, parts_of_substrings, span_keys
from curation.recipes.tables import make_recipe
from curation.release.ledger import Ledger
from curation.release.lookup import Lookup
from curation.reports.explain import explain
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job
from schemas import CUTS
from schemas.errors import UserError
from tests.curation.dedup.naive_pieces import SPLIT, Cut, cut_pieces, cut_substrings
from tests.doubling import assert_linear

UNITS = {"line": LINES, "paragraph": PARAGRAPHS, "sentences": SENTENCES}
CHARACTERS = st.one_of(
    st.sampled_from("ab .!?\n\r\u3002\u2026\u00e9\u2028\u201d)\x1c\x85\U0001f600"), st.characters(codec="utf-8")
)
TEXTS = st.lists(st.text(CHARACTERS, max_size=30), max_size=5)
PART = st.sampled_from(
    ["A mill. ", "Grind!", "\n", "\n\n", " \n ", "Ga\u0308nse? ", "\u6c34\u8f66\u3002", "x", "\u2003", "-" * 40]
)
BLOCK = st.sampled_from(["ab" * 9, "\u6c34\u8f66" * 4, "x", "\U0001f600" * 5, "The mill turns.", "turns", "\u00e9"])
REPEATED = st.builds(lambda part, times: part * times, st.text(CHARACTERS, min_size=1, max_size=9), st.integers(2, 12))
DOCUMENTS = st.lists(st.lists(PART, max_size=12).map("".join), min_size=1, max_size=6)
SETTINGS = st.builds(
    Pieces,
    unit=st.sampled_from(["line", "paragraph", "sentences"]),
    copies=st.integers(1, 3),
    min_characters=st.sampled_from([1, 1, 6, 14]),
) | st.builds(Pieces, unit=st.just("substring"), min_bytes=st.sampled_from([8, 9, 12, 16, 21]))


class Sizes(NamedTuple):
    """How much finding substrings took: keys, spans, bytes sent and answered, and cuts."""

    keys: int
    spans: int
    sent: int
    answered: int
    cuts: int


@given(TEXTS)
def test_pieces_are_those_of_a_naive_program(texts: list[str]) -> None:
    column = pa.array(texts, pa.large_string())
    for unit, number in UNITS.items():
        found = find_pieces(column, number)
        expected = [(row, *span) for row, text in enumerate(texts) for span in SPLIT[unit](text)]
        starts = [len(texts[row][:start].encode()) for row, start, _ in expected]
        ends = [len(texts[row][:end].encode()) for row, _, end in expected]
        assert found.text.tolist() == [row for row, _, _ in expected]
        assert found.start.tolist() == starts
        assert found.end.tolist() == ends
        assert found.characters.tolist() == [end - start for _, start, end in expected]
        contents = [texts[row][start:end] for row, start, end in expected]
        hashes = list(zip(found.high.tolist(), found.low.tolist(), strict=True))
        assert len(set(zip(contents, hashes, strict=True))) == len(set(contents)) == len(set(hashes))


def run(folder: Path, texts: list[str], pieces: Pieces, output: str = "out", **how: Any) -> tuple[Path, Ledger]:
    """Cuts documents, in units of a few, without any other deduplication."""
    source = folder / "in.jsonl"
    if not source.exists():
        source.write_text("".join(json.dumps({"text": text, "id": str(i)}) + "\n" for i, text in enumerate(texts)))
    changes = ["dedup.exact=false", "near=false", "normalise=false", "unit_bytes=100", f"pieces.unit={pieces.unit}"]
    own = ("min_bytes",) if pieces.unit == "substring" else ("copies", "min_characters")
    changes += [f"pieces.{name}={getattr(pieces, name)}" for name in own]
    job = make_job([Input(glob=str(source))], "none", changes)
    return folder / output, curate(job, str(folder / output), Execution(**{"workers": 0, **how}))


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    return ds.dataset(sorted(folder.glob(f"{table}/**/*.parquet"))).to_table().to_pylist()  # type: ignore[no-any-return]


@settings(deadline=None, max_examples=4)
@given(texts=DOCUMENTS, pieces=SETTINGS)
def test_a_run_cuts_what_a_naive_program_cuts(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], pieces: Pieces
) -> None:
    compare(tmp_path_factory, texts, pieces)


@pytest.mark.soak
@settings(deadline=None, max_examples=150)
@given(texts=DOCUMENTS, pieces=SETTINGS)
def test_many_runs_cut_what_a_naive_program_cuts(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], pieces: Pieces
) -> None:
    compare(tmp_path_factory, texts, pieces)


def compare(tmp_path_factory: pytest.TempPathFactory, texts: list[str], pieces: Pieces) -> None:
    """Compares what a run cuts with what the naive program cuts."""
    texts = [text if text.strip() else f"{text}mill" for text in texts]
    folder, ledger = run(tmp_path_factory.mktemp("pieces"), texts, pieces)
    left, cuts = cut_substrings(texts, pieces.min_bytes) if pieces.unit == "substring" else cut_pieces(texts, pieces)
    kept = {int(row["doc_id"]): row["text"] for row in rows(folder, "documents")}
    assert kept == {number: text for number, text in enumerate(left) if text.strip()}
    emptied = [row for row in rows(folder, "rejects") if row["stage"] == "pieces"]
    assert {int(row["doc_id"]): row["text"] for row in emptied} == {
        number: texts[number] for number, text in enumerate(left) if not text.strip()
    }
    assert {row["reason"] for row in emptied} <= {"nothing_left"}
    found = rows(folder, "cuts")
    assert [in_characters(row, texts) for row in found] == cuts
    assert [row["text"] for row in found] == [texts[cut.text][cut.start : cut.end] for cut in cuts]
    sizes = sum(row["end"] - row["start"] for row in found)
    assert list(ledger.cut.values()) == ([(len({cut.text for cut in cuts}), sizes, len(cuts))] if cuts else [])
    restored = restore_parts(
        pa.array(left, pa.large_string()),
        pa.array([cut.text for cut in cuts], pa.int64()).to_numpy(),
        pa.array([row["start"] for row in found], pa.int64()).to_numpy(),
        pa.array([row["text"] for row in found], pa.large_string()),
    )
    assert restored.to_pylist() == texts
    for file in folder.glob("cuts/*.parquet"):
        for batch in ds.dataset(file).to_table().to_batches():
            CUTS.check(batch)


@pytest.mark.parametrize("other", [0, 3])
def test_explain_compares_a_duplicate_with_the_whole_text_of_its_survivor(tmp_path: Path, other: int) -> None:
    """The survivor loses a first line or, of three documents with a line each, all lines."""
    lines = [" ".join(f"{name}{i}" for i in range(30)) for name in "abc"]
    texts = [*lines[:other], "\n".join(lines), "\n".join([*lines, "and a last line of its own"])]
    texts[:0] = [] if other else [lines[0]]
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps({"text": text, "id": str(i)}) + "\n" for i, text in enumerate(texts)))
    job = make_job([Input(glob=str(source))], "none", ["normalise=false", "pieces.unit=line"])
    curate(job, str(tmp_path / "out"), Execution(workers=0))
    lookup = Lookup(str(tmp_path / "out"))
    [row] = lookup.find(str(len(texts) - 1))
    said = list(explain(lookup, row))
    changed = [line for line in said if line.startswith(("  +", "  -"))]
    assert changed[2:] == ["  +and a last line of its own"]
    assert any(line.startswith("  Nothing was left of") for line in said) == bool(other)


def in_characters(row: dict[str, Any], texts: list[str]) -> Cut:
    """A row of CUTS with places in characters."""
    own, first = int(row["doc_id"]), int(row["first_doc_id"])

    def place(text: str, at: int) -> int:
        return len(text.encode()[:at].decode())

    return Cut(
        own,
        place(texts[own], row["start"]),
        place(texts[own], row["end"]),
        first,
        place(texts[first], row["first_start"]),
    )


@pytest.mark.parametrize("part", ["A. ", "a\n", "\n", " ", "a", "-" * 249 + "x", ("ab" * 140 + "abc" * 90) * 2])
def test_finding_takes_time_in_proportion_to_the_text(part: str) -> None:
    def find(texts: pa.LargeStringArray) -> None:
        for unit in UNITS.values():
            find_pieces(texts, unit)
        span_keys(texts, 500)

    find(pa.array([part], pa.large_string()))
    assert_linear(find, lambda size: pa.array([part * (size // len(part))], pa.large_string()), 60_000, floor=0.01)


def substring_cuts(texts: list[str], least: int) -> tuple[Parts, Sizes]:
    """The parts that are cut from the texts of one unit, without a run, and how much that took."""
    column, rows = pa.array(texts, pa.large_string()), np.arange(len(texts))
    keys = span_keys(column, least)
    often = [blob for _, sent in keys_by_partition(0, keys, 1, 3) for _, blob in repeated_keys([sent], 1)]
    spans = sort_places(substrings.spans(0, rows, column, np.sort(np.frombuffer(b"".join(often), np.uint64)), least))
    by_partition: dict[int, list[bytes]] = {}
    for partition, blob in substrings.window_entries(rows, column, substrings.distinct_spans(spans), least, 3):
        by_partition.setdefault(partition, []).append(blob)
    answers = [blob for blobs in by_partition.values() for _, blob in substrings.matches(blobs)]
    cuts = substrings.cuts(spans, np.frombuffer(b"".join(answers), np.uint64).reshape(-1, RUN_WIDTH), least)
    row, start, end, first, first_start = np.ascontiguousarray(cuts.T).astype(np.int64)
    asked = Parts(row, start, end, np.arange(len(cuts)))
    parts = parts_of_substrings(column, asked, first, first_start)
    sent = sum(len(blob) for blobs in by_partition.values() for blob in blobs)
    return parts, Sizes(len(keys), len(spans), sent, sum(map(len, answers)), len(cuts))


@given(texts=st.lists(st.lists(BLOCK | REPEATED, max_size=8).map("".join), max_size=6), least=st.integers(8, 24))
def test_substrings_are_those_of_a_naive_program(texts: list[str], least: int) -> None:
    parts, _ = substring_cuts(texts, least)
    left, cuts = cut_substrings(texts, least)
    assert cut_parts(pa.array(texts, pa.large_string()), parts).to_pylist() == left
    places = [(each.text, *(len(texts[each.text][:at].encode()) for at in (each.start, each.end))) for each in cuts]
    assert list(zip(*(column.tolist() for column in parts[:3]), strict=True)) == places


@pytest.mark.parametrize("period", [1, 2, 100, 250, 499, 700])
@pytest.mark.parametrize("count", [1, 40])
def test_periodic_texts_cost_little(period: int, count: int) -> None:
    """Texts of several lengths that begin anywhere in the period. The numbers of keys, spans and cuts do not grow
    faster than the text by the least length, nor what is sent and answered with the text."""
    least, size = 500, 20_000
    unit = "".join(map(chr, np.random.default_rng(period).choice(np.arange(0x41, 0x7B), period)))
    texts = [(unit * (size // period + 3))[each * 37 % period :][: size + each // 2] for each in range(count)]
    total = sum(map(len, texts))
    parts, sizes = substring_cuts(texts, least)
    assert total - int((parts.end - parts.start).sum()) < 2 * (least + period)
    assert len(parts.text) <= sizes.cuts <= 2 * total / least + count
    assert sizes.keys <= 12 * total / least
    assert sizes.spans <= 12 * total / least
    assert sizes.sent + sizes.answered <= 64 * count * (period + 2 * least) + 400 * total / least


def test_a_run_beside_other_text_is_cut_but_for_its_first_window() -> None:
    texts = [f"before{'-' * 5000}behind{'-' * 7000}", f"{'-' * 3000}x"]
    parts, _ = substring_cuts(texts, 500)
    left, cuts = cut_substrings(texts, 500)
    assert cut_parts(pa.array(texts, pa.large_string()), parts).to_pylist() == left
    assert list(zip(parts.text, parts.start, parts.end, strict=True)) == [(c.text, c.start, c.end) for c in cuts]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("pieces.copies=0", "pieces.copies is 0: give 1 to 1,000"),
        ("pieces.sentences=2", "pieces.sentences is only for pieces.unit = sentences, not line"),
        ("pieces.min_bytes=90", "pieces.min_bytes is only for pieces.unit = substring, not line"),
        ("pieces.unit=word", "pieces.unit cannot be 'word'"),
    ],
)
def test_wrong_settings_are_refused(change: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_job([Input(glob="*.jsonl")], "none", ["pieces.unit=line", change])


def test_pieces_outside_of_their_table_are_refused_with_the_right_name() -> None:
    with pytest.raises(UserError, match=r"write it as dedup\.pieces"):
        make_recipe("own", {"pieces": {"unit": "line"}})
