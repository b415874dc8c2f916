"""A client for the parts of Label Studio that a campaign needs. No other module uses its SDK."""

import base64
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import orjson
from label_studio_sdk import LabelStudio
from label_studio_sdk.core.api_error import ApiError

from annotation.journal.journal import sortable_time
from annotation.protocols import Page
from annotation.server.accounts import is_loopback
from annotation.server.connection import URL, Connection
from annotation.server.ownership import describe, read_description
from schemas.errors import RunError, UserError

T = TypeVar("T")

ATTEMPTS = 5
"""Most attempts at a read. A write is tried once: before a retry, its caller reads what Label Studio holds."""
PAUSE = 0.2
"""Seconds before the second attempt, doubled before each further attempt."""
PROJECTS = 100
"""Projects in a page of a listing."""
LISTED = 5_000
"""Tasks in a page of a listing."""
EXPORTED = 200
"""Tasks in an export. More ids would make an address that servers refuse as too long."""


class MissingError(RunError):
    """The requested object is not in Label Studio, or has been deleted."""


class FailedError(RunError):
    """Label Studio answers, but fails at this request."""


SETTINGS: dict[str, Any] = {
    "show_instruction": True,
    "show_skip_button": True,
    "enable_empty_annotation": False,
    "maximum_annotations": 1,
    "sampling": "Sequential sampling",
}
"""The settings of each project, beside its page."""


@dataclass(frozen=True)
class Project:
    project: int
    marker: str
    """The project's description without the owner, by which a push or pull finds the project."""
    owner: str
    """The email address of the project's annotator, by its description; empty if the description names no owner."""
    tasks: int
    created: str
    """The server's time of the creation, which nobody can change through the API."""
    page: Page
    settings: Mapping[str, Any]
    """The values of SETTINGS."""


@dataclass(frozen=True)
class TaskState:
    task: int
    updated: str
    """The server's time of the last change of the task or its annotations, ISO 8601 in UTC."""
    annotations: int
    """The number of annotations and skips."""
    suggested: bool
    """Whether the task has predictions, from which Label Studio fills in answers."""


class Studio:
    """A Label Studio server, used with a personal access token.

    Every method raises UserError if the token is refused, MissingError if an object is missing, and RunError if all
    attempts fail. No message contains the token.
    """

    def __init__(self, connection: Connection, timeout: float = 120.0):
        self.url = connection.url.rstrip("/")
        self.public_url = connection.public_url.rstrip("/")
        self._token = connection.token
        self._client = httpx.Client(timeout=timeout, follow_redirects=True, trust_env=not is_loopback(self.url))
        try:
            sdk: Any = LabelStudio  # its constructor has no types
            self._sdk: LabelStudio = sdk(base_url=self.url, api_key=connection.token, httpx_client=self._client)
        except ApiError as error:
            self._client.close()
            raise self._translate(error) from None
        # the SDK asks for access tokens at the root of the host, unless the address ends with a slash
        self._sdk._client_wrapper._tokens_client._base_url = f"{self.url}/"
        self._options: Any = {"max_retries": 0, "timeout_in_seconds": timeout}

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> "Studio":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def check_address(self) -> None:
        """Raises UserError if something other than Label Studio answers at the address: Label Studio tells its version
        to anybody. Returns if nothing answers, or if the answer is a refusal: the next request says so."""
        try:
            answer = self._client.get(f"{self.url}/api/version")
            told = orjson.loads(answer.content) if answer.status_code == 200 else {}
        except httpx.TooManyRedirects:
            told, answer = {}, None
        except httpx.HTTPError:
            return
        except orjson.JSONDecodeError:
            told = {}
        refused = answer is not None and (answer.status_code in (401, 403) or answer.status_code >= 500)
        if not refused and not any(str(name).startswith("label-studio") for name in told):
            raise UserError(
                f"{self.url} is not the address of a Label Studio: set {URL} to the server's address, with the path "
                "below which it answers, if it has one"
            )

    def identity(self) -> str:
        """The server's identity, in 32 hexadecimal digits: a backup keeps it, and another server has another.

        The identity is a hash of number and creation time (in microseconds) of the organisation, which no request can
        change.
        """
        organisation = self._send("GET", "api/current-user/whoami")["active_organization"]
        found = self._send("GET", f"api/organizations/{organisation}")
        return hashlib.blake2b(f"{found['id']} {found['created_at']}".encode(), digest_size=16).hexdigest()

    # People

    def whoami(self) -> str:
        """The email address of the token's owner."""
        return str(self._read(lambda: self._sdk.users.whoami(request_options=self._options)).email)

    def people(self) -> dict[int, str]:
        """The email address of each user, by number."""
        users = self._read(lambda: self._sdk.users.list(request_options=self._options))
        return {user.id: user.email for user in users}

    def accounts(self) -> dict[str, int]:
        """The number of the user with each email address, in lower case; of several users, the lowest number."""
        return {email.lower(): number for number, email in sorted(self.people().items(), reverse=True)}

    def password(self, email: str) -> str:
        """The password of an account that gristmill creates: 96 bits derived from token and address, never stored.

        No password begins with "-", which a spreadsheet would take for a formula.
        """
        digest = hmac.digest(self._token.encode(), f"gristmill account {email}".encode(), "sha256")
        password = base64.urlsafe_b64encode(digest[:12]).decode()
        return f"_{password[1:]}" if password.startswith("-") else password

    def invite_url(self) -> str:
        """The address of the sign-up form for invited people."""
        link = str(self._send("GET", "api/invite")["invite_url"])
        return link if "://" in link else self.url + link

    # Projects

    def projects(self) -> list[Project]:
        """All projects, sorted by number."""
        found: dict[int, Project] = {}
        for page in itertools.count(1):
            listed = self._send("GET", "api/projects", {"page": page, "page_size": PROJECTS})
            found |= {each["id"]: _project(each) for each in listed["results"]}
            if not listed["next"]:
                break
        return [found[number] for number in sorted(found)]

    def create_project(self, title: str, marker: str, owner: str, page: Page) -> int:
        """Creates a project for one annotator; returns its number.

        The project is found again by ``marker``. ``owner`` is the annotator's email address.
        """
        created: Any = self._call(
            lambda: self._sdk.projects.create(
                title=title,
                description=describe(marker, owner),
                label_config=page.config,
                expert_instruction=page.instruction,
                request_options=self._options,
                **SETTINGS,
            )
        )
        return int(created.id)

    def project(self, project: int) -> Project:
        return _project(self._send("GET", f"api/projects/{project}"))

    def repair_project(self, project: int, marker: str, owner: str, page: Page) -> None:
        """Gives a project its description, page and settings again."""
        fields = {
            "description": describe(marker, owner),
            "label_config": page.config,
            "expert_instruction": page.instruction,
        }
        self._send("PATCH", f"api/projects/{project}/", body={**fields, **SETTINGS})

    def delete_project(self, project: int) -> None:
        self._call(lambda: self._sdk.projects.delete(id=project, request_options=self._options))

    # Tasks

    def import_tasks(self, project: int, data: Sequence[dict[str, str]]) -> list[int]:
        """Adds tasks to a project; returns their numbers, in the order of ``data``."""
        request: Any = [{"data": fields} for fields in data]
        answer: Any = self._call(
            lambda: self._sdk.projects.import_tasks(
                id=project, request=request, return_task_ids=True, request_options=self._options
            )
        )
        numbers = list(answer.task_ids or [])
        if len(numbers) != len(data):
            raise RunError(f"{self.url} accepted {len(numbers)} of {len(data)} tasks: run the same command again")
        return numbers

    def delete_tasks(self, project: int, tasks: Iterable[int]) -> None:
        for task in tasks:
            try:
                self._call(lambda task=task: self._sdk.tasks.delete(id=str(task), request_options=self._options))  # type: ignore[misc]
            except MissingError:
                continue

    def task_states(self, project: int, since: str | None = None) -> list[TaskState]:
        """The tasks of a project, by number. With ``since``: only tasks changed at that time (UTC) or later."""
        return list(self._task_states(project, since))

    def _task_states(self, project: int, since: str | None) -> Iterator[TaskState]:
        after, changed = 0, [] if since is None else [_filter("updated_at", "greater_or_equal", "Datetime", since)]
        while True:  # by number, not by page: pages shift when a task is deleted
            filters = [_filter("id", "greater", "Number", after), *changed]
            tasks = self._listing(project, filters, LISTED)["tasks"]
            for task in tasks:
                count = task["total_annotations"] + task["cancelled_annotations"]
                yield TaskState(task["id"], sortable_time(task["updated_at"]), count, task["total_predictions"] > 0)
            if len(tasks) < LISTED:
                return
            after = tasks[-1]["id"]

    def count_changed(self, project: int, since: str, before: str) -> int:
        """The number of tasks whose last change was at ``since`` or later, and before ``before`` (UTC)."""
        filters = [
            _filter("updated_at", "greater_or_equal", "Datetime", since),
            _filter("updated_at", "less", "Datetime", before),
        ]
        return int(self._listing(project, filters, 1)["total"])

    def count_begun(self, project: int) -> int:
        """The number of tasks with an annotation, a skip or a draft of anybody."""
        filters = [_filter("draft_exists", "equal", "Boolean", True)]
        drafts = int(self._listing(project, filters, 1)["total"])
        return drafts + sum(state.annotations > 0 for state in self.task_states(project))

    def _listing(self, project: int, filters: list[dict[str, Any]], size: int) -> Any:
        query = {"filters": {"conjunction": "and", "items": filters}, "ordering": ["tasks:id"]}
        parameters = {
            "project": project,
            "page_size": size,
            "include": "id,updated_at,total_annotations,cancelled_annotations,total_predictions",
            "query": json.dumps(query),
        }
        return self._send("GET", "api/tasks", parameters)

    def uids(self, project: int, tasks: Sequence[int]) -> dict[int, str | None]:
        """The uid in the data of each task, by task number; None if the data has no uid."""
        return {task["id"]: uid_of(task) for task in self.tasks(project, tasks)}

    def tasks(self, project: int, tasks: Sequence[int], attempts: int = ATTEMPTS) -> Iterator[dict[str, Any]]:
        """Tasks as Label Studio exports them, with all annotations. Deleted tasks are left out."""
        for start in range(0, len(tasks), EXPORTED):
            parameters = {
                "exportType": "JSON",
                "download_all_tasks": "true",
                "download_resources": "false",
                "interpolate_key_frames": "false",
                "ids[]": list(tasks[start : start + EXPORTED]),
            }
            for task in self._send("GET", f"api/projects/{project}/export", parameters, attempts=attempts):
                yield {**task, "updated_at": sortable_time(task["updated_at"])}

    # Webhooks

    def add_webhook(self, project: int, url: str) -> int:
        """Asks Label Studio to call ``url`` when annotations change."""
        actions: Any = ["ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED"]
        body = {
            "url": url,
            "project": project,
            "send_payload": False,
            "send_for_all_actions": False,
            "actions": actions,
        }
        return int(self._send("POST", "api/webhooks/", body=body)["id"])

    def remove_webhook(self, webhook: int) -> None:
        self._call(lambda: self._sdk.webhooks.delete(id=webhook, request_options=self._options))

    # Requests

    def _send(self, method: str, path: str, parameters: Any = None, body: Any = None, attempts: int = ATTEMPTS) -> Any:
        def ask() -> Any:
            transport = self._sdk._client_wrapper.httpx_client
            answer = transport.request(path, method=method, params=parameters, json=body, request_options=self._options)
            if answer.status_code >= 300:
                raise ApiError(status_code=answer.status_code, body=answer.text)
            try:
                return orjson.loads(answer.content)
            except orjson.JSONDecodeError as error:
                raise ApiError(status_code=answer.status_code, body="not JSON") from error

        return self._read(ask, attempts) if method == "GET" else self._call(ask)

    def _read(self, call: Callable[[], T], attempts: int = ATTEMPTS) -> T:
        """Makes a call and repeats it after an outage, but not after a refusal."""
        pause = PAUSE
        for _ in range(attempts - 1):
            try:
                return self._call(call)
            except (MissingError, UserError):
                raise
            except RunError:
                time.sleep(pause)
                pause *= 2
        return self._call(call)

    def _call(self, call: Callable[[], T]) -> T:
        try:
            try:
                return call()
            except ApiError as error:
                if error.status_code != 401:
                    raise
                # the SDK decides by this machine's clock whether its access token is still valid
                self._sdk._client_wrapper._tokens_client._access_token = None
                return call()
        except ApiError as error:
            raise self._translate(error) from None
        except httpx.TimeoutException:
            raise RunError(f"Label Studio at {self.url} did not answer in time: run the same command again") from None
        except httpx.ConnectError:
            raise RunError(
                f"Label Studio at {self.url} does not answer: start it (gristmill studio start), or check its address"
            ) from None
        except (httpx.HTTPError, json.JSONDecodeError) as error:
            kind = type(error).__name__
            raise RunError(
                f"Label Studio at {self.url} broke off its answer ({kind}): run the same command again"
            ) from None

    def _translate(self, error: ApiError) -> Exception:
        code = error.status_code or 0
        if code in (401, 403):
            return UserError(
                f"Label Studio at {self.url} refuses the token (HTTP {code}): "
                "set GRISTMILL_STUDIO_TOKEN to a personal access token of an account there"
            )
        if code == 404:
            return MissingError(f"Label Studio at {self.url} does not have the requested object (HTTP 404)")
        if code == 400:
            return RunError(f"Label Studio at {self.url} refused a request (HTTP 400): {_excerpt(error.body)}")
        if 200 <= code < 300:
            return FailedError(f"{self.url} does not answer like Label Studio: check the address")
        return FailedError(f"Label Studio at {self.url} failed (HTTP {code}): run the same command again")


def _project(found: dict[str, Any]) -> Project:
    marker, owner = read_description(found["description"] or "")
    return Project(
        project=found["id"],
        marker=marker,
        owner=owner,
        tasks=found["task_number"] or 0,
        created=found["created_at"],
        page=Page(found["label_config"] or "", found["expert_instruction"] or ""),
        settings={name: found[name] for name in SETTINGS},
    )


def _filter(column: str, operator: str, kind: str, value: Any) -> dict[str, Any]:
    return {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}


def uid_of(task: dict[str, Any]) -> str | None:
    """The uid in the data of an exported task; None if the data has no uid."""
    uid = task["data"].get("uid") if isinstance(task.get("data"), dict) else None
    return uid if isinstance(uid, str) else None


def _excerpt(body: Any) -> str:
    return " ".join(str(body).split())[:300]
