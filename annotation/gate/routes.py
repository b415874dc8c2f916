"""The allow-list: the table of all requests that the gate answers. The gate refuses every other request."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache


class Answer(Enum):
    """Which response a request gets: one of the gate's own, or Label Studio's."""

    SIGN_IN_FORM = auto()
    SIGN_IN = auto()
    SIGN_OUT = auto()
    HOME = auto()
    """The gate's list of the account's projects."""
    NEXT_PROJECT = auto()
    """Leads to the account's oldest project with open tasks, or to the list if no task is open."""
    PROGRESS = auto()
    """How many tasks of the account's project are done, and how many of its other projects have open tasks."""
    GATE_FILE = auto()
    """A style sheet or script of the gate's own, such as ``/sw.js``, a service worker that does nothing."""
    HEALTH = auto()
    PAGE = auto()
    """Label Studio's page, with the gate's content policy and scripts."""
    ASSET = auto()
    """A file of Label Studio's frontend."""
    NEXT_TASK = auto()
    """The account's next open task in the project."""
    FORWARD = auto()
    """Label Studio's answer."""
    ACCOUNT = auto()
    """The account's number and address, instead of everything that Label Studio knows about the account."""
    PEOPLE = auto()
    """A list of this account alone, instead of Label Studio's list of all accounts."""
    VERSION = auto()
    VIEWS = auto()
    """One view for all: nobody stores views."""
    NO_TASKS = auto()
    """The empty first page of the task table, which the labelling page loads and does not show."""
    EMPTY_LIST = auto()
    EMPTY_PAGE = auto()


class Body(Enum):
    """The kinds of bodies. The gate writes a new body from the known fields."""

    NOTHING = auto()
    IGNORED = auto()
    """Read and dropped."""
    FORM = auto()
    ANNOTATION = auto()
    DRAFT = auto()


NUMBER = "[1-9][0-9]{0,9}"
WORD = "[A-Za-z0-9_,]{0,400}"
LOCAL_PATH = r"/(?!/)[!-\[\]-~]{0,400}"  # no backslash, and not the address of another server
FILE = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.(?:css|js|woff2?|ttf|svg|png|ico)"


@dataclass(frozen=True)
class Route:
    """One entry of the allow-list.

    ``path`` holds ``{project}``, ``{task}``, ``{annotation}`` and ``{draft}`` for numbers, which must be the account's
    own and belong together, and ``{file}`` for the name of a file; a slash at its end is optional. ``parameters`` are
    the permitted query parameters, each with the pattern that its whole value must match; a parameter that has the
    name of a number is checked like a number of the path. The gate refuses a request without the ``needed``
    parameters, and forwards only the ``passed`` parameters.
    """

    method: str
    path: str
    answer: Answer
    parameters: Mapping[str, str] = field(default_factory=dict)
    needed: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    body: Body = Body.NOTHING
    signed_in: bool = True


PROJECT = {"project": NUMBER}

ROUTES = (
    # Without a session
    Route("GET", "/gate/health", Answer.HEALTH, signed_in=False),
    Route("GET", "/gate/{file}", Answer.GATE_FILE, signed_in=False),
    Route("GET", "/sw.js", Answer.GATE_FILE, signed_in=False),
    Route("GET", "/user/login/", Answer.SIGN_IN_FORM, {"next": LOCAL_PATH}, signed_in=False),
    Route("POST", "/user/login/", Answer.SIGN_IN, {"next": LOCAL_PATH}, body=Body.FORM, signed_in=False),
    # Pages
    Route("GET", "/", Answer.HOME),
    Route("GET", "/projects/", Answer.HOME),
    Route("GET", "/next", Answer.NEXT_PROJECT),
    Route("GET", "/gate/progress", Answer.PROGRESS, PROJECT, needed=("project",)),
    Route("GET", "/logout", Answer.SIGN_OUT),
    Route("GET", "/projects/{project}/data/", Answer.PAGE, {"labeling": "1", "tab": NUMBER, "task": NUMBER}),
    # Files of Label Studio's frontend
    Route("GET", "/react-app/{file}", Answer.ASSET, {"v": WORD}),
    Route("GET", "/static/css/{file}", Answer.ASSET),
    Route("GET", "/static/fonts/{file}", Answer.ASSET),
    Route("GET", "/static/images/{file}", Answer.ASSET),
    Route("GET", "/static/js/{file}", Answer.ASSET),
    # Requests whose answers the labelling page does not need
    Route("GET", "/api/version", Answer.VERSION),
    Route("GET", "/api/current-user/whoami", Answer.ACCOUNT),
    Route("GET", "/api/users/", Answer.PEOPLE, PROJECT),
    Route("GET", "/api/ml/", Answer.EMPTY_LIST, PROJECT),
    Route("GET", "/api/label_links/", Answer.EMPTY_PAGE, {**PROJECT, "expand": "label"}),
    Route("GET", "/api/dm/views/", Answer.VIEWS, PROJECT),
    Route(
        "GET", "/api/tasks/", Answer.NO_TASKS,
        {**PROJECT, "page": NUMBER, "page_size": NUMBER, "view": NUMBER},
    ),
    # Labelling
    Route("GET", "/api/projects/{project}/", Answer.FORWARD),
    Route("GET", "/api/projects/{project}/label-stream-history/", Answer.FORWARD, PROJECT),
    Route(
        "GET", "/api/dm/columns/", Answer.FORWARD, PROJECT,
        needed=("project",), passed=("project",),
    ),
    Route(
        "GET", "/api/dm/project/", Answer.FORWARD,
        {**PROJECT, "interaction": "timer", "include": WORD},
        needed=("project",), passed=("project", "include"),
    ),
    Route(
        "POST", "/api/dm/actions/", Answer.NEXT_TASK,
        {**PROJECT, "id": "next_task", "tabID": NUMBER},
        needed=("project", "id"), body=Body.IGNORED,
    ),
    Route("GET", "/api/tasks/{task}/", Answer.FORWARD, {**PROJECT, "interaction": "labelstream"}),
    Route("POST", "/api/tasks/{task}/annotations/", Answer.FORWARD, PROJECT, body=Body.ANNOTATION),
    Route(
        "PATCH", "/api/annotations/{annotation}/", Answer.FORWARD,
        {**PROJECT, "task": NUMBER, "taskID": NUMBER},
        body=Body.ANNOTATION,
    ),
    Route(
        "DELETE", "/api/annotations/{annotation}/", Answer.FORWARD,
        {**PROJECT, "task": NUMBER, "taskID": NUMBER},
        body=Body.IGNORED,
    ),
    Route("POST", "/api/tasks/{task}/drafts", Answer.FORWARD, PROJECT, body=Body.DRAFT),
    Route("POST", "/api/tasks/{task}/annotations/{annotation}/drafts", Answer.FORWARD, PROJECT, body=Body.DRAFT),
    Route("PATCH", "/api/drafts/{draft}/", Answer.FORWARD, {**PROJECT, "task": NUMBER}, body=Body.DRAFT),
    Route("DELETE", "/api/drafts/{draft}/", Answer.FORWARD, {**PROJECT, "task": NUMBER}, body=Body.IGNORED),
)  # fmt: skip
"""Label Studio 1.23.2's own paths, as far as its labelling page requests them."""


@dataclass(frozen=True)
class Match:
    """A request of the allow-list: its route, the numbers and the file in it, and the parameters to pass on."""

    route: Route
    numbers: Mapping[str, int]
    file: str
    parameters: Mapping[str, str]


def find_route(method: str, path: str, query: Sequence[tuple[str, str]]) -> Match | None:
    """The entry for a request; None if the gate refuses the request.

    ``path`` is the path as it was sent, ``query`` the decoded pairs in their order.
    """
    for route, pattern in _compiled():
        if route.method != method or not (found := pattern.fullmatch(path)):
            continue
        values = dict(query)
        if len(values) != len(query) or not set(route.needed) <= values.keys() <= route.parameters.keys():
            continue
        if any(not re.fullmatch(route.parameters[name], value) for name, value in values.items()):
            continue
        named = found.groupdict()
        file = named.pop("file", "")
        numbers = {name: int(value) for name, value in named.items()}
        for name, value in values.items():
            known = NUMBERED.get(name)
            if known and numbers.setdefault(known, int(value)) != int(value):
                return None
        return Match(route, numbers, file, {name: values[name] for name in route.passed if name in values})
    return None


NUMBERED = {"project": "project", "task": "task", "taskID": "task"}
"""Query parameters whose number is checked like a number of the path."""


@cache
def _compiled() -> list[tuple[Route, re.Pattern[str]]]:
    return [(route, _pattern(route.path)) for route in ROUTES]


def _pattern(path: str) -> re.Pattern[str]:
    def named(found: re.Match[str]) -> str:
        return f"(?P<{found[1]}>{FILE if found[1] == 'file' else NUMBER})"

    return re.compile(re.sub(r"\{(\w+)\}", named, path.rstrip("/")) + "/?")
