"""Signs people up and in at Label Studio, and creates access tokens, in plain HTTP.

Label Studio's SDK cannot do this: the server offers only forms for browsers, with cookies.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

import httpx
from lxml import html
from lxml.html import HtmlElement

from annotation.server.installation import VERSION
from schemas.errors import RunError, UserError

TIMEOUT_SECONDS = 30.0
"""Most seconds that the server may take for an answer."""

_TOKEN = "csrfmiddlewaretoken"


class AccountExistsError(UserError):
    """An account with this email address exists already."""


class PasswordError(UserError):
    """The email address or the password is wrong."""


def sign_up(url: str, invite_url: str, email: str, password: str) -> None:
    """Creates an account by means of an invitation.

    ``invite_url`` is the complete link or only its path. Raises AccountExistsError, without any change, if the email
    address has an account; UserError if Label Studio refuses the link, the address or the password; RunError if the
    server fails.
    """
    with _translate_errors(url), _client(url) as client:
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
    raise _unexpected_answer(url, answer)


@contextmanager
def session(url: str, email: str, password: str) -> Iterator[httpx.Client]:
    """A signed-in client, which is closed at the end of the block.

    Raises PasswordError if the email address or the password is wrong, RunError if the server fails.
    """
    with _translate_errors(url):
        client = _client(url)
    with client:
        with _translate_errors(url):
            page = client.get("/user/login/")
            answer = client.post("/user/login/", data=_form(client, page, email, password), headers={"Referer": url})
        if answer.status_code not in (302, 303):
            if answer.status_code == 200 and _problems(answer):
                raise PasswordError(f"{email} cannot sign in to {url}: the email or the password is wrong")
            raise _unexpected_answer(url, answer)
        yield client


def mint_token(client: httpx.Client) -> str:
    """Creates a personal access token for the signed-in account, and returns it.

    Raises UserError if the account has a token already: Label Studio shows a token only once.
    """
    url = str(client.base_url).rstrip("/")
    with _translate_errors(url):
        answer = client.post("/api/token/", headers={"X-CSRFToken": client.cookies.get("csrftoken") or ""})
    if answer.status_code == 409:
        raise UserError(f"the account has a token already: revoke it in its settings at {url}/user/account")
    if answer.status_code != 201:
        raise _unexpected_answer(url, answer)
    try:
        return str(answer.json()["token"])
    except (ValueError, KeyError, TypeError) as error:
        raise _unexpected_answer(url, answer) from error


def change_password(client: httpx.Client, user: int, password: str) -> None:
    """Sets the password of the account with the number ``user``; Label Studio then ends the account's sessions.

    ``client`` is the session of an administrator. Raises RunError if Label Studio fails.
    """
    url, page = str(client.base_url).rstrip("/"), f"/admin/users/user/{user}/password/"
    with _translate_errors(url):
        fields = {"usable_password": "true", "password1": password, "password2": password}
        form = {**_csrf_token(client, client.get(page)), **fields}
        answer = client.post(page, data=form, headers={"Referer": f"{url}{page}"})
    if answer.status_code != 302:
        raise _unexpected_answer(url, answer)


def revoke_tokens(client: httpx.Client) -> None:
    """Revokes all tokens of the signed-in account, so that the account can create another token."""
    url = str(client.base_url).rstrip("/")
    headers = {"X-CSRFToken": client.cookies.get("csrftoken") or ""}
    with _translate_errors(url):
        listed = client.get("/api/token/")
        if listed.status_code != 200:
            raise _unexpected_answer(url, listed)
        for each in listed.json():
            answer = client.post("/api/token/blacklist/", json={"refresh": each["token"]}, headers=headers)
            if answer.status_code not in (204, 404):  # 404: revoked meanwhile
                raise _unexpected_answer(url, answer)


def is_loopback(url: str) -> bool:
    """Whether the server is on this machine, so that proxies named by the environment do not apply."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


def _client(url: str) -> httpx.Client:
    if not is_loopback(url):
        return httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS)

    def allow_http(_: httpx.Response) -> None:  # behind a TLS proxy cookies are for HTTPS only; this machine uses HTTP
        for cookie in client.cookies.jar:
            cookie.secure = False

    hooks = {"response": [allow_http]}
    client = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False, event_hooks=hooks)
    return client


def _form(client: httpx.Client, page: httpx.Response, email: str, password: str) -> dict[str, str]:
    """The fields that the sign-in and sign-up forms send."""
    return {**_csrf_token(client, page), "email": email, "password": password}


def _csrf_token(client: httpx.Client, page: httpx.Response) -> dict[str, str]:
    """The field with Django's CSRF token in a page with a form."""
    tokens = [form.fields[_TOKEN] for form in _html(page).forms if _TOKEN in form.fields]
    if page.status_code != 200 or not tokens:
        raise _unexpected_answer(str(client.base_url).rstrip("/"), page)
    return {_TOKEN: tokens[0]}


def _problems(answer: httpx.Response) -> list[str]:
    """The error messages in a form."""
    elements = _html(answer).xpath("//*[self::ul or self::p][contains(@class, 'error')]")
    texts = (" ".join(element.text_content().split()) for element in elements)
    return [text for text in texts if text]


def _html(answer: httpx.Response) -> HtmlElement:
    """The answer as a parsed page. A tag is put in front, because lxml refuses an empty page."""
    return html.document_fromstring(b"<html>" + answer.content, parser=html.HTMLParser(encoding="utf-8"))


@contextmanager
def _translate_errors(url: str) -> Iterator[None]:
    """Turns errors of httpx into RunError, or UserError for an invalid URL."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise RunError(f"Label Studio at {url} did not answer within {TIMEOUT_SECONDS:g} seconds: try again") from error
    except (httpx.InvalidURL, ValueError) as error:
        raise UserError(
            f"{url} or the invitation to it is not a valid URL: give a URL such as https://labels.example.org"
        ) from error
    except httpx.HTTPError as error:
        raise RunError(f"Label Studio at {url} cannot be reached ({error}): see `gristmill studio status`") from error


def _unexpected_answer(url: str, answer: httpx.Response) -> RunError:
    return RunError(
        f"{url} answered {answer.status_code} to {answer.request.method} {answer.request.url.path}, "
        f"unlike Label Studio {VERSION}: check the address, and read the server's log"
    )
