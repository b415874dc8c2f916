"""A process uses no more memory than it may: a record that would take more goes to quarantine, its neighbours stay."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curation.engine import memory_limit
from curation.engine.budget import BASE_BYTES, WORKER_BYTES
from tests.jobs.calling import GRAIN

SCRIPT = """
from curation.engine.memory_limit import count_what_is_used, limited_memory
count_what_is_used()
import numpy as np, pyarrow as pa
from numba import njit
made = njit(lambda size: np.ones(size, np.uint8).sum())
made(10)
column = pa.array(["x" * 1000] * 1000)
def doubled():
    whole = column
    for _ in range(8):
        whole = pa.concat_arrays([whole, whole])
    return len(whole)
def refused(function, *arguments):
    try:
        function(*arguments)
    except MemoryError:
        return True
    return False
with limited_memory(100_000_000):
    print([refused(np.ones, 200_000_000, np.uint8), refused(made, 200_000_000), refused(bytearray, 200_000_000),
           refused(doubled), refused(np.ones, 20_000_000, np.uint8), refused(made, 20_000_000)])
print([refused(np.ones, 200_000_000, np.uint8), refused(doubled)])
"""


def test_more_memory_than_the_limit_is_a_memory_error() -> None:
    told = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == ["[True, True, True, True, False, False]", "[False, False]"]


def test_a_worker_has_its_share_and_never_less_than_it_needs() -> None:
    assert memory_limit.share(BASE_BYTES + 4_000_000_000, 4) == 1_000_000_000
    assert memory_limit.share(2_000_000_000, 0) == 2_000_000_000 - BASE_BYTES
    assert memory_limit.share(1_500_000_000, 100) == WORKER_BYTES


def write(path: Path, size: int) -> None:
    """Three good documents, and three between them that take far more than their size: each character is a word."""
    marks = ["".join(random.Random(seed).choices("()[]{}<>,;!?", k=size)) for seed in range(3)]
    texts = [GRAIN, *marks[:2], GRAIN.replace("mill", "wheel"), marks[2], GRAIN.replace("river", "brook")]
    path.write_text("".join(f"{json.dumps({'id': f'd{n}', 'text': text})}\n" for n, text in enumerate(texts)))


CURATE = """
import json, sys
from curation.engine import memory_limit
memory_limit.count_what_is_used()
from curation.engine import driver, runner
from curation.job import Execution
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job
folder = sys.argv[1]
name, recipe, *settings = sys.argv[2:]
small, job = (make_job([Input(glob=f"{folder}/{file}")], recipe, ["max_quarantined=1.0", *settings])
              for file in ("small.jsonl", name))
driver.curate(small, f"{folder}/small", Execution(workers=0))  # what is imported and compiled then is no record's
runner.share = lambda memory, workers: 150_000_000
ledger = driver.curate(job, f"{folder}/out", Execution(workers=0, memory=2_000_000_000))
ledger.check()
print(json.dumps({error: amount[0] for error, amount in ledger.quarantined.items()}))
"""


def curated(folder: Path, *words: str) -> object:
    """Quarantined records by their error, of a run in a process of its own: one that ran other tests holds free memory,
    which counts as used."""
    (folder / "small.jsonl").write_text(json.dumps({"text": GRAIN}))
    command = [sys.executable, "-c", CURATE, str(folder), *words]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_a_record_that_takes_too_much_is_quarantined_and_its_neighbours_are_kept(tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", 6_000_000)
    assert curated(tmp_path, "in.jsonl", "fineweb", "dedup.near=none") == {"too_large": 3}
    row, *_ = pq.read_table(tmp_path / "out" / "quarantine").to_pylist()
    assert (row["error"], row["bytes"], len(row["record"])) == ("too_large", 6_000_000, 1 << 16)
    assert row["message"] == "judging a text of 6000000 bytes takes more memory than --memory allows"
    assert pq.read_table(tmp_path / "out" / "documents")["doc_id"].to_pylist() == ["d0", "d3", "d5"]


HUGE = {
    "text": json.dumps({"text": "grist mill wheel " * 2_000_000}),
    "lists": '{"text":"grist","ground":[%s[]]}' % ("[]," * 1_500_000),
}


@pytest.mark.parametrize("end", [".jsonl", pytest.param(".json", marks=pytest.mark.soak)])
@pytest.mark.parametrize("kind", ["text", pytest.param("lists", marks=pytest.mark.soak)])
def test_a_huge_record_of_json_is_quarantined_alone(tmp_path: Path, kind: str, end: str) -> None:
    records = [json.dumps({"id": "first", "text": GRAIN}), HUGE[kind], json.dumps({"id": "last", "text": GRAIN[::-1]})]
    text = "".join(f"{record}\n" for record in records) if end == ".jsonl" else f"[{','.join(records)}]"
    (tmp_path / f"in{end}").write_text(text)
    assert curated(tmp_path, f"in{end}", "none") == {"too_large": 1}
    assert pq.read_table(tmp_path / "out" / "documents")["doc_id"].to_pylist() == ["first", "last"]
