"""The wiring of a local run: each stage is called at once, in worker processes or in this process.

The output of a stage is in the run's folder, so a stage starts when the stages before it are done.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from curation.engine import stages
from curation.engine.run import StageRun
from curation.engine.stages import Stage
from curation.engine.workers import Workers
from curation.sources.inputs import Unit


@dataclass(frozen=True)
class Done:
    """A stage that was called with ``keys``; marks have no keys, and no output in the folder."""

    label: str
    keys: Sequence[int]


@dataclass(frozen=True)
class LocalPipeline:
    """Calls stages with ``workers``, a bounded number of calls at a time."""

    workers: Workers

    def start(
        self, label: str, stage: Stage, run: StageRun, keys: Sequence[int], elements: Sequence[Unit | int] = ()
    ) -> Done:
        return self._call(label, stage, run, keys, elements or keys)

    def join(self, label: str, stage: Stage, run: StageRun, keys: Sequence[int], *inputs: Done) -> Done:
        sources = [(each.label, each.keys) for each in inputs if each.keys]
        return self._call(label, stage, run, keys, keys, sources)

    def marks(self, keys: Sequence[int]) -> Done:
        return Done("marks", [])

    def _call(
        self,
        label: str,
        stage: Stage,
        run: StageRun,
        keys: Sequence[int],
        elements: Sequence[Unit | int],
        sources: stages.Sources = (),
    ) -> Done:
        waiting: deque[Future[Any]] = deque()
        for element in elements:
            waiting.append(self.workers.submit(stages.call, run, label, stage, element, [], sources))
            while len(waiting) > 2 * self.workers.count:
                self.workers.result(waiting.popleft())
        for future in waiting:
            self.workers.result(future)
        return Done(label, keys)
