"""What holds in every test: nothing leaves this machine; in CI hypothesis is repeatable and nothing is skipped."""

import asyncio
import ipaddress
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
import pytest

from tests.annotation.parts import api, artifacts, browser, gate, studio
from tests.benchmarks.corpora import SHARED

__all__ = ["api", "artifacts", "browser", "gate", "studio"]

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
IN_CI = bool(os.environ.get("CI"))

hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if IN_CI else "here")

# Child processes get no audit hook: their HTTP clients find a proxy that nobody serves.
for _name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
    os.environ[_name] = "http://127.0.0.1:9"
for _name in ("no_proxy", "NO_PROXY"):
    os.environ[_name] = "localhost,127.0.0.1,::1"

# Tests make studios of their own.
for _name in ("GRISTMILL_STUDIO_HOME", "GRISTMILL_STUDIO_URL", "GRISTMILL_STUDIO_TOKEN"):
    os.environ.pop(_name, None)

# Tests sign with a key of their own.
os.environ["GRISTMILL_SIGNING_KEY"] = str(
    Path(tempfile.gettempdir(), f"gristmill-tests-{os.getuid()}", "signing_key.pem")
)

_reached_out: list[str] = []


def _is_local(host: object) -> bool:
    if host in ("", "localhost", None):
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _refuse_the_network(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: connections, datagrams and look-ups of names may name this machine only."""
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a path is a socket of this machine
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if not _is_local(host):
        _reached_out.append(f"{event} to {host!r}")
        raise OSError(f"a test may not reach the network: {_reached_out[-1]}")


sys.addaudithook(_refuse_the_network)


@pytest.fixture(autouse=True)
def stays_on_this_machine() -> Iterator[None]:
    """Fails a test that tried to reach the network, even where the code under test swallowed the error."""
    _reached_out.clear()
    yield
    assert not _reached_out


@pytest.fixture(scope="session")
def own_pids() -> list[str]:
    """The words before a command that give it PIDs of its own, counted from 1, as a container does; none where this
    machine forbids that."""
    for words in (["unshare"], ["unshare", "--user", "--map-root-user"]):
        own = [*words, "--fork", "--pid", "--mount-proc", "--kill-child"]
        if shutil.which("unshare") and subprocess.run([*own, "true"], check=False, capture_output=True).returncode == 0:
            return own
    return []


@contextmanager
def _without_the_browsers_loop(item: pytest.Item) -> Iterator[None]:
    """The browser, which lives as long as its process, leaves a suspended event loop in the thread, and asyncio runs no
    second loop beside it. A test without the browser sees no loop."""
    suspended = asyncio._get_running_loop()
    if "browser" in getattr(item, "fixturenames", ()) or suspended is None:
        yield
        return
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(suspended)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    with _without_the_browsers_loop(item):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    with _without_the_browsers_loop(item):
        return (yield)


def _skipping_fails(report: Report) -> Report:
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and in CI nothing is skipped: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _skipping_fails((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _skipping_fails((yield))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real data and the maker of the bench corpus. They are no part of the project: who has it alone runs the other
    tests, and in CI it is a failure that they are not there."""
    if not SHARED.is_dir():
        pytest.skip("what this needs lies in ../shared, which is not here")
    return SHARED


@pytest.fixture(scope="session")
def real_dialogues(shared: Path) -> Path:
    """250 pairs of Anthropic's HH (MIT), as published."""
    return shared / "data" / "preferences" / "hh_harmless_sample.jsonl.gz"
