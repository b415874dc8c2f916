"""Every route of Label Studio, each method, with a session and with a token: only the allow-list answers."""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from annotation.gate.routes import ROUTES, Answer, Body, find_route
from annotation.server.accounts import session
from annotation.server.home import Home
from tests.annotation.gate.projects import Desk, make_desk
from tests.annotation.gate.resolver import fill, resolver_patterns
from tests.annotation.parts import Gate, Studio

TRIED = {"session": 8, "token": 5, "legacy token": 2, "key": 2, "nobody": 2}
"""How many of the methods are tried with which credentials."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")

ANSWERED = {
    # pages and files
    ("GET", "^$"): "the list of one's own projects",
    ("GET", "^projects/"): "the same",
    ("GET", "^projects/<int:pk>/data/"): "the labelling page of one's own project",
    ("GET", "^user/login/"): "the gate's sign-in page",
    ("POST", "^user/login/"): "signing in",
    ("GET", "^^logout/?$"): "signing out",
    ("GET", r"^sw\.js$"): "a script of the gate that does nothing",
    ("GET", "^react-app/(?P<path>.*)$"): "scripts and style sheets of the page",
    ("GET", "^static/(?P<path>.*)$"): "the same",
    # answered by the gate itself
    ("GET", "^api/current-user/whoami"): "one's own account",
    ("GET", "^^api/^users/$"): "one's own account alone",
    ("GET", "api/version/"): "a version number",
    ("GET", "^api/ml/"): "an empty list",
    ("GET", "^api/^label_links/$"): "an empty list",
    ("GET", "^api/dm/^views/$"): "one view for everybody",
    ("GET", "^api/dm/columns/"): "the names of what one's own tasks hold",
    ("GET", "^api/tasks/"): "an empty list",
    ("GET", "^gate/progress$"): "counts of one's own project",
    # one's own work
    ("GET", "^api/projects/<int:pk>/"): "one's own project",
    ("GET", "^api/projects/<int:pk>/label-stream-history/"): "the tasks one has seen",
    ("GET", "^api/dm/project/"): "counts of one's own project",
    ("POST", "^api/dm/actions/"): "one's next task",
    ("GET", "^api/tasks/<int:pk>/"): "one's own task, with one's own annotations",
    ("POST", "^api/tasks/<int:pk>/annotations/"): "submitting and skipping",
    ("PATCH", "^api/annotations/<int:pk>/"): "changing one's own annotation",
    ("DELETE", "^api/annotations/<int:pk>/"): "taking back one's own skip or answer",
    ("POST", "^api/tasks/<int:pk>/drafts"): "a draft",
    ("POST", "^api/tasks/<int:pk>/annotations/<int:annotation_id>/drafts"): "a draft of a change",
    ("PATCH", "^api/drafts/<int:pk>/"): "changing one's own draft",
    ("DELETE", "^api/drafts/<int:pk>/"): "dropping one's own draft",
}
"""What the gate answers of Label Studio's 349 routes and of its own, and with what."""

PATTERNS = 349
OWN = ["^gate/progress$"]
"""The gate's own route that tells an account something."""
OPEN = {"^user/login/", r"^sw\.js$"}
"""What is answered without a session."""
LEFT_OUT = {("GET", "^^logout/?$"), ("POST", "^user/login/")}
"""Would end the session that the test asks with, or begin another one. They have tests of their own."""
QUERIES: Mapping[str, str] = {
    "POST /api/dm/actions/": "id=next_task&project={project}",
    "GET /projects/{project}/data/": "labeling=1",
    "GET /gate/progress": "project={project}",
    **{f"GET /api/{name}/": "project={project}" for name in ("users", "ml", "label_links", "tasks")},
    **{f"GET /api/dm/{name}/": "project={project}" for name in ("views", "columns", "project")},
}
"""What the page adds to an address; a request is tried with it and without."""


@dataclass(frozen=True)
class Setting:
    mine: Desk
    theirs: Desk
    patterns: list[str]


@pytest.fixture(scope="module")
def setting(gate: Gate, studio: Studio, api_of_module: httpx.Client) -> Setting:
    mine = make_desk(api_of_module, studio, studio.annotator("mine"))
    theirs = make_desk(api_of_module, studio, studio.annotator("theirs"))
    return Setting(mine, theirs, resolver_patterns(Home(studio.home)))


@pytest.fixture(scope="module")
def api_of_module(studio: Studio) -> Iterator[httpx.Client]:
    with session(studio.connection.url, studio.admin_email, studio.admin_password) as client:
        yield client


def test_the_resolver_is_the_one_that_the_list_was_made_for(setting: Setting) -> None:
    assert len(setting.patterns) == PATTERNS


def test_only_the_allow_list_answers(gate: Gate, studio: Studio, setting: Setting) -> None:
    answered: dict[tuple[str, str], set[str]] = defaultdict(set)
    before = everything_else(studio, setting)
    token = setting.mine.account.token
    with signed_in(gate, setting.mine) as asking:
        credentials: dict[str, dict[str, str]] = {
            "session": asking.cookies,
            "token": {"Authorization": f"Bearer {token}"},
            "legacy token": {"Authorization": f"Token {token}", **asking.cookies},
            "key": {"X-Api-Key": token, **asking.cookies},
            "nobody": {},
        }
        for pattern in setting.patterns + OWN:
            for who, headers in credentials.items():
                for whose, desk in (("mine", setting.mine), ("theirs", setting.theirs)):
                    if who != "session" and whose == "theirs":
                        continue
                    for method in METHODS[: TRIED[who]]:
                        if (method, pattern) in LEFT_OUT:
                            continue
                        path = fill(pattern, desk.numbers)
                        for query in queries(method, path, desk):
                            status, goal = asking.ask(method, path + query, headers)
                            if status not in (401, 404) and not (goal or "").startswith("/user/login/"):
                                answered[method, pattern].add(f"{who}, {whose}")
    assert set(answered) | LEFT_OUT == set(ANSWERED)
    for (method, pattern), who in answered.items():
        others = set() if names_a_number(pattern) else {"session, theirs"}
        strangers = {"nobody, mine"} if pattern in OPEN else set()
        assert who == {"session, mine"} | others | strangers, (method, pattern)
    assert everything_else(studio, setting) == before


@dataclass(frozen=True)
class Asking:
    """One connection to the gate, and the headers of a page that is signed in."""

    connection: HTTPConnection
    origin: str
    token: str
    cookies: dict[str, str]

    def ask(self, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, str | None]:
        """(status, where the answer leads)."""
        body = b"{}" if method in ("POST", "PUT", "PATCH", "DELETE") else None
        page = {"Origin": self.origin, "X-CSRFToken": self.token, "Content-Type": "application/json"}
        self.connection.request(method, path, body, {**page, **headers})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status, answer.headers["location"]


@contextmanager
def signed_in(gate: Gate, desk: Desk) -> Iterator[Asking]:
    with session(gate.url, desk.account.email, desk.account.password) as client:
        cookies = {"Cookie": "; ".join(f"{each.name}={each.value}" for each in client.cookies.jar)}
        connection = HTTPConnection(urlsplit(gate.url).netloc, timeout=60)
        try:
            yield Asking(connection, gate.url, client.cookies["csrftoken"], cookies)
        finally:
            connection.close()


def names_a_number(pattern: str) -> bool:
    """Whether a colleague's number can stand in the address."""
    return "<int:" in pattern or pattern in ("^api/dm/columns/", "^api/dm/project/", "^api/dm/actions/", *OWN)


def queries(method: str, path: str, desk: Desk) -> list[str]:
    """The query parameters that the page adds there, and none."""
    for key, query in QUERIES.items():
        known, _, route = key.partition(" ")
        if known == method and path.rstrip("/") == route.format(project=desk.numbers.project).rstrip("/"):
            return ["", "?" + query.format(project=desk.numbers.project)]
    return [""]


def everything_else(studio: Studio, setting: Setting) -> dict[str, Any]:
    """The rows of Label Studio's database that no annotator may change."""
    mine = setting.mine.account.user_id
    tables = {
        "projects": "SELECT id, title, description, label_config, expert_instruction FROM project",
        "tasks": "SELECT id, data, project_id FROM task",
        "annotations": f"SELECT id, result, completed_by_id FROM task_completion WHERE completed_by_id != {mine}",
        "drafts": f"SELECT id, result, user_id FROM tasks_annotationdraft WHERE user_id != {mine}",
        "users": "SELECT id, email, password, is_active, is_superuser FROM htx_user",
        "organizations": "SELECT id, token, title FROM organization",
        "webhooks": "SELECT id, url FROM webhook",
        "backends": "SELECT id, url FROM ml_mlbackend",
        "tokens": "SELECT key, user_id FROM authtoken_token",
        "outstanding": "SELECT jti FROM token_blacklist_outstandingtoken",
        "views": "SELECT id, data FROM data_manager_view",
        "uploads": "SELECT id, file FROM data_import_fileupload",
    }
    db = sqlite3.connect(studio.home / "data" / "label_studio.sqlite3", timeout=60)
    try:
        return {name: db.execute(f"{query} ORDER BY 1").fetchall() for name, query in tables.items()}
    finally:
        db.close()


OTHER_PARAMETERS = (
    *(
        "ids[]=1",
        "query=%7B%7D",
        "resolve_uri=true",
        "exportType=JSON",
        "download_all_tasks=true",
        "view=x",
        "review=1",
    ),
    *("project=1&project=2", "fields=all", "include=label_config%00", "page_size=0", "project=-1", "project=1e3"),
    *(
        "project=%D9%A1",
        "completed_by=1",
        "user=1",
        "was_cancelled=1",
        "labeling=1&labeling=1",
        "format=json",
        "token=x",
    ),
    *(
        "next=//evil.example",
        "next=https://evil.example",
        "next=/%5Cevil.example",
        "next=javascript:alert(1)",
        "=",
        "&",
    ),
)


def test_no_route_takes_other_query_parameters(gate: Gate, setting: Setting) -> None:
    with signed_in(gate, setting.mine) as asking:
        for route in ROUTES:
            path = route.path.format(**asdict(setting.mine.numbers), file="main.js")
            for query in OTHER_PARAMETERS:
                assert asking.ask(route.method, f"{path}?{query}", asking.cookies) == (404, None), (path, query)
        assert asking.ask("GET", "/", asking.cookies) == (200, None)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../data/label_studio.sqlite3", "/static/css/..%2f..%2fx.css", "/static/css/%2e%2e/x.css", "//evil/",
        "/react-app/.hidden.js", "/react-app/main.js.map", "/projects/01/data", "/projects/1%00/data", "/gate/../x.py",
        "/api/tasks/1;/", "/API/version", "/api//version", "/api/version//", "/projects/1/data/x", "/gate/page.html.j2",
        "/data/upload/1/x.png", "/data/avatars/x.png", "/media/x.png", "/sw-fallback.js", "/api/tasks/99999999999/",
    ],
)  # fmt: skip
def test_no_other_spelling_of_a_path_is_known(path: str) -> None:
    assert find_route("GET", path, []) is None


def test_whatever_label_studio_answers_names_whose_it_is() -> None:
    for route in ROUTES:
        if route.answer in (Answer.FORWARD, Answer.NEXT_TASK, Answer.PAGE):
            assert re.search(r"\{(project|task|annotation|draft)\}", route.path) or "project" in route.needed, route
        assert set(route.needed) | set(route.passed) <= route.parameters.keys()
        assert route.signed_in or route.answer in PUBLIC
        assert (route.method == "GET") == (route.body is Body.NOTHING), route


PUBLIC = (Answer.HEALTH, Answer.GATE_FILE, Answer.SIGN_IN_FORM, Answer.SIGN_IN)
