"""Signing in and out: sessions that end, requests of other sites, guessing of passwords, and a server that is down."""

import asyncio
import sqlite3
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from annotation.gate.app import Gate, application
from annotation.gate.assets import Assets
from annotation.gate.inner import Inner
from annotation.gate.owners import Cache, Owners
from annotation.gate.refusals import MOST, Refusals
from annotation.gate.sessions import AGE, IDLE, PER_ACCOUNT, Sessions
from annotation.gate.settings import Address
from annotation.gate.sign_in import SignIn
from annotation.gate.throttle import REMEMBERED, Throttle
from annotation.server.accounts import session
from tests.annotation.parts import Account, Studio, another_gate
from tests.annotation.parts import Gate as Running
from tests.annotation.ports import free_port


@pytest.fixture(scope="module")
def gate(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with another_gate(studio, tmp_path_factory.mktemp("gate") / "gate.log") as running:
        yield running


@pytest.fixture(scope="module")
def account(studio: Studio) -> Account:
    return studio.annotator("mine")


@pytest.fixture
def client(gate: Running, account: Account) -> Iterator[httpx.Client]:
    with session(gate.url, account.email, account.password) as signed_in:
        yield signed_in


def test_after_signing_out_a_copy_of_the_cookie_opens_nothing(gate: Running, client: httpx.Client) -> None:
    copied = {each.name: str(each.value) for each in client.cookies.jar}
    assert httpx.get(gate.url, cookies=copied).status_code == 200
    out = client.get("/logout")
    assert (out.status_code, out.headers["location"]) == (303, "/user/login/")
    assert httpx.get(gate.url, cookies=copied).headers["location"].startswith("/user/login/")
    assert httpx.get(f"{gate.url}/api/users", cookies=copied).status_code == 401


def test_another_site_can_neither_write_nor_sign_out_nor_frame(gate: Running, client: httpx.Client) -> None:
    good = {"Origin": gate.url, "X-CSRFToken": client.cookies["csrftoken"]}
    path = "/api/dm/actions?id=next_task&project=999999"
    for changed in (
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": ""}, {"Origin": gate.url + "0"},
        {"X-CSRFToken": ""}, {"X-CSRFToken": "x" * 32},
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    ):  # fmt: skip
        client.post(path, json={}, headers={**good, **changed})
    lines = gate.log.read_text().splitlines()[-8:]
    site, token = "from another site", "without the session's token"
    assert [line.rpartition(": ")[2] for line in lines] == [site, site, site, site, token, token, site, site]
    client.post(path, json={}, headers={"Referer": "http://evil.example/", "X-CSRFToken": good["X-CSRFToken"]})
    client.post(path, json={}, headers=good)
    assert [line.rpartition(": ")[2] for line in gate.log.read_text().splitlines()[-2:]] == [
        "from another site", "not the account's own",
    ]  # fmt: skip
    assert client.get("/logout", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 404
    page = client.get("/")
    assert page.status_code == 200
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


def test_a_form_of_another_site_signs_nobody_in(gate: Running, account: Account) -> None:
    form = {"email": account.email, "password": account.password, "csrfmiddlewaretoken": "x" * 32}
    with httpx.Client(base_url=gate.url, headers={"Origin": gate.url}) as browser:
        assert browser.post("/user/login/", data=form).status_code == 404
        browser.get("/user/login/")
        assert browser.post("/user/login/", data=form).status_code == 404
        good = {**form, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        assert browser.post("/user/login/", data=good, headers={"Origin": "http://evil.example"}).status_code == 404
        assert browser.post("/user/login/?next=/next", data=good).headers["location"] == "/next"


def test_the_gate_answers_to_its_own_name_only(gate: Running, client: httpx.Client) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 404


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_guessing_has_to_wait_and_memory_stays_bounded() -> None:
    clock = Clock()
    throttle = Throttle(most=3, seconds=60, clock=clock)
    for _ in range(3):
        assert throttle.wait("ann") == 0
        throttle.fail("ann")
        clock.now += 10
    assert throttle.wait("ann") == 30
    assert throttle.wait("bob") == 0
    clock.now += 30
    assert throttle.wait("ann") == 0
    throttle.forget("ann")
    for number in range(REMEMBERED + 500):
        throttle.fail(str(number))
    assert len(throttle._failures) == REMEMBERED
    cache = Cache[int](100)
    for number in range(1000):
        cache.put(number, number)
    assert (len(cache), cache.get(0), cache.get(999)) == (100, None, 999)


def test_sessions_end_by_age_by_idleness_and_by_number(tmp_path: Path) -> None:
    clock = Clock()
    sessions = Sessions(tmp_path / "s", clock)
    name, _ = sessions.begin("ann", 1, "cookie")
    for _ in range(AGE // (IDLE - 10) + 2):
        found = sessions.find(name)
        clock.now += IDLE - 10
    assert found is None, "too old, though never idle"
    name, _ = sessions.begin("ann", 1, "cookie")
    clock.now += IDLE + 1
    assert sessions.find(name) is None
    names = []
    for _ in range(PER_ACCOUNT + 2):
        names.append(sessions.begin("ann", 1, "cookie")[0])
        clock.now += 1
    assert [sessions.find(each) is None for each in names] == [True, True, *[False] * PER_ACCOUNT]
    sessions.close()
    again = Sessions(tmp_path / "s", clock)
    assert again.find(names[-1]) is not None, "a restart ends no session"
    again.close()
    with sqlite3.connect(tmp_path / "s") as db:
        assert db.execute("SELECT count(*) FROM sessions").fetchone() == (PER_ACCOUNT,)
    db.close()


def test_a_flood_of_refusals_does_not_fill_the_disk(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    refusals = Refusals(clock)
    for _ in range(MOST + 5):
        refusals.note("ann", "GET", "/x", "y")
    clock.now += 61
    refusals.note("ann", "GET", "/x", "y")
    assert len(caplog.records) == MOST + 2
    assert "5 more" in caplog.text


def offline(path: Path, address: Address) -> httpx.AsyncClient:
    """A gate in this process before a Label Studio that does not run."""
    inner = Inner(f"http://127.0.0.1:{free_port()}", "token")
    sign_in = SignIn(inner, refused="admin@mill.example")
    gate = Gate(address, inner, Owners(inner), Sessions(path / "s"), sign_in, Assets(path))
    transport = httpx.ASGITransport(app=application(gate), client=("127.0.0.1", 1))
    return httpx.AsyncClient(transport=transport, base_url=address.public_url or f"http://127.0.0.1:{address.port}")


def run(work: Coroutine[None, None, None]) -> None:
    """Runs it in a thread of its own: the browser's tests leave an event loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


async def try_password(browser: httpx.AsyncClient, email: str, address: str = "10.0.0.1") -> httpx.Response:
    page = await browser.get("/user/login/")
    form = {"email": email, "password": "guess", "csrfmiddlewaretoken": page.cookies["csrftoken"]}
    headers = {"Origin": str(browser.base_url).rstrip("/"), "X-Forwarded-For": f"{email}, {address}"}
    return await browser.post("/user/login/", data=form, headers=headers)


def test_a_server_that_is_down_is_one_sentence_and_guesses_count(tmp_path: Path) -> None:
    async def go() -> None:
        async with offline(tmp_path, Address(free_port())) as browser:
            for _ in range(10):
                answer = await try_password(browser, "ann@mill.example")
                assert answer.status_code == 502
                assert "Label Studio does not answer" in answer.text
            answer = await try_password(browser, "ann@mill.example", "10.0.0.2")
            assert answer.status_code == 429
            assert 0 < int(answer.headers["retry-after"]) <= 900
            assert "wait 15 minutes" in answer.text
            for number in range(30):
                assert (await try_password(browser, f"p{number}@mill.example")).status_code == 502
            assert (await try_password(browser, "new@mill.example")).status_code == 429, "from the same address"
            assert (await try_password(browser, "new@mill.example", "10.0.0.3")).status_code == 502

    run(go())


def test_behind_a_tls_proxy_cookies_are_secure(tmp_path: Path) -> None:
    async def go() -> None:
        address = Address(free_port(), "https://labels.example.org")
        async with offline(tmp_path, address) as browser:
            page = await browser.get("/user/login/")
            assert page.status_code == 200
            assert "; Secure" in page.headers["set-cookie"]
            assert (await browser.get("/", headers={"Host": "labels.example.org"})).status_code == 303
        assert address.cookie == "__Host-gristmill"
        assert address.origins >= {"https://labels.example.org"}

    run(go())


@pytest.mark.parametrize(
    "name",
    ["host", "origin", "referer", "cookie", "content-type", "x-forwarded-for", "accept-encoding", "if-none-match"],
)
def test_no_header_breaks_the_gate(tmp_path: Path, name: str) -> None:
    async def go() -> None:
        async with offline(tmp_path, Address(free_port())) as browser:
            for value in ("", "[", "http://[", "\xff\xfe", "a" * 5000, ";=,;", "..//..", "127.0.0.1:x", "%00%zz", '"'):
                headers = {name: value.encode("latin-1")}
                for method, path in (("GET", "/"), ("GET", "/user/login/?next=%ff&%"), ("POST", "/user/login/")):
                    answer = await browser.request(method, path, headers=headers, content=b"%zz&&=&" * 20)  # type: ignore[arg-type]
                    assert answer.status_code in (200, 303, 404), (value, method, path)

    run(go())


@pytest.mark.soak
def test_memory_does_not_grow_with_requests(gate: Running, client: httpx.Client) -> None:
    running = psutil.Process(gate.pid)

    def ask(number: int) -> None:
        client.get(f"/api/tasks/{number + 10_000}")
        client.get(f"/static/css/{number}.css")
        client.post(f"/api/x{number}", content=b"x" * 1000)
        client.get("/user/login/", params={"next": f"/{number}"})
        client.get("/react-app/main.js")

    for number in range(400):
        ask(number)
    before = running.memory_info().rss
    for number in range(400, 1600):
        ask(number)
    assert running.memory_info().rss - before < 12 << 20
