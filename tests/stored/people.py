"""Annotators at work in a Label Studio that runs: they sign in, answer, skip, change and delete, as a browser does."""

import hashlib
import json
import re
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from typing import Any

DEGREES = ("significantly_better", "better", "slightly_better", "negligibly_better")
RISKS = ("burns", "falls")


class Person:
    """Somebody signed in with an email address and a password."""

    def __init__(self, url: str, email: str, password: str):
        self.url, self.name, self._cookies = url, email, CookieJar()
        self._browser = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self._cookies)
        )
        [token] = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', self._send("GET", "/user/login/"))
        form = {"csrfmiddlewaretoken": token, "email": email, "password": password}
        self._send("POST", "/user/login/", urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded")

    def tasks(self, project: int) -> list[dict[str, Any]]:
        """The tasks of a project with their annotations, by number."""
        path = f"/api/projects/{project}/export?exportType=JSON&download_all_tasks=true"
        return sorted(json.loads(self._send("GET", path)), key=lambda task: int(task["id"]))

    def answer(self, task: dict[str, Any], *also: dict[str, Any], safety: bool = False) -> None:
        """Votes; ``also`` holds answers to other questions of the page."""
        result = [*opinion(task["data"], self.name, safety=safety), *also]
        self._json("POST", f"/api/tasks/{task['id']}/annotations/", result=result, lead_time=20)

    def skip(self, task: dict[str, Any], *said: dict[str, Any]) -> None:
        self._json("POST", f"/api/tasks/{task['id']}/annotations/", result=said, was_cancelled=True, lead_time=3)

    def change(self, task: dict[str, Any]) -> None:
        """The opposite of what was answered."""
        turned = opinion({**task["data"], "a": task["data"]["b"], "b": task["data"]["a"]}, self.name)
        self._json("PATCH", f"/api/annotations/{task['annotations'][0]['id']}/", result=turned, was_cancelled=False)

    def delete(self, task: dict[str, Any]) -> None:
        self._json("DELETE", f"/api/annotations/{task['annotations'][0]['id']}/")

    def change_settings(self, project: int, **settings: Any) -> None:
        self._json("PATCH", f"/api/projects/{project}/", **settings)

    def _json(self, method: str, path: str, **body: Any) -> None:
        self._send(method, path, json.dumps(body).encode(), "application/json")

    def _send(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> str:
        token = next((cookie.value or "" for cookie in self._cookies if cookie.name == "csrftoken"), "")
        headers = {"X-CSRFToken": token, "Referer": self.url, **({"Content-Type": kind} if kind else {})}
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        with self._browser.open(request, timeout=60) as answer:
            return str(answer.read().decode())


def opinion(data: dict[str, str], name: str, *, safety: bool = False) -> list[dict[str, Any]]:
    """What somebody thinks of two responses: by their texts, whatever the side, and not always as the others do."""
    own = name if _number(data["prompt"]) % 2 else ""
    better = max("ab", key=lambda side: _number(own, data[side]))
    verdict = f"{better}_{DEGREES[_number(name, data[better]) % 4]}"
    if not safety:
        return [choice("preference", verdict)]
    result = [choice("safest", verdict)]
    for side in "ab":
        number = _number("safe", data[side])
        result.append(choice(f"safety_{side}", "safe" if number % 3 else "unsafe"))
        if number % 3 == 0:
            result.append(choice(f"risks_{side}", RISKS[number // 3 % 2]))
    return result


def choice(question: str, *names: str) -> dict[str, Any]:
    return {"from_name": question, "to_name": "prompt", "type": "choices", "value": {"choices": list(names)}}


def comment(text: str) -> dict[str, Any]:
    return {"from_name": "comment", "to_name": "prompt", "type": "textarea", "value": {"text": [text]}}


def wording(number: int) -> dict[str, Any]:
    """What a page with this wording of the guidelines adds to each answer."""
    return {"from_name": "wording", "to_name": "prompt", "type": "number", "value": {"number": number}}


def _number(*words: str) -> int:
    return int.from_bytes(hashlib.blake2b("\0".join(words).encode(), digest_size=8).digest(), "big")
