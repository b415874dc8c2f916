"""Every step of a recipe takes time and memory in proportion to a text, whatever it says."""

import json
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curation.dedup.settings import Near
from curation.dedup.sketch import signature_matrix, word_counts
from curation.filters.url import Url
from curation.judge import judge
from curation.recipe import STEPS, Recipe
from schemas import RECORDS
from tests.curation.hostile_texts import HOSTILE, ordinary
from tests.doubling import assert_linear
from tests.jobs.calling import GRAIN, call

EVERY = Recipe(
    name="every",
    steps=tuple(Url(domains=("mill.example",), words=("mill",)) if step is Url else step() for step in STEPS),
)
MOST_TIMES = 200
"""A hostile text takes at most so many times as long as an ordinary one of its size: a line with mojibake goes to ftfy,
which takes some 15 microseconds for the shortest."""
SIZE = 40_000


def work(text: str) -> None:
    """All that a text goes through: normalised, measured by every rule, rewritten, counted and signed."""
    columns = {"doc_id": "a", "text": text, "url": "https://mill.example/a", "source": "web", "file": "f"}
    batch = RECORDS.batch({name: [value] for name, value in {**columns, "offset": 0, "metadata": "{}"}.items()})
    judged = judge(batch, EVERY)
    signature_matrix(judged.original, Near())
    word_counts(judged.original)


@pytest.fixture(scope="module")
def seconds() -> float:
    """What an ordinary text of four sizes takes."""
    text = ordinary(4 * SIZE)
    work("é\u0301 Ã© 8.8.8.8 a@b.example 2001:4860::1")
    tries = []
    for _ in range(5):
        started = time.process_time()
        work(text)
        tries.append(time.process_time() - started)
    return min(tries)


@pytest.mark.parametrize("name", HOSTILE)
def test_time_grows_with_the_text_and_no_text_takes_much_longer_than_others(name: str, seconds: float) -> None:
    assert_linear(work, HOSTILE[name], SIZE)
    text = HOSTILE[name](4 * SIZE)
    tries = []
    for _ in range(5):
        started = time.process_time()
        work(text)
        tries.append(time.process_time() - started)
        if tries[-1] < MOST_TIMES * seconds:
            return
    raise AssertionError(f"{min(tries):.3f} s, an ordinary text of that size takes {seconds:.3f} s")


@pytest.mark.soak
@pytest.mark.parametrize("name", HOSTILE)
def test_two_megabytes_take_seconds_and_less_than_two_gigabytes(name: str) -> None:
    """10 s are the bar; a slow machine is given twice as much, where what is quadratic would take hours."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew: tests before this one had theirs
    before = memory("VmRSS:")
    started = time.process_time()
    work(HOSTILE[name](2_000_000))
    assert time.process_time() - started < 20
    assert memory("VmHWM:") - before < 2_000_000_000


def memory(name: str) -> int:
    """Bytes of this process: VmRSS are resident now, VmHWM were at the peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


@pytest.mark.parametrize(
    "text",
    ["a" + "\u0315\u0300" * 400_000, "@" * 1_000_000],
    ids=["marks", "at_signs"],
)
def test_a_run_goes_through_and_keeps_the_neighbours(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [{"id": "before", "text": GRAIN}, {"id": "hostile", "text": text}, {"id": "after", "text": f"{GRAIN} End."}]
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    out = tmp_path / "out"
    started = time.process_time()  # one by one, the marks would take minutes
    assert call("curate", "--input", tmp_path / "in.jsonl", "--output", out, "--set", "dedup.near=none",
                monkeypatch=monkeypatch) == 0  # fmt: skip
    assert time.process_time() - started < 30
    ids = {
        name: pq.read_table(out / name)["doc_id"].to_pylist() for name in ("documents", "rejects/filters", "signals")
    }
    assert ids == {
        "documents": ["before", "after"],
        "rejects/filters": ["hostile"],
        "signals": ["before", "hostile", "after"],
    }
