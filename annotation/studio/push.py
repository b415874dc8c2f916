"""Makes Label Studio hold the tasks that the journal asks for: compares both, and adds or removes the difference.

So a push can be repeated at any time. A push after an interrupted push completes it.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.tasks import shown_digest, task_data
from annotation.journal.bodies import ASKED, Numbers, ProjectMade, Seen
from annotation.journal.fold import Record, fold
from annotation.journal.journal import Journal
from annotation.journal.made import Made, made
from annotation.journal.places import Place, task_places
from annotation.protocols import Page, digest
from annotation.studio.client import Project, Studio, TaskState
from annotation.studio.provenance import (
    changed_parts,
    check_server,
    is_noted,
    note,
    note_accounts,
    note_seen,
    page_digests,
)
from schemas.errors import RunError, UserError
from schemas.progress import Tell, ignore_progress

IMPORTED = 1000
"""Most tasks in a request."""
REQUEST_BYTES = 16 << 20
"""Size of a request, about. Label Studio's limit is 250 MiB, but smaller requests fail already."""
RENDERED = 250
"""Tasks rendered at a time, in memory beside the tasks of a request."""
ROUNDS = 3
"""Most attempts at a project. After a failed write, an attempt reads the project again."""


@dataclass
class Pushed:
    """What a push changed in Label Studio."""

    projects: int = 0
    imported: int = 0
    removed: int = 0
    existing: int = 0
    """Tasks that were in Label Studio already, or have a vote in the journal."""
    recreated: list[Place] = field(default_factory=list)
    """Places whose project had been deleted."""
    reworded: list[Place] = field(default_factory=list)
    """Places whose project got another wording of the guidelines."""
    repaired: list[Place] = field(default_factory=list)
    """Places whose page, settings or description had been changed in Label Studio."""


def places(record: Record) -> Iterator[tuple[Place, pa.Table]]:
    """(place, tasks) of each project. All tasks of a place have the same page."""
    for place in sorted(set(task_places(record.tasks))):
        tasks = record.tasks
        for name, value in place._asdict().items():
            tasks = tasks.filter(pc.equal(tasks[name], value))
        yield place, tasks


def push(journal: Journal, studio: Studio, tell: Tell = ignore_progress, *, new_server: bool = False) -> Pushed:
    """Updates the tasks of all projects of the campaign. One push runs at a time, others wait.

    ``new_server``: the campaign continues on another server; tasks that have a vote are not asked again. Raises
    RunError if Label Studio fails at all attempts, and UserError if this version of Gristmill shows a task differently
    from the version that planned it, or if the server is not the campaign's.
    """
    with journal.lock():
        state = made(journal)
        check_server(journal, studio, state, new=new_server)
        return _push(journal, studio, state, tell)


def _push(journal: Journal, studio: Studio, state: Made, tell: Tell) -> Pushed:
    record, pushed = fold(journal), Pushed()
    note_accounts(journal, studio, state, record.annotators)
    projects = studio.projects()
    total, done = record.tasks.num_rows, 0
    for place, tasks in places(record):
        page = record.batches[place.batch].page
        update = _PlaceUpdate(journal, studio, record, place, tasks, page, pushed, state)
        update.run(projects, lambda count, before=done: tell(before + count, total))  # type: ignore[misc]
        done += tasks.num_rows
        tell(done, total)
    return pushed


def marker(campaign_id: str, place: Place) -> str:
    """What a project's description begins with, to find the project again. It reveals nothing about the campaign."""
    return f"gristmill {hashlib.blake2b(f'{campaign_id}/{place}'.encode(), digest_size=10).hexdigest()}"


def find_projects(projects: Iterable[Project], campaign_id: str, place: Place, state: Made) -> list[Project]:
    """The projects of a place: the noted project, even if its description was changed, and all projects with the
    place's marker."""
    wanted, noted = marker(campaign_id, place), state.projects.get(place)
    return [each for each in projects if each.marker == wanted or (noted is not None and is_noted(each, noted))]


def title(place: Place) -> str:
    """A project's title: campaign, batch and annotator, in the 3 to 50 characters that Label Studio allows."""
    name, _, number = place.annotator.rpartition("/")
    words = [place.batch, number] if place.round == "vote" else [place.batch, place.round, number]
    tail = " · ".join(words)
    return f"{name[: 47 - len(tail)]} · {tail}" if len(tail) <= 44 else tail[-50:]


@dataclass
class _PlaceUpdate:
    """Brings the project of one place up to date."""

    journal: Journal
    studio: Studio
    record: Record
    place: Place
    tasks: pa.Table
    page: Page
    pushed: Pushed
    made: Made
    created: int | None = None
    """The number of the project, if this push has just made it."""

    def run(self, projects: Sequence[Project], tell: Callable[[int], None]) -> None:
        for attempt in range(ROUNDS):
            try:
                self._run_once(find_projects(projects, self.journal.campaign_id, self.place, self.made), tell)
                return
            except RunError:
                if attempt == ROUNDS - 1:
                    raise
                projects = self.studio.projects()

    def _run_once(self, known: list[Project], tell: Callable[[int], None]) -> None:
        voted = self.journal.voted_uids()
        rows = zip(self.tasks["uid"].to_pylist(), range(self.tasks.num_rows), strict=True)
        wanted = {uid: row for uid, row in rows if uid not in self.record.dropped}
        project = self._find_or_create_project(known, needed=any(uid not in voted for uid in wanted))
        if project is None:
            self.pushed.existing += len(wanted)
            return
        self._note_project(project)
        present = self._list_tasks(project)
        self._note_found(project, present)
        self._remove_extra(project, present, set(wanted))
        own = {uid for uid, states in present.items() if self._is_noted_task(project, uid, states[0].task)}
        missing = [row for uid, row in wanted.items() if uid not in own and uid not in voted]
        self.pushed.existing += len(wanted) - len(missing)
        if not missing:
            return
        uids = self.tasks["uid"].take(missing).to_pylist()
        self._note_numbers(project, dict.fromkeys(sorted({*uids} - self.made.asked.get(project, set())), ASKED))
        done = 0
        for data in self._requests(missing):
            numbers = self.studio.import_tasks(project, data)
            imported = zip(numbers, data, strict=True)
            self.journal.cache.remember_tasks(project, ((number, fields["uid"], "", 0) for number, fields in imported))
            self.pushed.imported += len(numbers)
            done += len(numbers)
            tell(done)
        present = self._list_tasks(project)
        self._note_found(project, present)
        self._remove_extra(project, present, set(wanted))

    def _requests(self, rows: list[int]) -> Iterator[list[dict[str, str]]]:
        """The data of tasks, divided into requests of at most IMPORTED tasks and about REQUEST_BYTES."""
        request: list[dict[str, str]] = []
        size = 0
        for start in range(0, len(rows), RENDERED):
            chunk = self.tasks.take(pa.array(rows[start : start + RENDERED], pa.int64()))
            for data, shown in zip(task_data(chunk, self.record.pairs), chunk["shown"].to_pylist(), strict=True):
                if shown_digest(data) != shown:
                    raise UserError(
                        f"batch {self.place.batch} was made by another version of Gristmill, which shows "
                        "its tasks differently: push it with that version, or make a new batch"
                    )
                length = sum(len(text.encode()) for text in data.values())
                if request and (size + length > REQUEST_BYTES or len(request) == IMPORTED):
                    yield request
                    request, size = [], 0
                request.append(data)
                size += length
        if request:
            yield request

    def _find_or_create_project(self, known: list[Project], needed: bool) -> int | None:
        """The number of the place's project, created if missing, unless the annotator was erased and nobody could
        answer. Deletes duplicates without votes."""
        remembered = self.journal.cache.project(self.place)
        numbers = {project.project: project for project in known}
        if numbers:
            project = self._choose_project(numbers, remembered)
            for number in numbers.keys() - {project}:
                states = self.studio.task_states(number)
                self.studio.delete_tasks(number, [state.task for state in states if not state.annotations])
                if not any(state.annotations for state in states):
                    self.studio.delete_project(number)
            if project is not None:
                self.journal.cache.remember_project(self.place, project)
                return project
        if remembered is not None:
            with self.journal.writing():
                self.journal.detach(remembered)
                self.journal.cache.remember_project(self.place, None)
        owner = self._owner()
        if needed and owner is not None:
            if remembered is not None:
                self.pushed.recreated.append(self.place)
            wanted = marker(self.journal.campaign_id, self.place)
            project = self.studio.create_project(title(self.place), wanted, owner, self.page)
            self.pushed.projects += 1
            self.created = project
            self.journal.cache.remember_project(self.place, project)
            return project
        return None

    def _owner(self) -> str | None:
        """The email address of the place's annotator, in lower case; None if it was erased."""
        email = self.record.emails.get(self.place.annotator)
        return None if email is None else email.lower()

    def _choose_project(self, known: Mapping[int, Project], remembered: int | None) -> int | None:
        """The noted project, None if it is missing. If no project is noted, the project that an earlier version of
        Gristmill or an interrupted push made."""
        noted = self.made.projects.get(self.place)
        if noted:
            return noted.project if noted.project in known and is_noted(known[noted.project], noted) else None
        return remembered if remembered in known else min(known, key=lambda n: (known[n].tasks == 0, n))

    def _note_project(self, number: int) -> None:
        """Gives a project its page, settings and description again, and notes what the server made of them."""
        project, noted = self.studio.project(number), self.made.projects.get(self.place)
        known = noted is not None and is_noted(project, noted)
        wanted, owner = marker(self.journal.campaign_id, self.place), self._owner()
        if not noted or not known or noted.page != digest(self.page) or changed_parts(project, noted, wanted, owner):
            if number != self.created:
                self.studio.repair_project(number, wanted, project.owner if owner is None else owner, self.page)
                project = self.studio.project(number)
            if noted and known:
                is_new = noted.page != digest(self.page)
                (self.pushed.reworded if is_new else self.pushed.repaired).append(self.place)
            labels, instructions = page_digests(project.page)
            fresh = ProjectMade(number, project.created, digest(self.page), labels, instructions, self._adopted(number))
            if fresh != noted:
                note(self.journal, self.made, "project", str(self.place), fresh)
        note_seen(self.journal, self.made, self.place, Seen())

    def _adopted(self, number: int) -> bool:
        """Whether an earlier version of Gristmill made the project."""
        noted = self.made.projects.get(self.place)
        if noted:
            return noted.adopted and noted.project == number
        return bool(self.journal.cache.tasks(number))

    def _note_numbers(self, project: int, numbers: Mapping[str, int]) -> None:
        if numbers:
            note(self.journal, self.made, "numbers", str(self.place), Numbers(project, numbers))

    def _note_found(self, project: int, present: Mapping[str, list[TaskState]]) -> None:
        """Notes the numbers of tasks that this push, an interrupted push or an earlier version created; a repeated
        request may have created several for one uid."""
        asked = self.made.asked.get(project, set())
        found = {uid: states for uid, states in present.items() if uid in asked or uid not in self.made.numbers}
        for place in range(max(map(len, found.values()), default=0)):
            self._note_numbers(project, {uid: each[place].task for uid, each in found.items() if len(each) > place})

    def _is_noted_task(self, project: int, uid: str, task: int) -> bool:
        return (project, task) in self.made.numbers.get(uid, ())

    def _list_tasks(self, project: int) -> dict[str, list[TaskState]]:
        """The tasks with each uid: one task, unless the network repeated a request."""
        states = {state.task: state for state in self.studio.task_states(project)}
        cached = self.journal.cache.tasks(project)
        strangers = [task for task in states if task not in cached]
        found = self.studio.uids(project, strangers) if strangers else {}
        with self.journal.writing():
            self.journal.cache.remember_tasks(project, ((task, uid, "", 0) for task, uid in found.items()))
            self.journal.cache.forget_tasks(project, [task for task in cached if task not in states])
        present: dict[str, list[TaskState]] = {}
        for task, state in states.items():
            uid = cached[task][0] if task in cached else found.get(task)
            if uid is not None:
                present.setdefault(uid, []).append(state)
        return present

    def _remove_extra(self, project: int, present: dict[str, list[TaskState]], wanted: set[str]) -> None:
        """Removes tasks without a vote that the annotator no longer has, or whose uid another task has, too."""
        extra = []
        for uid, states in present.items():
            ours = [self._is_noted_task(project, uid, state.task) for state in states]
            order = sorted(range(len(states)), key=lambda n: (not ours[n], -states[n].annotations, states[n].task))
            states[:] = [states[n] for n in order]
            spare = states[1:] if uid in wanted and any(ours) else states
            extra += [state.task for state in spare if not state.annotations]
        if extra:
            self.studio.delete_tasks(project, extra)
            with self.journal.writing():
                self.journal.cache.forget_tasks(project, extra)
            self.pushed.removed += len(extra)
