"""What the gate adds to a request of the labelling page, against the same request to Label Studio itself.

    python -m tests.benchmarks.gate

The two are asked in turn, so that both see the machine in the same state.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import quantiles

import httpx
from rich.console import Console
from rich.table import Table

from annotation.protocols import PROTOCOLS
from annotation.server.accounts import session
from annotation.server.home import Home
from annotation.server.lifecycle import start, stop
from tests.annotation.gate.projects import make_project
from tests.annotation.labelling import choice
from tests.annotation.parts import Studio, empty_home
from tests.annotation.ports import free_port
from tests.annotation.protocols.samples import SAMPLES

ROUNDS = 150
Row = tuple[str, str, str]


def main() -> None:
    table = Table("request", "measured", "asked", title="The gate", title_justify="left")
    with tempfile.TemporaryDirectory() as work:
        for row in latencies(Path(work)):
            table.add_row(*row)
    Console().print(table)


def latencies(work: Path) -> Iterator[Row]:
    """The 95th percentile through the gate minus that without it, of each request and of all."""
    work.mkdir(exist_ok=True)
    home = empty_home(work / "studio")
    connection = start(home, free_port(), None, lambda _: None)
    try:
        admin = Home(home).admin
        assert admin is not None
        studio = Studio(home, connection, admin.email, admin.password)
        account = studio.annotator("ann")
        with session(connection.url, admin.email, admin.password) as api:
            project, tasks = make_project(api, account.email, PROTOCOLS["preference"], SAMPLES)
        with (
            session(connection.url, account.email, account.password) as direct,
            session(connection.public_url, account.email, account.password) as gated,
        ):
            seen: dict[str, list[list[float]]] = {}
            for number in range(ROUNDS):
                for name, request in requests(project, tasks).items():
                    took = seen.setdefault(name, [[], []])
                    for which in (0, 1) if number % 2 else (1, 0):
                        took[which].append(seconds(request, (direct, gated)[which]))
            for name, (without, through) in seen.items():
                yield name, f"{added(without, through):+.1f} ms to {percentile(without):.0f} ms", "20 ms"
            every = [[each for took in seen.values() for each in took[which]] for which in (0, 1)]
            yield "all", f"{added(*every):+.1f} ms to {percentile(every[0]):.0f} ms", "20 ms"
    finally:
        stop(home)


def requests(project: int, tasks: list[int]) -> dict[str, Callable[[httpx.Client], httpx.Response]]:
    answer = {"result": [choice("preference", "a_better")], "lead_time": 3.0}
    return {
        "next task": lambda client: client.post(
            f"/api/dm/actions?id=next_task&project={project}", json={"ordering": ["tasks:id"]}, headers=token(client)
        ),
        "submit": lambda client: client.post(
            f"/api/tasks/{tasks[0]}/annotations/?project={project}", json=answer, headers=token(client)
        ),
        "task": lambda client: client.get(f"/api/tasks/{tasks[1]}/?project={project}"),
        "project": lambda client: client.get(f"/api/projects/{project}/"),
        "page": lambda client: client.get(f"/projects/{project}/data/?labeling=1"),
        "script": lambda client: client.get("/react-app/main.js"),
    }


def token(client: httpx.Client) -> dict[str, str]:
    return {"X-CSRFToken": client.cookies["csrftoken"], "Referer": str(client.base_url)}


def seconds(request: Callable[[httpx.Client], httpx.Response], client: httpx.Client) -> float:
    began = time.perf_counter()
    request(client).raise_for_status()
    return time.perf_counter() - began


def percentile(took: list[float]) -> float:
    """The 95th, in ms."""
    return quantiles(took, n=20)[-1] * 1000


def added(without: list[float], through: list[float]) -> float:
    return percentile(through) - percentile(without)


if __name__ == "__main__":
    main()
