"""What stages hand to one another in a local run lies on disk, and nothing of it is lost."""

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.engine import shuffle, stages
from curation.engine.driver import curate
from curation.engine.run import Run
from curation.job import Execution
from curation.release.folder import Folder
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job

KEYS = st.integers(0, 9) | st.integers(0, 1 << 40)
CALLS = st.lists(st.lists(st.tuples(KEYS, st.binary(max_size=20)), max_size=30), max_size=5)


@given(calls=CALLS)
def test_each_key_finds_all_that_was_left_for_it(calls: list[list[shuffle.Keyed]]) -> None:
    with tempfile.TemporaryDirectory() as root:
        folder = Folder(root)
        names = [f"call-{number}" for number in range(len(calls))]
        for name, results in zip(names, calls, strict=True):
            shuffle.store(folder, name, results)
        every = [each for results in calls for each in results]
        for key in {key for key, _ in every} | {0, 1 << 41}:
            found = Counter(shuffle.fetch(folder, names, key))
            assert found == Counter(blob for other, blob in every if other == key)


@pytest.mark.parametrize("kept", [0, 10, -4])
def test_a_file_that_was_cut_is_made_again_and_never_read_as_empty(tmp_path: Path, kept: int) -> None:
    folder = Folder(str(tmp_path))
    shuffle.store(folder, "call", [(1, b"one"), (2, b"two")])
    assert shuffle.is_whole(folder, "call")
    assert not shuffle.is_whole(folder, "another")
    (tmp_path / "call").write_bytes((tmp_path / "call").read_bytes()[:kept])
    assert not shuffle.is_whole(folder, "call")
    with pytest.raises((ValueError, OSError)):
        list(shuffle.fetch(folder, ["call"], 1))


def test_a_call_returns_one_element_whatever_the_partitions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in range(3):
        rows = [{"text": f"The mill {file} by the river {row % 20} grinds."} for row in range(200)]
        (tmp_path / f"{file}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    call, returned = stages.call, []

    def watched(run: Run, *more: Any) -> list[shuffle.Keyed]:
        results = call(run, *more)
        returned.append(results)
        return results

    monkeypatch.setattr(stages, "call", watched)
    job = make_job([Input(glob=str(tmp_path / "*.jsonl"))], "none", ["near.ngram=2"])
    curate(job, str(tmp_path / "out"), Execution(workers=0, partitions=40))
    assert len(returned) > 2 * 40
    assert all(results == [stages.DONE] for results in returned)
