"""An endpoint that was never reached is named at once and given up soon; one that went down gets all attempts."""

import asyncio
import socket
from dataclasses import replace

from annotation.evaluation.backend import ATTEMPTS, FIRST_ATTEMPTS, Backend, Endpoint
from annotation.evaluation.pace import Pace
from annotation.evaluation.replies import Failure, Reply
from tests.annotation.evaluation.endpoint import MODEL, endpoint, says

BODY = {"model": MODEL, "messages": [{"role": "user", "content": "A or B?"}]}


class Waits(list[float]):
    """The seconds that a backend would have slept."""

    async def sleep(self, seconds: float) -> None:
        self.append(seconds)

    @property
    def pace(self) -> Pace:
        return Pace(now=lambda: 0.0, sleep=self.sleep, draw=lambda: 0.5)


def unused() -> str:
    """An address at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


def test_an_endpoint_that_was_never_reached_is_named_at_once_and_given_up_soon() -> None:
    waits, address = Waits(), unused()
    told: list[tuple[str, int]] = []

    async def run() -> list[Reply | Failure]:
        def tell(message: str) -> None:
            told.append((message, len(waits)))

        async with Backend(Endpoint(base_url=address, model=MODEL), waits.pace, tell=tell) as backend:
            return [await backend.ask(BODY), await backend.ask(BODY)]

    found = asyncio.run(run())
    assert [each.reason for each in found if isinstance(each, Failure)] == ["down", "down"]
    assert len(waits) == 2 * (FIRST_ATTEMPTS - 1)
    [(message, slept)] = told
    assert message.startswith(f"{address}: the endpoint cannot be reached")
    assert slept == 0


def test_an_endpoint_that_was_reached_and_went_down_gets_all_attempts() -> None:
    waits = Waits()

    async def run() -> list[Reply | Failure]:
        with endpoint(lambda body, number: replace(says("A"), headers={"Connection": "close"})) as server:
            backend = Backend(Endpoint(base_url=server.url, model=MODEL), waits.pace)
            first = await backend.ask(BODY)
        async with backend:
            return [first, await backend.ask(BODY)]

    first, second = asyncio.run(run())
    assert isinstance(first, Reply)
    assert isinstance(second, Failure)
    assert len(waits) == ATTEMPTS - 1
