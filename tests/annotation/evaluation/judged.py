"""Responses of rules of known quality, and judges of them behind the scripted endpoint."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from annotation.evaluation.asking import Asked, Limits, ask_all, distinct
from annotation.evaluation.backend import Backend, Endpoint
from annotation.evaluation.book import Book
from annotation.evaluation.judging import Judge, Verdict, questions, verdicts
from annotation.evaluation.pace import Pace
from annotation.evaluation.pairs import Pair
from annotation.evaluation.spending import Budget
from annotation.evaluation.templates import load
from tests.annotation.evaluation.endpoint import MODEL, Server


async def at_once(seconds: float) -> None:
    """A sleep that takes no time."""
    await asyncio.sleep(0)


def rows(prompts: int, models: Sequence[str] = ("alpha", "beta")) -> list[dict[str, Any]]:
    """Rows of a file of responses; the quality of a model's response depends on the prompt."""
    return [
        {
            "prompt_id": f"p{n:04}",
            "prompt": f"Question {n}?",
            "model": model,
            "response": f"{model} to {n}, quality {(n * k) % 7}",
        }
        for n in range(prompts)
        for k, model in enumerate(models, 1)
    ]


def write_rows(path: Path, rows: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def pair(number: int, first: str, second: str, prompt: str = "What is rye?") -> Pair:
    messages = (("user", prompt),)
    return Pair(f"{number:032x}", f"p{number:05}", None, messages, "alpha", "beta", first, second)


def judge(**changes: Any) -> Judge:
    return Judge(**{"model": MODEL, "template": load("pairwise"), **changes})


def backend(server: Server, **changes: Any) -> Backend:
    """A backend that never waits; ``changes`` are fields of Endpoint."""
    endpoint = Endpoint(**{"base_url": server.url, "model": MODEL, "timeout": 30.0, **changes})
    return Backend(endpoint, Pace(sleep=at_once))


def ask(pairs: Sequence[Pair], by: Judge, server: Server, path: Path, concurrency: int = 4) -> list[Verdict]:
    """The verdicts on the pairs, with the book at that path."""
    asked = list(questions(pairs, by))

    async def run() -> Asked:
        with Book(path) as book:
            async with backend(server) as asks:
                requests = distinct([question.request for question in asked])
                return await ask_all(requests, book, asks, Limits(Budget(), concurrency), lambda progress: None)

    return list(verdicts(asked, asyncio.run(run()).found, by.template))
