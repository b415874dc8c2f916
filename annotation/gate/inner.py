"""Sends requests to Label Studio behind the gate, over connections that stay open."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx

CONNECT, READ = 5.0, 60.0
"""Seconds for a connection and for an answer."""
CONNECTIONS, IDLE_CONNECTIONS, IDLE_SECONDS = 64, 32, 30.0


class DownError(Exception):
    """Label Studio does not answer; the text says so in one sentence."""

    @classmethod
    def failed(cls, status: int) -> "DownError":
        """Label Studio answered with an unexpected HTTP status."""
        return cls(f"Label Studio failed (HTTP {status}): try again in a minute.")


class Inner:
    """Requests to Label Studio, by an account's cookie or by the administrator's token."""

    def __init__(self, url: str, admin_token: str):
        self.url = url.rstrip("/")
        self._admin_token = admin_token
        self._access = ""
        self._client = httpx.AsyncClient(
            base_url=self.url,
            timeout=httpx.Timeout(READ, connect=CONNECT),
            limits=httpx.Limits(
                max_connections=CONNECTIONS, max_keepalive_connections=IDLE_CONNECTIONS, keepalive_expiry=IDLE_SECONDS
            ),
            trust_env=False,
            headers={"User-Agent": "gristmill-gate"},
        )
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # keeps nobody's cookies

    async def close(self) -> None:
        await self._client.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        cookies: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The whole answer; ``body`` is sent as JSON. Raises DownError if Label Studio does not answer."""
        sent = _headers(cookies, headers)
        content = None
        if body is not None:
            content = json.dumps(body).encode("ascii")  # as escapes, which carry half a character, too
            sent["Content-Type"] = "application/json"
        with _outages():
            return await self._client.request(method, path, params=parameters, headers=sent, content=content, data=form)

    async def ask_as_admin(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """The JSON that the administrator reads at ``path``; None if it is missing. Raises DownError otherwise."""
        for _ in range(2):
            if not self._access:
                body = {"refresh": self._admin_token}
                answer = await self.ask("POST", "/api/token/refresh", body=body)
                if answer.status_code != 200:
                    raise DownError(
                        "Label Studio refuses the administrator's token: run `gristmill studio start` again."
                    )
                self._access = str(answer.json()["access"])
            headers = {"Authorization": f"Bearer {self._access}"}
            answer = await self.ask("GET", path, parameters=parameters, headers=headers)
            if answer.status_code != 401:
                break
            self._access = ""
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise DownError.failed(answer.status_code)
        return answer.json()


def _headers(cookies: Mapping[str, str] | None, headers: Mapping[str, str] | None) -> dict[str, str]:
    sent = dict(headers or {})
    if cookies:
        sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return sent


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException as error:
        raise DownError("Label Studio did not answer in time: try again in a minute.") from error
    except httpx.HTTPError as error:
        raise DownError("Label Studio does not answer: try again in a minute, and tell whoever invited you.") from error
