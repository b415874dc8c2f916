"""Accounts of people: signing in, signing up by an invitation, and minting a token, in plain HTTP.

Label Studio's SDK has nothing for these: they are forms made for a browser, with its cookies.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

import httpx
from lxml import html
from lxml.html import HtmlElement

from schemas.errors import RunError, UserError

SECONDS = 30.0
"""How long the server may take for one answer."""

_TOKEN = "csrfmiddlewaretoken"


class AccountExistsError(UserError):
    """Somebody signed up with that email before."""


class PasswordError(UserError):
    """Nobody has this email with this password."""


def sign_up(url: str, invite_url: str, email: str, password: str) -> None:
    """Makes an account by way of an invitation.

    ``invite_url`` is the whole link, or its path alone. Raises AccountExistsError where the email has an account
    already (nothing changed then), UserError for a link, an email or a password that Label Studio refuses, RunError
    where it fails.
    """
    with _outages(url), _client(url) as client:
        parts = urlsplit(invite_url)
        page = urljoin(f"{url}/", f"{parts.path}?{parts.query}")
        form = client.get(page)
        answer = client.post(page, data=_form(client, form, email, password), headers={"Referer": page})
    if answer.status_code in (302, 303):
        return
    if answer.status_code in (403, 404):
        raise UserError("the invitation is no longer valid: make a new one with `gristmill campaign invite`")
    problems = _problems(answer)
    if any("already exists" in problem for problem in problems):
        raise AccountExistsError(f"{email} has an account already: sign in with its password")
    if answer.status_code == 200 and problems:
        raise UserError(f"Label Studio refuses an account for {email}: {' '.join(problems)}")
    raise _unexpected(url, answer)


@contextmanager
def session(url: str, email: str, password: str) -> Iterator[httpx.Client]:
    """A client that is signed in, closed at the end of the block.

    Raises PasswordError for a wrong email or password, RunError where the server fails.
    """
    with _outages(url):
        client = _client(url)
    with client:
        with _outages(url):
            page = client.get("/user/login/")
            answer = client.post("/user/login/", data=_form(client, page, email, password), headers={"Referer": url})
        if answer.status_code not in (302, 303):
            if answer.status_code == 200 and _problems(answer):
                raise PasswordError(f"{email} cannot sign in to {url}: the email or the password is wrong")
            raise _unexpected(url, answer)
        yield client


def mint_token(client: httpx.Client) -> str:
    """A new personal access token of the account that is signed in.

    Raises UserError where the account has one: it is shown only once.
    """
    url = str(client.base_url).rstrip("/")
    with _outages(url):
        answer = client.post("/api/token/", headers={"X-CSRFToken": client.cookies.get("csrftoken") or ""})
    if answer.status_code == 409:
        raise UserError(f"the account has a token already: revoke it in its settings at {url}/user/account")
    if answer.status_code != 201:
        raise _unexpected(url, answer)
    try:
        return str(answer.json()["token"])
    except (ValueError, KeyError, TypeError) as error:
        raise _unexpected(url, answer) from error


def is_loopback(url: str) -> bool:
    """Whether the server is on this machine: then no proxy of the environment stands before it."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


def _client(url: str) -> httpx.Client:
    if not is_loopback(url):
        return httpx.Client(base_url=url, timeout=SECONDS)

    def keep(_: httpx.Response) -> None:  # behind a TLS proxy cookies are secure; the way within a machine is so, too
        for cookie in client.cookies.jar:
            cookie.secure = False

    client = httpx.Client(base_url=url, timeout=SECONDS, trust_env=False, event_hooks={"response": [keep]})
    return client


def _form(client: httpx.Client, page: httpx.Response, email: str, password: str) -> dict[str, str]:
    """What the sign-in and sign-up pages send, with the token by which Django knows its own form."""
    tokens = [form.fields[_TOKEN] for form in _html(page).forms if _TOKEN in form.fields]
    if page.status_code != 200 or not tokens:
        raise _unexpected(str(client.base_url).rstrip("/"), page)
    return {_TOKEN: tokens[0], "email": email, "password": password}


def _problems(answer: httpx.Response) -> list[str]:
    """What a form complains of."""
    marked = _html(answer).xpath("//*[self::ul or self::p][contains(@class, 'error')]")
    plain = (" ".join(each.text_content().split()) for each in marked)
    return [text for text in plain if text]


def _html(answer: httpx.Response) -> HtmlElement:
    """The answer as a page. It begins with a tag, because lxml refuses an empty page."""
    return html.document_fromstring(b"<html>" + answer.content, parser=html.HTMLParser(encoding="utf-8"))


@contextmanager
def _outages(url: str) -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException as error:
        raise RunError(f"Label Studio at {url} did not answer within {SECONDS:g} seconds: try again") from error
    except (httpx.InvalidURL, ValueError) as error:
        raise UserError(
            f"{url}, or the invitation to it, is no address: give it like https://labels.example.org"
        ) from error
    except httpx.HTTPError as error:
        raise RunError(f"Label Studio at {url} cannot be reached ({error}): see `gristmill studio status`") from error


def _unexpected(url: str, answer: httpx.Response) -> RunError:
    return RunError(
        f"Label Studio at {url} answered {answer.status_code} to {answer.request.method} {answer.request.url.path}, "
        "which is not what version 1.23.2 says: check that the address is Label Studio's, and its log"
    )
