"""Accounts on a real server: signing up by an invitation, signing in, a token."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from playwright.sync_api import Browser

from annotation.server import accounts
from annotation.server.accounts import AccountExistsError, mint_token, session, sign_up
from schemas.errors import RunError, UserError
from tests.annotation.parts import Studio
from tests.annotation.ports import free_port


def test_an_annotator_signs_up_once_and_signs_in(studio: Studio) -> None:
    url, invite = studio.connection.url, studio.invite()
    sign_up(url, invite, "once@mill.example", "flour-and-bread")
    with pytest.raises(AccountExistsError, match=r"once@mill\.example has an account already"):
        sign_up(url, url + invite, "once@mill.example", "another-password")
    with session(url, "once@mill.example", "flour-and-bread") as client:
        assert client.get("/api/current-user/whoami").json()["email"] == "once@mill.example"
        token = mint_token(client)
        with pytest.raises(UserError, match="has a token already"):
            mint_token(client)
    access = httpx.post(f"{url}/api/token/refresh", json={"refresh": token}).json()["access"]
    me = httpx.get(f"{url}/api/current-user/whoami", headers={"Authorization": f"Bearer {access}"})
    assert me.json()["email"] == "once@mill.example"


def test_accounts_of_the_fixture_are_whole(studio: Studio) -> None:
    ada, ben = studio.annotator("ada"), studio.annotator("ben")
    assert ada.user_id != ben.user_id
    assert studio.annotator("ada") is ada


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (
            lambda url, link: sign_up(url, "/user/signup/?token=stale", "x@mill.example", "flour-and-bread"),
            "invitation",
        ),
        (lambda url, link: sign_up(url, link, "x@mill.example", "short"), "8–128 characters"),
        (lambda url, link: sign_up(url, link, "no email", "flour-and-bread"), "valid email"),
        (lambda url, link: session(url, "x@mill.example", "flour-and-bread").__enter__(), "password is wrong"),
    ],
    ids=["stale invitation", "short password", "no email", "unknown"],
)
def test_a_mistake_is_a_sentence(studio: Studio, act: Callable[[str, str], object], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        act(studio.connection.url, studio.invite())
    assert "flour-and-bread" not in str(caught.value)


def test_a_server_that_is_down_is_an_outage() -> None:
    with pytest.raises(RunError, match="cannot be reached"):
        sign_up(f"http://127.0.0.1:{free_port()}", "/user/signup/?token=x", "x@mill.example", "flour-and-bread")


FORM = '<form><input name="csrfmiddlewaretoken" value="abc"></form>'


@pytest.fixture
def stranger() -> Iterator[Callable[..., str]]:
    """Serves these answers, (status, body) each, to one request after the other; a None is never answered."""
    done = threading.Event()
    serving: list[tuple[HTTPServer, threading.Thread]] = []

    def serve(*answers: tuple[int, str] | None) -> str:
        left = list(answers)

        class Stranger(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if (answer := left.pop(0)) is None:
                    done.wait(30)
                    return
                self.send_response(answer[0])
                self.send_header("Content-Length", str(len(answer[1])))
                self.end_headers()
                self.wfile.write(answer[1].encode())

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, format: str, *arguments: object) -> None: ...

        server = HTTPServer(("127.0.0.1", 0), Stranger)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        serving.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    done.set()
    for server, thread in serving:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([(500, "<h1>oops</h1>")], "answered 500 to GET /user/signup/, unlike Label Studio"),
        ([(200, "<h1>a shop</h1>")], "answered 200 to GET"),
        ([(200, "")], "answered 200 to GET"),
        ([(200, FORM), (502, "<h1>bad gateway</h1>")], "answered 502 to POST"),
        ([(200, FORM), (200, "<h1>welcome</h1>")], "answered 200 to POST"),
        ([(200, FORM), (200, "")], "answered 200 to POST"),
        ([None], "did not answer within 0.3 seconds"),
    ],
)
def test_another_server_is_not_taken_for_label_studio(
    stranger: Callable[..., str], answers: list[tuple[int, str] | None], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "TIMEOUT_SECONDS", 0.3)
    with pytest.raises(RunError, match=said) as caught:
        sign_up(stranger(*answers), "/user/signup/?token=hidden", "x@mill.example", "flour-and-bread")
    assert "hidden" not in str(caught.value)
    assert "flour" not in str(caught.value)


def test_what_a_form_complains_of_is_said(stranger: Callable[..., str]) -> None:
    form = "<form><input value='a&amp;b' name='csrfmiddlewaretoken'/>"  # in other quotes and another order
    refused = f'{form}<ul class="field_errors"><li>Too <b>short</b>\n&amp; weak</li></ul><p class="error"></p></form>'
    with pytest.raises(UserError, match=r"refuses an account for x@mill\.example: Too short & weak$"):
        sign_up(stranger((200, form), (200, refused)), "/user/signup/?token=x", "x@mill.example", "flour-and-bread")


@pytest.mark.parametrize("answer", [(201, "no json"), (201, "[]"), (401, "{}")])
def test_a_token_that_does_not_come_is_an_outage(stranger: Callable[..., str], answer: tuple[int, str]) -> None:
    url = stranger((200, FORM), (302, ""), answer)
    with session(url, "x@mill.example", "flour-and-bread") as client, pytest.raises(RunError, match="POST /api/token/"):
        mint_token(client)


@pytest.mark.parametrize("url", ["http://[labels", "http://127.0.0.1:x", "labels.example.org"])
def test_an_invalid_url_is_reported(url: str) -> None:
    with pytest.raises((UserError, RunError), match=r"is not a valid URL|cannot be reached"):
        sign_up(url, "/user/signup/?token=x", "x@mill.example", "flour-and-bread")
    with pytest.raises((UserError, RunError), match=r"is not a valid URL|cannot be reached"):
        session(url, "x@mill.example", "flour-and-bread").__enter__()


def test_an_annotator_signs_in_with_a_browser(studio: Studio, browser: Browser) -> None:
    ada = studio.annotator("ada")
    page = browser.new_page()
    page.goto(f"{studio.connection.url}/user/login/")
    page.fill("input[name=email]", ada.email)
    page.fill("input[name=password]", ada.password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda address: "/user/login" not in address)
    page.get_by_text("Welcome").wait_for()
    page.close()
