"""Accounts on a real server: signing up by an invitation, signing in, a token."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Browser

from annotation.accounts import AccountExistsError, mint_token, session, sign_up
from annotation.errors import RunError, UserError
from tests.annotation.conftest import Studio
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
