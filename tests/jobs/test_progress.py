"""How far a run is: counted from its reports alone, each of them read once."""

import io
import json
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.folder import Folder
from curation.ledger import Ledger
from jobs.progress import Progress, watcher
from jobs.tally import Tally

GRISTMILL = Path(sys.executable).parent / "gristmill"


@dataclass(frozen=True)
class Counting(Folder):
    """A folder that remembers what was read of it."""

    opened: list[str] = field(default_factory=list)

    def read_json(self, name: str) -> object:
        self.opened.append(name)
        return super().read_json(name)


def report(folder: Folder, kind: str, unit: int) -> Ledger:
    """A report of a unit of ten documents, four of them rejected while reading and one while writing."""
    ledger = Ledger()
    if kind == "judged":
        ledger.read["web"] = (10, 1000, 200)
        ledger.rejected["web", "gopher_quality", "too_few_words"] = (4, 400, 80)
        ledger.quarantined["bad_json"] = (1, 7, 0)
    else:
        ledger.kept["web"] = (5, 500, 100)
        ledger.rejected["web", "near", "near_duplicate"] = (1, 100, 20)
    folder.write_json(f".work/{kind}-{unit:05d}.json", {"ledger": ledger.to_json()})
    return ledger


@given(data=st.data(), sizes=st.lists(st.integers(0, 1000), min_size=1, max_size=6))
def test_counts_only_grow_and_end_as_the_ledger(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, sizes: list[int]
) -> None:
    folder = Counting(str(tmp_path_factory.mktemp("run")))
    tally, whole, seconds = Tally(folder, sizes), Ledger(), 0.0
    tally.look()
    order = data.draw(st.permutations(range(len(sizes))))
    done = 0.0
    for kind in ("judged", "written"):
        for unit in order:
            whole.merge(report(folder, kind, unit))
            seconds += 1
            if data.draw(st.booleans()):
                tally.look()
                assert done <= tally.done <= 1
                done = tally.done
                left = tally.seconds_left(seconds)
                assert left is None or left >= 0
    tally.look()
    assert tally.ledger == whole
    assert tally.done == pytest.approx(1)
    assert tally.seconds_left(seconds) == pytest.approx(0, abs=1e-6)
    assert (tally.bytes, tally.rate(seconds)) == (sum(sizes), pytest.approx(sum(sizes) / seconds))
    assert len(folder.opened) == len(set(folder.opened)) == 2 * len(sizes)


def test_what_was_done_before_is_not_of_this_run(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    report(folder, "judged", 0)
    tally = Tally(folder, [100, 300, 400])
    tally.look()
    assert (tally.bytes, tally.rate(2.0), tally.seconds_left(2.0)) == (100, 0, None)
    report(folder, "judged", 1)
    tally.look()
    assert (tally.bytes, tally.rate(2.0)) == (400, 150)
    assert tally.seconds_left(2.0) == pytest.approx(2.0 * (1 - 0.375) / (0.75 * 300 / 800))


def test_lines_are_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Folder(str(tmp_path))
    progress = Progress(folder, [1000, 1000], "lines")
    with progress:
        report(folder, "judged", 0)
        report(folder, "written", 0)
        progress.tally.look()
        progress._line()
    told = capsys.readouterr().err
    assert told.startswith("gristmill: 1/2 units read at ")
    assert "1/2 written, about 0 s left; 10 documents (rejected: 40% gopher_quality: too_few_words, 10% near: " in told


def test_nothing_is_left_behind_when_a_run_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = threading.active_count()
    for how in ("bars", "lines", "json"):
        watch = watcher(how)  # type: ignore[arg-type]
        assert watch is not None
        with pytest.raises(ValueError, match="lost"), watch(Folder(str(tmp_path)), [1]):
            raise ValueError("lost")
    assert threading.active_count() == before
    assert json.loads(capsys.readouterr().err.splitlines()[-1])["event"] == "failed"
    assert watcher("none") is None


def test_a_program_can_follow_a_run(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"text": f"A mill by the river number {number}."}) + "\n" for number in range(20))
    (tmp_path / "in.jsonl").write_text(lines + lines)
    command = [GRISTMILL, "curate", "--input", "in.jsonl", "--output", "out", "--recipe", "none", "--progress", "json"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    *_, last = [json.loads(line) for line in io.StringIO(done.stderr)]
    ledger = Ledger.from_json(json.loads((tmp_path / "out/manifest.json").read_text())["ledger"])
    assert (last["event"], last["units"], last["read"], last["written"]) == ("finished", 1, 1, 1)
    assert (last["documents"], last["kept"]) == (ledger.total("read")[0], ledger.total("kept")[0]) == (40, 20)
    assert last["rejects"] == {"exact: same_text": 20}
    assert last["bytes"] == (tmp_path / "in.jsonl").stat().st_size
    assert last["seconds_left"] == 0
