"""Makes Label Studio hold what the journal asks for: looks at what is there, and adds or takes away the difference.

So it can be run again at any time, also after it was stopped anywhere: the second run finds what the first one left.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.tasks import shown_digest, task_data
from annotation.journal.fold import Record, fold
from annotation.journal.journal import Journal
from annotation.protocols import Page
from annotation.studio.client import MissingError, Project, Studio, TaskState
from schemas.errors import RunError, UserError
from schemas.progress import Tell, ignore_progress

IMPORTED = 1000
"""Tasks in a request, at most."""
REQUEST_BYTES = 16 << 20
"""Of a request, about; Label Studio takes 250 MiB, and fails at less."""
RENDERED = 250
"""Tasks in memory beside those of a request."""
ROUNDS = 3
"""How often a project is read again after a failed write."""


@dataclass
class Pushed:
    """What a push changed in Label Studio."""

    projects: int = 0
    imported: int = 0
    removed: int = 0
    there: int = 0
    """Tasks that were there already, or have their vote."""
    made_again: list[str] = field(default_factory=list)
    """Places whose project had gone."""


def places(record: Record) -> Iterator[tuple[str, pa.Table]]:
    """The tasks of each project: its place is batch/round/annotator, and the version of what they see is one."""
    keys = sorted(set(zip(*(record.tasks[name].to_pylist() for name in ("batch", "round", "annotator")), strict=True)))
    for batch, round_, annotator in keys:
        tasks = record.tasks
        for name, value in (("batch", batch), ("round", round_), ("annotator", annotator)):
            tasks = tasks.filter(pc.equal(tasks[name], value))
        yield f"{batch}/{round_}/{annotator}", tasks


def push(journal: Journal, studio: Studio, tell: Tell = ignore_progress) -> Pushed:
    """Every project of the campaign; one push at a time, others wait.

    Raises RunError when Label Studio fails for longer than some attempts last, and UserError where this version of
    Gristmill shows a task in another way than the one that planned it.
    """
    with journal.lock():
        return _push(journal, studio, tell)


def _push(journal: Journal, studio: Studio, tell: Tell) -> Pushed:
    record, pushed = fold(journal), Pushed()
    by_marker: dict[str, list[Project]] = {}
    for project in studio.projects():
        by_marker.setdefault(project.marker, []).append(project)
    total, done = record.tasks.num_rows, 0
    for place, tasks in places(record):
        page = record.batches[place.partition("/")[0]].page
        reconciled = _Place(journal, studio, record, place, tasks, page, pushed)
        before = done
        reconciled.make(by_marker, lambda count, before=before: tell(before + count, total))  # type: ignore[misc]
        done += tasks.num_rows
        tell(done, total)
    return pushed


def marker(campaign_id: str, place: str) -> str:
    """What a project's description holds: finds it again, and tells nothing."""
    return f"gristmill {hashlib.blake2b(f'{campaign_id}/{place}'.encode(), digest_size=10).hexdigest()}"


def title(place: str) -> str:
    """3 to 50 characters, as Label Studio wants: the batch, the campaign and whose it is."""
    batch, round_, annotator = place.split("/", 2)
    name, _, number = annotator.rpartition("/")
    words = [batch, number] if round_ == "vote" else [batch, round_, number]
    tail = " · ".join(words)
    return f"{name[: 47 - len(tail)]} · {tail}" if len(tail) <= 44 else tail[-50:]


@dataclass
class _Place:
    journal: Journal
    studio: Studio
    record: Record
    place: str
    tasks: pa.Table
    page: Page
    pushed: Pushed

    def make(self, by_marker: Mapping[str, list[Project]], tell: Callable[[int], None]) -> None:
        known = by_marker.get(marker(self.journal.campaign_id, self.place), [])
        for attempt in range(ROUNDS):
            try:
                self._make(known, tell)
                return
            except RunError:
                if attempt == ROUNDS - 1:
                    raise
                wanted = marker(self.journal.campaign_id, self.place)
                known = [each for each in self.studio.projects() if each.marker == wanted]

    def _make(self, known: list[Project], tell: Callable[[int], None]) -> None:
        voted = self.journal.voted_uids()
        rows = zip(self.tasks["uid"].to_pylist(), range(self.tasks.num_rows), strict=True)
        wanted = {uid: row for uid, row in rows if uid not in self.record.dropped}
        project = self._project(known, needed=any(uid not in voted for uid in wanted))
        if project is None:
            self.pushed.there += len(wanted)
            return
        present = self._present(project)
        self._remove(project, present, set(wanted))
        missing = [row for uid, row in wanted.items() if uid not in present and uid not in voted]
        self.pushed.there += len(wanted) - len(missing)
        done = 0
        for data in self._requests(missing):
            numbers = self.studio.import_tasks(project, data)
            with self.journal.writing():
                rows_ = zip(numbers, data, strict=True)
                self.journal.remember_tasks(project, ((number, each["uid"], "", 0) for number, each in rows_))
            self.pushed.imported += len(numbers)
            done += len(numbers)
            tell(done)

    def _requests(self, rows: list[int]) -> Iterator[list[dict[str, str]]]:
        """The data of these tasks, as much at a time as a request may hold."""
        request: list[dict[str, str]] = []
        size = 0
        for start in range(0, len(rows), RENDERED):
            chunk = self.tasks.take(pa.array(rows[start : start + RENDERED], pa.int64()))
            for data, shown in zip(task_data(chunk, self.record.pairs), chunk["shown"].to_pylist(), strict=True):
                if shown_digest(data) != shown:
                    raise UserError(
                        f"batch {self.place.partition('/')[0]} was made by another version of Gristmill, which shows "
                        "its tasks in another way: push it with that version, or make a new batch"
                    )
                mine = sum(len(text.encode()) for text in data.values())
                if request and (size + mine > REQUEST_BYTES or len(request) == IMPORTED):
                    yield request
                    request, size = [], 0
                request.append(data)
                size += mine
        if request:
            yield request

    def _project(self, known: list[Project], needed: bool) -> int | None:
        """The number of the place's project, created if missing. Deletes duplicates without votes."""
        remembered = self.journal.project(self.place)
        numbers = {each.project: each for each in known}
        if numbers:
            project = remembered if remembered in numbers else min(numbers, key=lambda n: (numbers[n].tasks == 0, n))
            for number in numbers.keys() - {project}:
                states = self.studio.task_states(number)
                self.studio.delete_tasks(number, [state.task for state in states if not state.annotations])
                if not any(state.annotations for state in states):
                    self.studio.delete_project(number)
            self.journal.remember_project(self.place, project)
            return project
        if remembered is not None:
            with self.journal.writing():
                self.journal.detach(remembered)
                self.journal.remember_project(self.place, None)
        if needed:
            if remembered is not None:
                self.pushed.made_again.append(self.place)
            wanted = marker(self.journal.campaign_id, self.place)
            project = self.studio.create_project(title(self.place), wanted, self.page)
            self.pushed.projects += 1
            self.journal.remember_project(self.place, project)
            return project
        return None

    def _present(self, project: int) -> dict[str, list[TaskState]]:
        """uid to the tasks that hold it: one, unless a request was repeated on its way."""
        states = {state.task: state for state in self.studio.task_states(project)}
        cached = self.journal.tasks(project)
        strangers = [task for task in states if task not in cached]
        found = self.studio.uids(project, strangers) if strangers else {}
        with self.journal.writing():
            self.journal.remember_tasks(project, ((task, uid, "", 0) for task, uid in found.items()))
            self.journal.forget_tasks(project, [task for task in cached if task not in states])
        present: dict[str, list[TaskState]] = {}
        for task, state in states.items():
            uid = cached[task][0] if task in cached else found.get(task)
            if uid is not None:
                present.setdefault(uid, []).append(state)
        return present

    def _remove(self, project: int, present: dict[str, list[TaskState]], wanted: set[str]) -> None:
        """Tasks that were taken from the annotator, and all but one of several with the same uid; none with a vote."""
        extra = []
        for uid, states in present.items():
            states.sort(key=lambda state: (-state.annotations, state.task))
            spare = states[1:] if uid in wanted else states
            extra += [state.task for state in spare if not state.annotations]
        if extra:
            self.studio.delete_tasks(project, extra)
            with self.journal.writing():
                self.journal.forget_tasks(project, extra)
            self.pushed.removed += len(extra)


__all__ = ["MissingError", "Pushed", "marker", "places", "push", "title"]
