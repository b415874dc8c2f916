"""How far a run is: counted from its reports alone, each of them read once."""

import io
import json
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.engine.tally import Tally
from curation.engine.unit_reports import UnitReport
from curation.release.folder import Folder
from curation.release.ledger import Ledger
from curation.release.manifest import read_finished
from jobs.corpus.progress import Progress, watcher

T = TypeVar("T")
GRISTMILL = Path(sys.executable).parent / "gristmill"


@dataclass(frozen=True)
class Counting(Folder):
    """A folder that remembers what was read of it."""

    opened: list[str] = field(default_factory=list)

    def read_json(self, name: str, kind: type[T]) -> T:
        self.opened.append(name)
        return super().read_json(name, kind)


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
    folder.write_json(f".work/{kind}-{unit:05d}.json", UnitReport(ledger=ledger.report(), outputs={}))
    return ledger


@given(data=st.data(), sizes=st.lists(st.integers(0, 1000), min_size=1, max_size=6))
def test_counts_only_grow_and_end_as_the_ledger(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, sizes: list[int]
) -> None:
    folder = Counting(str(tmp_path_factory.mktemp("run")))
    tally, whole, seconds = Tally(folder, sizes), Ledger(), 0.0
    tally.update(seconds)
    order = data.draw(st.permutations(range(len(sizes))))
    done = 0.0
    for kind in ("judged", "written"):
        for unit in order:
            whole.merge(report(folder, kind, unit))
            seconds += 1
            if data.draw(st.booleans()):
                tally.update(seconds)
                assert done <= tally.done <= 1
                done = tally.done
                left = tally.seconds_left(seconds)
                assert left is None or left >= 0
    tally.update(seconds)
    assert tally.ledger == whole
    assert tally.done == pytest.approx(1)
    assert tally.seconds_left(seconds) == pytest.approx(0, abs=1e-6)
    assert tally.read_in is not None
    assert len(sizes) <= tally.read_in <= seconds
    assert (tally.bytes, tally.rate(seconds)) == (sum(sizes), pytest.approx(sum(sizes) / tally.read_in))
    assert len(folder.opened) == len(set(folder.opened)) == 2 * len(sizes)


def test_the_rate_counts_only_units_of_this_run(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    report(folder, "judged", 0)
    tally = Tally(folder, [100, 300, 400])
    tally.update(0.0)
    assert (tally.bytes, tally.rate(2.0), tally.seconds_left(2.0)) == (100, 0, None)
    report(folder, "judged", 1)
    tally.update(2.0)
    assert (tally.bytes, tally.rate(2.0)) == (400, 150)
    assert tally.seconds_left(2.0) == pytest.approx(2.0 * (1 - 0.375) / (0.75 * 300 / 800))


def test_the_rate_is_that_of_the_time_that_was_spent_on_reading(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    tally = Tally(folder, [100, 300])
    tally.update(0.0)
    report(folder, "judged", 0)
    report(folder, "judged", 1)
    for seconds in (4.0, 8.0, 16.0):
        tally.update(seconds)
        assert tally.rate(seconds) == 100


def test_progress_under_a_limit_shows_no_share(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Folder(str(tmp_path))
    progress = Progress(folder, [None, None], "lines")
    report(folder, "judged", 0)
    with progress:
        progress.tally.update(1.0)
        progress._line()
    told = progress.tally.to_json("progress", 1.0)
    assert (told["bytes"], told["bytes_per_second"], progress.tally.done) == (None, None, 0.375)
    assert "1/2 units read, 0/2 written" in capsys.readouterr().err


def test_lines_are_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Folder(str(tmp_path))
    progress = Progress(folder, [1000, 1000], "lines")
    with progress:
        report(folder, "judged", 0)
        report(folder, "written", 0)
        progress.tally.update(1.0)
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
    assert json.loads(capsys.readouterr().err.splitlines()[-1])["event"] == "progress"
    assert watcher("none") is None


def test_a_program_can_follow_a_run(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"text": f"A mill by the river number {number}."}) + "\n" for number in range(20))
    (tmp_path / "in.jsonl").write_text(lines + lines)
    command = [GRISTMILL, "curate", "--input", "in.jsonl", "--output", "out", "--recipe", "none", "--progress", "json"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    *_, last = [json.loads(line) for line in io.StringIO(done.stderr)]
    ledger = Ledger.of(read_finished(Folder(str(tmp_path / "out")))[0].ledger)
    assert (last["event"], last["units"], last["read"], last["written"]) == ("finished", 1, 1, 1)
    assert (last["documents"], last["kept"]) == (ledger.total("read")[0], ledger.total("kept")[0]) == (40, 20)
    assert last["rejects"] == {"exact: same_text": 20}
    assert last["bytes"] == (tmp_path / "in.jsonl").stat().st_size
    assert last["seconds_left"] == 0
    assert events(tmp_path, "in.jsonl", 0)[-1]["message"].startswith("an earlier run finished this job")
    (tmp_path / "out/manifest.json").unlink()
    assert [each["event"] for each in events(tmp_path, "in.jsonl", 2)] == ["failed"]


def events(folder: Path, source: str, code: int, *more: str) -> list[dict[str, Any]]:
    """What a program is told of a run in a folder: every line is an object."""
    asked = ["curate", "--input", source, "--output", "out", "--recipe", "none", "--progress", "json", *more]
    run = subprocess.run([GRISTMILL, *asked], cwd=folder, capture_output=True, text=True)
    assert run.returncode == code, run.stderr
    return [json.loads(line) for line in run.stderr.splitlines()]


def test_a_run_that_fails_at_its_end_has_not_finished(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "A mill."}\n' + "{broken\n" * 200)
    *_, before, last = events(tmp_path, "in.jsonl", 1)
    assert (before["event"], before["written"], before["quarantined"]) == ("progress", 1, 200)
    assert last["event"] == "failed"
    assert "above max_quarantined" in last["message"]
    again = events(tmp_path, "in.jsonl", 0, "--set", "max_quarantined=1")
    assert (again[0]["event"], again[-1]["event"]) == ("resumed", "finished")


@pytest.mark.parametrize("redirected", ["2>&1 >out.txt | true", pytest.param(">out.txt 2>&-", marks=pytest.mark.soak)])
def test_a_run_succeeds_when_its_progress_cannot_be_written(tmp_path: Path, redirected: str) -> None:
    lines = "".join(json.dumps({"text": f"A mill by the river number {number}."}) + "\n" for number in range(20))
    (tmp_path / "in.jsonl").write_text(lines)
    asked = f"{GRISTMILL} curate --input in.jsonl --output out --recipe none --progress json"
    script = f"set -o pipefail; {asked} {redirected}"
    assert subprocess.run(["bash", "-c", script], cwd=tmp_path).returncode == 0
    assert (tmp_path / "out.txt").read_text().splitlines()[-1].startswith("out: 20 of 20 documents kept")
    assert "event" not in (tmp_path / "out.txt").read_text()


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path / "o[1]*"))
    report(folder, "judged", 0)
    tally = Tally(folder, [100])
    tally.update(1.0)
    assert tally.read == {0}
