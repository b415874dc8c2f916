"""Reads from the journal what pushes created in Label Studio: the server, projects, numbers of tasks, and accounts."""

from dataclasses import dataclass, field

from annotation.journal.bodies import (
    ASKED,
    Guidelines,
    Lost,
    Numbers,
    ProjectMade,
    Seen,
    ServerNoted,
    Undone,
    read,
)
from annotation.journal.chain import is_token
from annotation.journal.journal import Journal
from annotation.journal.places import Place

KINDS = ("server", "project", "numbers", "account", "seen", "undone", "guidelines")
"""The kinds of rows that `Made.note` takes."""

PARTS = ("labels", "instructions", "settings", "description")
"""The parts of a project that are compared. Votes that were given under changed labels or instructions do not count."""
SHOWN_PARTS = frozenset({"labels", "instructions"})


@dataclass
class Made:
    """The state after some rows. A `server` row forgets what was made on the server before."""

    server: ServerNoted | None = None
    projects: dict[Place, ProjectMade] = field(default_factory=dict)
    places: dict[int, Place] = field(default_factory=dict)
    """The place of each project that was ever made for a place, by project number."""
    numbers: dict[str, set[tuple[int, int]]] = field(default_factory=dict)
    """The (project, task) of each task that was made for a uid."""
    tasks: dict[int, dict[int, str]] = field(default_factory=dict)
    """The uid for which each task was made, by project and number."""
    asked: dict[int, set[str]] = field(default_factory=dict)
    """By project: the uids of tasks that a push asked for and whose numbers are not noted yet."""
    accounts: dict[str, int] = field(default_factory=dict)
    """The user number of each email address."""
    wordings: dict[str, int] = field(default_factory=dict)
    """The number of the newest wording of the guidelines of a batch, if the batch has several."""
    seen: dict[Place, Seen] = field(default_factory=dict)
    """By place: how its project differs from what was pushed. A place without a difference may be missing."""

    @property
    def erased(self) -> dict[int, str]:
        """The token of each account, by user number, whose email address was erased and not given again."""
        known = {number for email, number in self.accounts.items() if not is_token(email)}
        return {number: name for name, number in self.accounts.items() if is_token(name) and number not in known}

    def note(self, kind: str, key: str, body: bytes, path: str = "campaign.db") -> None:
        """Takes the next row of the journal, of one of KINDS."""
        place = f"{path}: the row {kind} {key}"
        if kind == "server":
            server = read(ServerNoted, body, place)
            if self.server and self.server.identity != server.identity:
                vars(self).update(vars(Made(wordings=self.wordings)))
            self.server = server
        elif kind == "project":
            made = read(ProjectMade, body, place)
            self.places[made.project] = Place.parse(key)
            self.projects[self.places[made.project]] = made
        elif kind == "numbers":
            added = read(Numbers, body, place)
            asked = self.asked.setdefault(added.project, set())
            for uid, task in added.tasks.items():
                if task == ASKED:
                    asked.add(uid)
                else:
                    asked.discard(uid)
                    self.numbers.setdefault(uid, set()).add((added.project, task))
                    self.tasks.setdefault(added.project, {})[task] = uid
        elif kind == "account":
            self.accounts[key] = read(int, body, place)
        elif kind == "undone":
            self._forget({Place.parse(text) for text in read(Undone, body, place).places})
            self.wordings.pop(key, None)
        elif kind == "guidelines":
            self.wordings[key] = read(Guidelines, body, place).number
        else:
            self.seen[Place.parse(key)] = read(Seen, body, place)

    def _forget(self, places: set[Place]) -> None:
        """Forgets the projects of these places."""
        projects = {number for number, place in self.places.items() if place in places}
        for place in places:
            self.projects.pop(place, None)
            self.seen.pop(place, None)
        for project in projects:
            del self.places[project]
            self.asked.pop(project, None)
            for task, uid in self.tasks.pop(project, {}).items():
                self.numbers[uid].discard((project, task))
                if not self.numbers[uid]:
                    del self.numbers[uid]


def made(journal: Journal, as_of: int | None = None) -> Made:
    """The state at a revision of the journal, by default the newest."""
    state = Made()
    for kind, key, body in journal.rows(*KINDS, as_of=as_of):
        state.note(kind, key, body, str(journal.path))
    return state


def lost_annotations(journal: Journal, as_of: int | None = None) -> dict[str, Lost]:
    """The newest ``lost`` row of each annotation that Label Studio does not have, and whose vote stays."""
    rows = journal.rows("lost", as_of=as_of)
    found = {key: read(Lost, body, f"{journal.path}: the row lost {key}") for _, key, body in rows}
    newest = {key: journal.newest_kind(key, "lost", "annotation", "deleted", as_of=as_of) for key in found}
    return {key: lost for key, lost in found.items() if newest[key] == "lost" and lost.why != "found"}
