"""The gate as an ASGI application: checks each request by the allow-list, the session and the owners."""

import asyncio
import hmac
import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from annotation.gate import headers, pages, responses
from annotation.gate.answers import own_answer, trim
from annotation.gate.assets import Assets
from annotation.gate.bodies import MOST_BYTES, BodyError, read_body
from annotation.gate.inner import DownError, Inner
from annotation.gate.owners import Author, Owners
from annotation.gate.refusals import Refusals
from annotation.gate.routes import Answer, Body, Match, find_route
from annotation.gate.sessions import AGE, Session, Sessions
from annotation.gate.settings import Address
from annotation.gate.sign_in import COOKIE, SignIn
from annotation.server.ownership import user_number

TOKEN = "csrftoken"
"""The cookie that scripts of the gate's pages read, and send back as X-CSRFToken."""
BODY_SECONDS = 30.0
"""How long a browser may take to send a body."""
OPEN_TASKS = {
    "filters": {"conjunction": "and", "items": []},
    "ordering": ["tasks:id"],
    "selectedItems": {"all": True, "excluded": []},
}
"""Asks Label Studio for the first open task in the order of import, whoever else may have looked at it."""
SCRIPTS = ("theme.js", "requests.js", "links.js", "scrolling.js", "questions.js", "keys.js", "progress.js")
"""Files of the gate that Label Studio's page loads before its own."""
STYLES = '<link rel="stylesheet" href="/gate/labelling.css">'
TYPES = {"css": "text/css", "js": "text/javascript"}


class RefusedError(Exception):
    """The gate does not let this request through; the text says why, for the log alone."""


@dataclass(frozen=True)
class Visit:
    """A request with its entry in the allow-list and its session."""

    request: Request
    match: Match
    name: str
    """The name of the session, from the browser's cookie; may be empty or invalid."""
    session: Session
    """Without an email address if nobody is signed in."""


NOBODY = Session("", 0, "", "")


class Gate:
    """Answers every request. Stateless except for bounded caches."""

    def __init__(
        self, address: Address, inner: Inner, owners: Owners, sessions: Sessions, sign_in: SignIn, assets: Assets
    ):
        self.address, self.inner, self.owners, self.sessions = address, inner, owners, sessions
        self.sign_in, self.assets, self.refusals = sign_in, assets, Refusals()
        self.files = {
            each.name: each.read_bytes() for each in files(__package__).joinpath("files").iterdir() if each.is_file()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._answer(request)
        for name, value in headers.ALWAYS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", headers.CLOSED)
        response.headers.setdefault("Cache-Control", "no-store")
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = request.scope.get("raw_path", b"").decode("latin-1")
        name = request.cookies.get(self.address.cookie, "")
        session = (self.sessions.find(name) if name else None) or NOBODY
        try:
            match = self._match(request, path)
            if match.route.signed_in and not session.email:
                return responses.signed_out(path, _query(request))
            visit = Visit(request, match, name, session)
            return await self._answer_match(visit)
        except RefusedError as refused:
            self.refusals.note(session.email, request.method, path, str(refused))
            return responses.problem(path, 404, "There is nothing here for you.")
        except DownError as down:
            return responses.problem(path, 502, str(down))
        except ClientDisconnect:
            return Response(status_code=400)

    def _match(self, request: Request, path: str) -> Match:
        if re.sub(r":\d+$", "", request.headers.get("host", "")) not in self.address.hosts:
            raise RefusedError("asked for by another name")
        if "authorization" in request.headers or "x-api-key" in request.headers:
            raise RefusedError("with a token")
        match = find_route(request.method, path, _pairs(_query(request)))
        if match is None:
            raise RefusedError("not in the allow-list")
        return match

    async def _answer_match(self, visit: Visit) -> Response:
        answer, numbers = visit.match.route.answer, dict(visit.match.numbers)
        if visit.request.method != "GET":
            self._check_origin(visit.request)
        if answer is Answer.SIGN_IN:
            return await self._sign_in(visit)
        passed = None
        if visit.request.method != "GET":
            self._check_token(visit)
            passed = await self._body(visit, numbers)
        if numbers and not await self.owners.owns_all(visit.session.email, visit.session.user, numbers):
            raise RefusedError("not the account's own")
        match answer:
            case Answer.HEALTH:
                return PlainTextResponse("ok\n")
            case Answer.GATE_FILE:
                return self._file(visit.match.file or visit.match.route.path.strip("/"))
            case Answer.SIGN_IN_FORM:
                return self._sign_in_form(visit)
            case Answer.SIGN_OUT:
                return self._sign_out(visit)
            case Answer.HOME:
                projects = await self.owners.projects(visit.session.email)
                any_open = any(map(self.owners.is_open, projects))
                return responses.page(pages.home_page(visit.session.email, projects, any_open))
            case Answer.NEXT_PROJECT:
                still = await self.owners.open_projects(visit.session.email)
                return RedirectResponse(f"/projects/{still[0].number}/data?labeling=1" if still else "/", 303)
            case Answer.PROGRESS:
                return await self._progress(visit, numbers["project"])
            case Answer.PAGE:
                return await self._page(visit)
            case Answer.ASSET:
                return await self._asset(visit.request, visit.match.route.path.format(file=visit.match.file))
            case Answer.NEXT_TASK:
                return await self._next_task(visit, numbers["project"])
            case Answer.FORWARD:
                path = visit.match.route.path.format(**numbers)
                return await self._forward(visit, path, visit.match.parameters, passed)
        return JSONResponse(own_answer(answer, visit.session, numbers))

    # Checks

    def _check_origin(self, request: Request) -> None:
        """Raises RefusedError if a page of another site may have sent the request."""
        origin = request.headers.get("origin")
        if origin is None:
            origin = "/".join(request.headers.get("referer", "").split("/")[:3])
        if origin not in self.address.origins or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise RefusedError("from another site")

    def _check_token(self, visit: Visit) -> None:
        sent = visit.request.headers.get("x-csrftoken", "")
        if not hmac.compare_digest(sent.encode(), visit.session.token.encode()):
            raise RefusedError("without the session's token")

    async def _body(self, visit: Visit, numbers: dict[str, int]) -> dict[str, Any] | None:
        """The part of the body that Label Studio gets; None for no part. Adds the body's numbers to ``numbers``."""
        content, kind = await self._read(visit.request), visit.match.route.body
        if kind in (Body.NOTHING, Body.IGNORED):
            return None
        if visit.request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise RefusedError("the body is not JSON")
        try:
            passed, named = read_body(kind, content)
        except BodyError as error:
            raise RefusedError(str(error)) from error
        for name, number in named.items():
            if numbers.setdefault(name, number) != number:
                raise RefusedError(f"the body names another {name}")
        if kind is Body.ANNOTATION and "draft" in named:
            passed["draft_id"] = named["draft"]
        return passed

    async def _read(self, request: Request) -> bytes:
        content = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in request.stream():
                    content += chunk
                    if len(content) > MOST_BYTES:
                        raise RefusedError(f"the body has more than {MOST_BYTES} bytes")
        except TimeoutError:
            raise RefusedError("the body takes too long") from None
        return bytes(content)

    # Signing in and out

    def _sign_in_form(self, visit: Visit) -> Response:
        goal = visit.request.query_params.get("next", "")
        if visit.session.email:
            return RedirectResponse(goal or "/", 303)
        return self._form(goal)

    def _form(self, goal: str, email: str = "", problem: str = "", status: int = 200) -> Response:
        token = secrets.token_urlsafe(24)
        response = responses.page(pages.sign_in_page(token, goal, email, problem), status)
        self._set_cookie(response, TOKEN, token, http_only=False, age=3600)
        return response

    async def _sign_in(self, visit: Visit) -> Response:
        content = await self._read(visit.request)
        form = dict(_pairs(content.decode("latin-1")))
        token, sent = visit.request.cookies.get(TOKEN, ""), form.get("csrfmiddlewaretoken", "")
        if not token or not hmac.compare_digest(token.encode(), sent.encode()):
            raise RefusedError("without the form's token")
        goal = visit.request.query_params.get("next", "")
        email, address = form.get("email", "").strip().lower(), self._address_of(visit.request)
        if wait := self.sign_in.wait(email, address):
            self.refusals.note(None, "POST", "/user/login/", f"too many tries from {address}")
            problem = f"Too many tries: wait {-(-wait // 60)} minutes, then try again."
            response = self._form(goal, email, problem, 429)
            response.headers["Retry-After"] = str(wait)
            return response
        account = await self.sign_in.check(email, form.get("password", ""), address)
        if account is None:
            self.refusals.note(None, "POST", "/user/login/", f"wrong password from {address}")
            return self._form(goal, email, "The email address or the password is wrong.")
        if visit.session.email:
            self.sessions.end(visit.name)
        name, session = self.sessions.begin(account.email, account.user, account.cookie)
        response = RedirectResponse(goal or "/", 303)
        self._set_cookie(response, self.address.cookie, name, http_only=True)
        self._set_cookie(response, TOKEN, session.token, http_only=False)
        return response

    def _sign_out(self, visit: Visit) -> Response:
        if visit.request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise RefusedError("from another site")
        self.sessions.end(visit.name)
        response = RedirectResponse("/user/login/", 303)
        for name in (self.address.cookie, TOKEN):
            response.delete_cookie(name, secure=self.address.secure, samesite="lax")
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    def _set_cookie(self, response: Response, name: str, value: str, *, http_only: bool, age: int = AGE) -> None:
        response.set_cookie(name, value, max_age=age, httponly=http_only, secure=self.address.secure, samesite="lax")

    def _address_of(self, request: Request) -> str:
        """The browser's address, as a TLS proxy on this machine gives it; else the address of the connection."""
        peer = request.client.host if request.client else ""
        forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        return forwarded[:64] if forwarded and peer in ("127.0.0.1", "::1") else peer

    # Label Studio

    async def _forward(self, visit: Visit, path: str, parameters: Mapping[str, str], body: Any) -> Response:
        cookies = {COOKIE: visit.session.cookie}
        answer = await self.inner.ask(visit.request.method, path, cookies=cookies, parameters=parameters, body=body)
        if answer.status_code == 401:
            return self._expired(visit)
        if answer.status_code >= 500 or 300 <= answer.status_code < 400:
            raise DownError.failed(answer.status_code)
        if visit.request.method == "DELETE":
            self.owners.annotations.drop(visit.match.numbers.get("annotation", 0))
            self.owners.drafts.drop(visit.match.numbers.get("draft", 0))
        if not answer.content:
            return Response(status_code=answer.status_code)
        try:
            found = json.loads(answer.content)
        except ValueError as error:
            raise DownError("Label Studio's answer is not JSON: try again in a minute.") from error
        self._learn(visit, found)
        content = json.dumps(trim(found, visit.session)).encode("ascii")
        return Response(content, answer.status_code, media_type="application/json")

    async def _next_task(self, visit: Visit, project: int) -> Response:
        """The first open task in the order of import, whoever else may hold a lock on it."""
        parameters = {"id": "next_task", "project": str(project)}
        response = await self._forward(visit, "/api/dm/actions/", parameters, OPEN_TASKS)
        if response.status_code != 404:
            return response
        task = await self.owners.first_open_task(project)
        if task is None:
            self.owners.finish(project)
            return response
        visit = replace(visit, request=Request({**visit.request.scope, "method": "GET"}))
        return await self._forward(visit, f"/api/tasks/{task}/", {}, None)

    async def _progress(self, visit: Visit, project: int) -> Response:
        found = await self.owners.progress(visit.session.email, project)
        if found is None:
            raise RefusedError("no such project")
        return JSONResponse(vars(found))

    def _learn(self, visit: Visit, found: Any) -> None:
        """Remembers the owner of a task, annotation or draft that Label Studio returned from the account's project."""
        route, numbers = visit.match.route, visit.match.numbers
        if not isinstance(found, dict) or "id" not in found:
            return
        if route.answer is Answer.NEXT_TASK and found.get("project") == numbers["project"]:
            self.owners.tasks.put(found["id"], found["project"])
        elif route.body is Body.ANNOTATION and found.get("completed_by"):
            self.owners.annotations.put(found["id"], Author(found["task"], user_number(found["completed_by"])))
        elif route.body is Body.DRAFT and "created_username" in found:
            self.owners.drafts.put(found["id"], Author(found["task"], user_number(found["created_username"])))

    async def _page(self, visit: Visit) -> Response:
        project = visit.match.numbers["project"]
        if "labeling" not in visit.request.query_params:
            return RedirectResponse(f"/projects/{project}/data?labeling=1", 303)
        path = visit.match.route.path.format(project=project)
        answer = await self.inner.ask("GET", path, cookies={COOKIE: visit.session.cookie})
        if answer.status_code in (302, 401, 403):
            return self._expired(visit)
        nonce = headers.find_nonce(answer.headers.get("content-security-policy-report-only", ""))
        if answer.status_code != 200 or nonce is None or b"<head>" not in answer.content:
            raise DownError(f"Label Studio's page is not what it should be (HTTP {answer.status_code}): try again.")
        scripts = "".join(f'<script src="/gate/{name}" nonce="{nonce}"></script>' for name in SCRIPTS)
        html = answer.content.replace(b"<head>", b"<head>" + (STYLES + scripts).encode(), 1)
        return HTMLResponse(html, headers={"Content-Security-Policy": headers.page_policy(nonce)})

    def _expired(self, visit: Visit) -> Response:
        """Label Studio no longer knows the session: the password was changed, or the account is gone."""
        self.sessions.end(visit.name)
        return responses.signed_out(visit.request.scope["path"], _query(visit.request))

    async def _asset(self, request: Request, path: str) -> Response:
        asset = await self.assets.find(path)
        if asset is None:
            raise RefusedError("no such file")
        return responses.asset(asset, request.headers)

    def _file(self, name: str) -> Response:
        if name not in self.files:
            raise RefusedError("no such file")
        media_type = TYPES[name.rpartition(".")[2]]
        return Response(self.files[name], media_type=media_type, headers={"Cache-Control": "public, max-age=300"})


def _query(request: Request) -> str:
    """The query as it was sent."""
    return bytes(request.scope["query_string"]).decode("latin-1")


def _pairs(text: str) -> list[tuple[str, str]]:
    """The pairs of a query or a form. Other text gives a pair of empty texts, which no route of the gate takes."""
    try:
        return parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=16) if text else []
    except ValueError:
        return [("", "")]


def application(gate: Gate) -> Starlette:
    """The application, which closes connections and sessions when it ends."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await gate.inner.close()
            gate.sessions.close()

    return Starlette(routes=[Mount("/", app=gate)], lifespan=lifespan)
