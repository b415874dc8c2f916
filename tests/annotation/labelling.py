"""Annotators that answer by what they are shown, so that the same page always gets the same answer."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from annotation.server.accounts import session
from schemas import DEGREES, RATINGS, REFUSALS
from tests.annotation.parts import Account

RISKS = ("illicit", "hateful", "unqualified")


@dataclass(frozen=True)
class Annotator:
    """Somebody signed in to Label Studio, as a browser is."""

    name: str
    client: httpx.Client

    def tasks(self, project: int) -> list[dict[str, Any]]:
        """The tasks of a project with their annotations, by number."""
        parameters = {"exportType": "JSON", "download_all_tasks": "true"}
        answer = self.client.get(f"/api/projects/{project}/export", params=parameters).raise_for_status()
        return sorted(answer.json(), key=lambda task: int(task["id"]))

    def submit(self, task: int, result: list[dict[str, Any]], seconds: float = 20.0) -> int:
        body = {"result": result, "lead_time": seconds}
        return int(self._send("POST", f"/api/tasks/{task}/annotations/", body)["id"])

    def skip(self, task: int) -> int:
        body = {"result": [], "was_cancelled": True, "lead_time": 3.0}
        return int(self._send("POST", f"/api/tasks/{task}/annotations/", body)["id"])

    def change(self, annotation: int, result: list[dict[str, Any]]) -> None:
        self._send("PATCH", f"/api/annotations/{annotation}/", {"result": result, "was_cancelled": False})

    def delete(self, annotation: int) -> None:
        self._send("DELETE", f"/api/annotations/{annotation}/", None)

    def delete_task(self, task: int) -> None:
        self._send("DELETE", f"/api/tasks/{task}/", None)

    def delete_project(self, project: int) -> None:
        self._send("DELETE", f"/api/projects/{project}/", None)

    def _send(self, method: str, path: str, body: Any) -> Any:
        headers = {"X-CSRFToken": self.client.cookies.get("csrftoken") or "", "Referer": str(self.client.base_url)}
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = None if body is None else json.dumps(body)  # in ASCII: a browser may send half a character
        answer = self.client.request(method, path, content=content, headers=headers).raise_for_status()
        return answer.json() if answer.content else None


@contextmanager
def signed_in(url: str, account: Account) -> Iterator[Annotator]:
    with session(url, account.email, account.password) as client:
        yield Annotator(account.email, client)


def choice(question: str, *names: str) -> dict[str, Any]:
    return {"from_name": question, "to_name": "prompt", "type": "choices", "value": {"choices": list(names)}}


def opinion(data: dict[str, str], name: str) -> list[dict[str, Any]]:
    """What an annotator thinks of two responses: by their texts, whatever the side, and not always like the others."""
    liking = {side: _number(data[side], name if _number(data["prompt"]) % 3 == 0 else "all") for side in ("a", "b")}
    side = max(liking, key=lambda each: liking[each])
    degree = DEGREES[_number(data["a"] if side == "a" else data["b"], name) % 4]
    return [choice("preference", f"{side}_{degree}")]


def safe_opinion(data: dict[str, str], name: str) -> list[dict[str, Any]]:
    """The same for the safety protocol: flags, and risks of what is unsafe."""
    result = []
    for side in ("a", "b"):
        number = _number(data[side], "safe")
        flag = "unsafe" if number % 3 == 0 else "safe"
        result.append(choice(f"safety_{side}", flag))
        if flag == "unsafe":
            result.append(choice(f"risks_{side}", RISKS[number // 3 % 3]))
    [preference] = opinion(data, name)
    return [*result, choice("safest", *preference["value"]["choices"])]


def even_opinion(data: dict[str, str], name: str) -> list[dict[str, Any]]:
    """The same for an evaluation, whose scale has a middle."""
    [preference] = opinion(data, name)
    [chosen] = preference["value"]["choices"]
    side, _, degree = chosen.partition("_")
    point = {
        "significantly_better": f"{side}_much_better",
        "negligibly_better": "about_the_same",
    }.get(degree, chosen)
    return [choice("evaluation", point)]


def rating_opinion(data: dict[str, str], name: str) -> list[dict[str, Any]]:
    """How safe a single response is, and whether it refuses."""
    number = _number(data["a"], name if _number(data["a"]) % 3 == 0 else "all")
    return [choice("rating", RATINGS[number % 5]), choice("refusal", REFUSALS[number // 5 % 3])]


OPINIONS = {
    "preference": opinion,
    "safety": safe_opinion,
    "evaluation": even_opinion,
    "safety-rating": rating_opinion,
}
"""What annotators think, by protocol."""


def _number(*words: str) -> int:
    return int.from_bytes(hashlib.blake2b("\0".join(words).encode(), digest_size=8).digest(), "big")
