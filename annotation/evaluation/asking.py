"""Asks the requests of an evaluation that the book has no answer to, several at a time."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, get_args

from annotation.evaluation.book import Book, Request
from annotation.evaluation.replies import Failure, FailureReason, Reply
from annotation.evaluation.spending import USUAL_ANSWER, Budget, Tokens, prompt_tokens, total, used
from schemas.errors import RunError, UserError

FAILURES_IN_A_ROW = 5
"""As many requests that fail one after the other, each after all its attempts, end the run."""

ADVICE: Mapping[FailureReason, str] = {
    **dict.fromkeys(get_args(FailureReason), "when the endpoint works, run the same command again"),
    "bad_request": "change what the request asks for, with --parameter, and run again",
    "other_model": "ask for the model by that name, or accept the name with --accept-model, and run again",
    "rate_limited": "allow fewer requests, with --requests-per-minute, and run the same command again",
}
"""What to do when requests fail for a reason."""


class Asks(Protocol):
    """What a `Backend` does."""

    async def ask(self, body: Mapping[str, Any], tokens: float = 0) -> Reply | Failure: ...


@dataclass
class Progress:
    """The state of a run, in requests. ``before``: those that the book had answers to; ``stale``: those whose answer in
    the book is asked for again; ``replaced``: the answers that earlier runs asked for again; ``repeated``: those that
    an earlier run sent without an answer in the book, sent again now; ``spent``: the tokens of all answers, with those
    of earlier runs and those that were asked for again."""

    total: int
    before: int = 0
    stale: int = 0
    replaced: int = 0
    answered: int = 0
    failed: int = 0
    repeated: int = 0
    spent: Tokens = field(default_factory=Tokens)

    @property
    def kept(self) -> int:
        """The requests whose answers are in the book."""
        return self.before + self.answered

    @property
    def usual_answer(self) -> float:
        """The mean tokens of an answer so far; USUAL_ANSWER without any."""
        answers = self.before + self.stale + self.replaced + self.answered
        return self.spent.completion / answers if answers else USUAL_ANSWER


Show = Callable[[Progress], None]


@dataclass(frozen=True)
class Asked:
    """The answer or failure of each request, by key."""

    found: Mapping[bytes, Reply | Failure]
    progress: Progress


def distinct(requests: Sequence[Request]) -> list[Request]:
    """The requests without repetitions, in their order."""
    return list({request.key: request for request in requests}.values())


def look_up(
    requests: Sequence[Request], book: Book, stale: Collection[bytes] = ()
) -> tuple[dict[bytes, Reply], Progress]:
    """The answers that the book has to distinct requests, apart from those in ``stale``, and the progress before
    anything is asked."""
    bodies = {request.key: request.body for request in requests}
    paid, replaced = book.answers(bodies), book.replaced(bodies)
    spent = total(used(bodies[key], reply) for key, reply in (*paid.items(), *replaced))
    held = {key: reply for key, reply in paid.items() if key not in stale}
    return held, Progress(len(requests), len(held), len(paid) - len(held), len(replaced), spent=spent)


@dataclass(frozen=True)
class Limits:
    """The budget, and how many requests may wait for an answer at the same time."""

    budget: Budget
    concurrency: int


async def ask_all(
    requests: Sequence[Request], book: Book, backend: Asks, limits: Limits, show: Show, stale: Collection[bytes] = ()
) -> Asked:
    """The answers to distinct requests, from the book or the endpoint. Requests in ``stale`` are asked again.

    Each answer is in the book before the next request of its worker is sent. A request waits while the budget has no
    room for it beside the requests in flight. Raises RunError if the budget has no room for it without them, or if
    FAILURES_IN_A_ROW or all requests fail, and what ``backend`` raises; in each case it first waits for all requests in
    flight, so that no answer is lost or left out of the message.
    """
    held, progress = look_up(requests, book, stale)
    waiting = [request for request in requests if request.key not in held]
    run = _Run(iter(waiting), book, backend, limits.budget, show, progress, dict(held), book.in_flight())
    show(progress)
    async with asyncio.TaskGroup() as group:
        for _ in range(min(limits.concurrency, len(waiting))):
            group.create_task(run.work())
    if isinstance(run.stop, Exception):
        raise run.stop
    if run.stop is not None:
        raise RunError(f"{run.stop.why} {_left(progress)}; {run.stop.advice}")
    if progress.failed and progress.failed == progress.total:
        last = next(reply for reply in run.found.values() if isinstance(reply, Failure))
        raise RunError(f"all {progress.failed:,} requests failed: {last.message}; {ADVICE[last.reason]}")
    return Asked(run.found, progress)


def _left(progress: Progress) -> str:
    left = progress.total - progress.kept
    return f"{progress.kept:,} of {progress.total:,} requests are answered and kept, {left:,} are left"


@dataclass(frozen=True)
class _Stop:
    """Why a run stops, and what to do; the number of answers stands between the two."""

    why: str
    advice: str


@dataclass
class _Run:
    waiting: Iterator[Request]
    book: Book
    backend: Asks
    budget: Budget
    show: Show
    progress: Progress
    found: dict[bytes, Reply | Failure]
    flown: set[bytes]
    """Requests that an earlier run sent without an answer or failure in the book."""
    flying: Tokens = field(default_factory=Tokens)
    in_flight: int = 0
    in_a_row: int = 0
    stop: Exception | _Stop | None = None
    next_in_line: asyncio.Lock = field(default_factory=asyncio.Lock)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def work(self) -> None:
        """Asks one request after the other, until all are asked or the run stops."""
        while self.stop is None and (request := next(self.waiting, None)) is not None:
            expected = await self._reserve(request)
            if expected is None:
                return
            try:
                await self._ask(request, expected)
            except (UserError, RunError) as error:
                self.stop = self.stop or error
            self._release(expected)

    async def _reserve(self, request: Request) -> Tokens | None:
        """The tokens expected of a request, once the budget has room for them; None if the run stops."""
        prompt = prompt_tokens(request.body)
        async with self.next_in_line:
            while self.stop is None:
                expected = Tokens(prompt, self.progress.usual_answer)
                if self.budget.allows(self.progress.spent + self.flying + expected):
                    self.flying += expected
                    self.in_flight += 1
                    return expected
                if not self.in_flight:
                    self.stop = _Stop("the budget is used up:", "raise the budget and run the same command again")
                    break
                self.arrived.clear()
                await self.arrived.wait()
        return None

    def _release(self, expected: Tokens) -> None:
        self.in_flight -= 1
        rest = Tokens(self.flying.prompt - expected.prompt, self.flying.completion - expected.completion)
        self.flying = rest if self.in_flight else Tokens()  # no rounding error stays
        self.arrived.set()

    async def _ask(self, request: Request, expected: Tokens) -> None:
        self.progress.repeated += request.key in self.flown
        self.book.send(request)
        try:
            reply = await self.backend.ask(request.body, expected.total)
        except (UserError, RunError):
            self.book.forget(request)
            raise
        self.found[request.key] = reply
        if isinstance(reply, Reply):
            self.book.keep(request, reply)
            self.progress.answered += 1
            self.progress.spent += used(request.body, reply)
        else:
            self.book.forget(request)
            self.progress.failed += 1
        self._count_failures(reply)
        self.show(self.progress)

    def _count_failures(self, reply: Reply | Failure) -> None:
        if isinstance(reply, Reply) or reply.reason == "context_length":
            self.in_a_row = 0
            return
        self.in_a_row += 1
        if self.in_a_row >= FAILURES_IN_A_ROW:
            why = f"{FAILURES_IN_A_ROW} requests in a row failed: {reply.message};"
            self.stop = self.stop or _Stop(why, ADVICE[reply.reason])
