"""Asks an OpenAI-compatible endpoint for chat completions. No other module talks to models.

Whatever the endpoint does is a `Reply`, a `Failure`, or an error that stops the run. No message, repr or log holds the
key.
"""

import asyncio
import json
import os
import re
import ssl
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

import httpx
import orjson

from annotation.evaluation.pace import Pace
from annotation.evaluation.replies import FAILURES, Failure, FailureReason, Reply
from annotation.server.accounts import is_loopback
from schemas.errors import RunError, UserError
from schemas.visible import visible

ATTEMPTS = 8
"""Most attempts at a request."""
PATIENT_ATTEMPTS = 50
"""Most attempts where the endpoint says how long to wait."""
FIRST_ATTEMPTS = 3
"""Most attempts at a request while no connection to the endpoint has ever been made: its address may be wrong."""
CONNECT_SECONDS = 30.0
LONGEST_WAIT = 3600.0
"""The longest wait in seconds that an endpoint may ask for; a longer one ends the run."""
MOST_BYTES = 64 << 20
"""The largest answer that is read."""
MOST_TOKENS = 1_000_000_000
"""The most tokens of a prompt or an answer; a larger number of an endpoint is not believed."""
SECRET = 16
"""The least characters of a key that is left out of answers."""
EXCERPT = 200
"""The most characters of an endpoint's message that are shown."""

AGAIN: frozenset[FailureReason] = frozenset(
    ["down", "slow", "cut", "rate_limited", "server_error", "empty", "not_json", "malformed"]
)
"""Failures that may pass: the request is sent again."""
_TOO_LONG = re.compile(
    r"context.{0,10}(?:length|window|size)|maximum.{0,40}tokens|(?:prompt|input).{0,20}too long", re.I
)
_BLOCKED = re.compile(r"content.?(?:filter|policy|management)|moderation|flagged", re.I)
_VERSION = r"(?:[-@](?:\d{4}|\d{4}-?\d{2}-?\d{2}))?"
"""The end of the name of a model's version: a date, or month and day."""
_SSE = re.compile(rb"\A\s*(?:data|event|id|retry):")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An endpoint and the model to ask there. ``accepted``: further names under which the model may answer. ``key`` is
    secret; empty if the endpoint needs none. ``timeout``: the seconds within which an answer must be complete."""

    base_url: str
    model: str
    key: str = field(default="", repr=False)
    key_from: str = ""
    """The environment variable of the key, for messages."""
    accepted: Sequence[str] = ()
    timeout: float = 120.0

    @property
    def shown(self) -> str:
        """The address for messages, without a query, which may hold a secret."""
        return self.base_url.partition("?")[0]


def endpoint_of(base_url: str, model: str, key_from: str, accepted: Sequence[str], timeout: float) -> Endpoint:
    """The endpoint of an address such as ``https://host/v1``; the key is taken from the environment variable
    ``key_from``. Raises UserError if the address or the key cannot be used."""
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, ValueError) as error:
        raise UserError(
            f"--base-url is not a valid address ({error}): give one such as http://127.0.0.1:8000/v1"
        ) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise UserError("--base-url must begin with http:// or https:// and name a host")
    if url.userinfo:
        raise UserError(f"--base-url holds a password: leave it out, and give the key in the variable {key_from}")
    key = os.environ.get(key_from, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise UserError(f"the variable {key_from} holds characters that a key cannot have: set it again")
    return Endpoint(
        base_url=base_url.rstrip("/"), model=model, key=key, key_from=key_from, accepted=accepted, timeout=timeout
    )


class _Bearer(httpx.Auth):
    """Sends the key; httpx would else take a password for this host from ~/.netrc."""

    def __init__(self, key: str):
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        yield request


def _say_nothing(message: str) -> None:
    pass


class Backend:
    """An open connection to an endpoint. ``tell`` is called once with the reason if the first attempt finds that the
    endpoint cannot be reached, as further attempts take a while."""

    def __init__(
        self,
        endpoint: Endpoint,
        pace: Pace | None = None,
        attempts: int = ATTEMPTS,
        tell: Callable[[str], None] = _say_nothing,
    ):
        self.endpoint = endpoint
        self.pace = pace or Pace()
        self.attempts = attempts
        self.tell = tell
        self._reached = self._told = False
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
        self._client = httpx.AsyncClient(
            auth=_Bearer(endpoint.key),
            timeout=httpx.Timeout(endpoint.timeout, connect=min(endpoint.timeout, CONNECT_SECONDS)),
            limits=limits,
            trust_env=not is_loopback(endpoint.base_url),
        )
        url = httpx.URL(endpoint.base_url)
        self._url = url.copy_with(path=f"{url.path.rstrip('/')}/chat/completions")

    async def __aenter__(self) -> "Backend":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def ask(self, body: Mapping[str, Any], tokens: float = 0) -> Reply | Failure:
        """The answer to a request of about that many tokens, after as many attempts as are needed and allowed.

        Raises UserError if the endpoint refuses the key or does not know the address or the model, and RunError if the
        account has no money left or the endpoint asks for a wait of more than LONGEST_WAIT.
        """
        content, attempt = orjson.dumps(body), 0
        while True:
            await self.pace.turn(tokens)
            found = await self._send(content)
            attempt += 1
            if isinstance(found, Reply) or found.reason not in AGAIN:
                return found
            if found.wait is not None:
                self.pace.hold(found.wait)
            if attempt >= self._most_attempts(found):
                return found
            await self.pace.pause(attempt - 1, found.wait)

    def _most_attempts(self, found: Failure) -> int:
        if found.wait is not None:
            return PATIENT_ATTEMPTS
        if self._reached or found.reason != "down":
            return self.attempts
        if not self._told:
            self._told = True
            self.tell(f"{self.endpoint.shown}: {found.message}; trying again")
        return min(FIRST_ATTEMPTS, self.attempts)

    async def _send(self, content: bytes) -> Reply | Failure:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        try:
            async with asyncio.timeout(self.endpoint.timeout):  # httpx limits each wait, an answer may trickle
                async with self._client.stream("POST", self._url, content=content, headers=headers) as response:
                    self._reached = True
                    return self._understand(response, await _body(response))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, ssl.SSLError) as error:
            return self._failure("down", str(error))
        except (httpx.TimeoutException, TimeoutError):
            return self._failure("slow", f"no answer within {self.endpoint.timeout:g} s")
        except (httpx.TransportError, httpx.DecodingError) as error:
            return self._failure("cut", str(error))

    def _understand(self, response: httpx.Response, body: bytes) -> Reply | Failure:
        status = response.status_code
        if 200 <= status < 300:
            return self._completion(body)
        error = _error(body)
        said = f"{error.code} {error.message}"
        if status in (400, 403) and _BLOCKED.search(said):
            return Reply("", "content_filter", "", self.endpoint.model, self.endpoint.shown, 0, 0)
        if status in (401, 403):
            self._refuse_key(status)
        if status == 402 or (status == 429 and error.code == "insufficient_quota"):
            raise RunError(f"{self.endpoint.shown}: the account has no money left: top it up, and run again")
        if status in (408, 409, 425, 429) or status >= 500:
            reason: FailureReason = "rate_limited" if status == 429 else "server_error"
            return self._failure(reason, f"status {status} {said}", self._wait(response))
        if 300 <= status < 400 or status in (404, 405):
            raise UserError(
                f"{self.endpoint.shown} answers with status {status} ({self._excerpt(said)}): check --base-url, which "
                f"usually ends with /v1, and --model {self.endpoint.model}"
            )
        reason = "context_length" if status == 413 or _TOO_LONG.search(said) else "bad_request"
        return self._failure(reason, f"status {status} {said}")

    def _completion(self, body: bytes) -> Reply | Failure:
        if not body.strip():
            return self._failure("empty", "")
        try:
            value = _loose_json(body)
        except (ValueError, RecursionError):
            if _SSE.match(body):
                return self._failure("malformed", "a stream of events, though none was asked for")
            return self._failure("not_json", body[: 4 * EXCERPT].decode("utf-8", "replace"))
        if isinstance(value, dict) and "choices" not in value and "error" in value:
            return self._failure("server_error", _error(body).message)
        try:
            reply = self._without_key(_reply(value, self.endpoint.shown))
        except (KeyError, IndexError, TypeError):
            return self._failure("malformed", body[: 4 * EXCERPT].decode("utf-8", "replace"))
        if not self._is_asked(reply.model):
            return self._failure("other_model", f"{reply.model!r} in place of {self.endpoint.model!r}")
        return reply

    def _without_key(self, reply: Reply) -> Reply:
        """The reply, whose texts are kept, without a key that the endpoint repeats. A short key is no secret, and may
        be a word of the answer."""
        key = self.endpoint.key
        if len(key) < SECRET:
            return reply
        texts = {name: getattr(reply, name).replace(key, "...") for name in ("content", "finish", "refusal", "model")}
        return replace(reply, **texts)

    def _is_asked(self, model: str) -> bool:
        """Whether a name is the model's: the name itself, or the name of a version of it, such as
        ``gpt-4o-2024-08-06`` for ``gpt-4o``."""
        asked = re.escape(self.endpoint.model)
        return model in self.endpoint.accepted or re.fullmatch(asked + _VERSION, model) is not None

    def _refuse_key(self, status: int) -> NoReturn:
        name = self.endpoint.key_from
        what = (
            "refuses the key in the variable" if self.endpoint.key else "asks for a key, which belongs in the variable"
        )
        raise UserError(f"{self.endpoint.shown} {what} {name} (status {status}): set it to a valid key, and run again")

    def _wait(self, response: httpx.Response) -> float | None:
        """The seconds that a response asks to wait. Raises RunError if they are more than LONGEST_WAIT."""
        wait = retry_after(response.headers, time.time())
        if wait is not None and wait > LONGEST_WAIT:
            raise RunError(
                f"{self.endpoint.shown} asks to wait {wait / 3600:.1f} hours before the next request: run the same "
                "command again then; no answer that arrived is lost"
            )
        return wait

    def _failure(self, reason: FailureReason, detail: str, wait: float | None = None) -> Failure:
        said = self._excerpt(detail)
        return Failure(reason, f"{FAILURES[reason]} ({said})" if said else FAILURES[reason], wait)

    def _excerpt(self, text: str) -> str:
        """The beginning of a text from the endpoint, on one line, without the key."""
        if self.endpoint.key:
            text = text.replace(self.endpoint.key, "...")
        text = " ".join(text.split())
        return visible(text[:EXCERPT] + ("..." if len(text) > EXCERPT else ""))


async def _body(response: httpx.Response) -> bytes:
    held = bytearray()
    async for part in response.aiter_bytes():
        held += part
        if len(held) > MOST_BYTES:
            raise httpx.DecodingError(f"the answer is larger than {MOST_BYTES >> 20} MB")
    return bytes(held)


def _loose_json(body: bytes) -> Any:
    """The value of a JSON text. An answer that arrived was paid for: halves of surrogate pairs and bytes that are not
    UTF-8, where a model stopped within a character, become U+FFFD, and numbers such as NaN are allowed. Raises
    ValueError or RecursionError for a text that is not JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _whole(json.loads(body.decode("utf-8", "replace")))


def _whole(value: Any) -> Any:
    """The value with U+FFFD for each lone surrogate in its texts."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return {_whole(name): _whole(each) for name, each in value.items()} if isinstance(value, dict) else value


@dataclass(frozen=True)
class _Error:
    code: str
    message: str


def _error(body: bytes) -> _Error:
    """The code and message of an error, as OpenAI, vLLM and others write it; of any other text its beginning."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _Error("", body[: 4 * EXCERPT].decode("utf-8", "replace"))
    held = value.get("error", value) if isinstance(value, dict) else value
    if not isinstance(held, dict):
        return _Error("", str(held)[: 4 * EXCERPT])
    code = held.get("code") or held.get("type") or ""
    return _Error(str(code), str(held.get("message") or held.get("detail") or ""))


def _reply(value: Any, endpoint: str) -> Reply:
    """The reply of a chat completion. Raises KeyError, IndexError or TypeError for another value."""
    choice = value["choices"][0]
    message, usage = choice["message"], value.get("usage") or {}
    if not isinstance(message, dict) or not isinstance(usage, dict):
        raise TypeError("the message or the usage of the completion is not an object")
    content, refusal, finish = message.get("content"), message.get("refusal"), choice.get("finish_reason")
    model = value.get("model")
    for text in (content, refusal, finish, model):
        if not isinstance(text, str | None):
            raise TypeError("a field of the completion is not a text")
    tokens = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
    counted = [each if type(each) is int and 0 <= each <= MOST_TOKENS else None for each in tokens]
    return Reply(content or "", finish or "", refusal or "", model or "", endpoint, *counted)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds to wait by the headers of a response, None if they do not say. ``now`` is the time since the epoch.

    >>> retry_after({"retry-after": "2.5"}, 0), retry_after({"retry-after-ms": "1500"}, 0), retry_after({}, 0)
    (2.5, 1.5, None)
    >>> retry_after({"retry-after": "Thu, 01 Jan 1970 00:00:09 GMT"}, 2)
    7.0
    """
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        if re.fullmatch(r"\d{1,12}(?:\.\d{1,9})?", text, re.ASCII):
            return float(text) * unit
        if text and name == "retry-after":
            try:
                return max(0.0, parsedate_to_datetime(text).timestamp() - now)
            except (ValueError, OverflowError):
                return None
    return None
