"""A command as a whole: its seconds, or the peak of the resident memory of its process tree (looking costs time)."""

import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

EVERY_SECONDS = 0.2


@dataclass(frozen=True)
class Measured:
    seconds: float
    cpu_seconds: float
    """Of all processes of the tree, as last seen."""
    peak_bytes: int
    peak_proportional_bytes: int
    """A page that several processes share counts once in all."""
    output: str


def seconds(command: Sequence[str | Path], runs: int = 3) -> float:
    """The median of several runs; raises CalledProcessError with the output when one fails."""
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        run = subprocess.run(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        taken.append(time.perf_counter() - started)
        if run.returncode:
            raise subprocess.CalledProcessError(run.returncode, command[0], run.stdout)
    return sorted(taken)[runs // 2]


def measure(command: Sequence[str | Path], cwd: Path | None = None) -> Measured:
    """Runs a command to its end; raises CalledProcessError with its output when it fails."""
    started = time.perf_counter()
    with subprocess.Popen(
        [str(part) for part in command], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        watch = _Memory(process.pid)
        watch.start()
        output, _ = process.communicate()
        seconds = time.perf_counter() - started
        watch.done.set()
        watch.join()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command[0], output)
    return Measured(seconds, sum(watch.cpu.values()), watch.peak, watch.peak_proportional, output)


class _Memory(threading.Thread):
    """Adds up what the processes of a tree hold resident; pages shared between them count once each."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.process = psutil.Process(pid)
        self.peak = self.peak_proportional = 0
        self.cpu: dict[int, float] = {}
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(EVERY_SECONDS):
            resident, proportional = self._now()
            self.peak = max(self.peak, resident)
            self.peak_proportional = max(self.peak_proportional, proportional)

    def _now(self) -> tuple[int, int]:
        try:
            tree = [self.process, *self.process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return 0, 0
        resident = proportional = 0
        for process in tree:
            try:
                found, times = process.memory_full_info(), process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            self.cpu[process.pid] = times.user + times.system
            resident += found.rss
            proportional += found.pss
        return resident, proportional
