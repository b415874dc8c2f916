"""Signs people in: Label Studio checks the password, and repeated failures have to wait."""

import asyncio
import secrets
import string
from dataclasses import dataclass, field

from annotation.gate.inner import DownError, Inner
from annotation.gate.throttle import Throttle

AT_ONCE = 4
"""Passwords that are checked at the same time: each takes a third of a second of a processor."""
MOST_CHARACTERS = 200
"""The most characters of an email address or a password."""

COOKIE = "sessionid"
"""Label Studio's own cookie."""


@dataclass(frozen=True)
class Account:
    """An account whose password was right."""

    email: str
    """In lower case."""
    user: int
    cookie: str = field(repr=False)
    """Label Studio's session cookie."""


@dataclass
class SignIn:
    """Checks passwords. ``refused`` is the administrator's address: that account works behind the gate only."""

    inner: Inner
    refused: str
    accounts: Throttle = field(default_factory=lambda: Throttle(most=10, seconds=900))
    addresses: Throttle = field(default_factory=lambda: Throttle(most=40, seconds=900))
    _checking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def wait(self, email: str, address: str) -> int:
        """Seconds that this account, or somebody at this address, has to wait before another try; 0 for no wait."""
        return max(self.accounts.wait(email), self.addresses.wait(address))

    async def check(self, email: str, password: str, address: str) -> Account | None:
        """The account; None for a wrong email address or password. A wrong try counts as a failure.

        Raises DownError if Label Studio fails.
        """
        self.accounts.fail(email)  # before the check: many tries at the same time count, too
        self.addresses.fail(address)
        async with self._checking:
            account = await self._check(email, password)
        if account is not None:
            self.accounts.forget(email)
            self.addresses.forget_one(address)
        return account

    async def _check(self, email: str, password: str) -> Account | None:
        if max(len(email), len(password)) > MOST_CHARACTERS or email == self.refused:
            return None
        token = "".join(secrets.choice(string.ascii_letters) for _ in range(32))  # Django compares it with its cookie
        form = {"csrfmiddlewaretoken": token, "email": email, "password": password, "persist_session": "on"}
        answer = await self.inner.ask("POST", "/user/login/", cookies={"csrftoken": token}, form=form)
        cookie = answer.cookies.get(COOKIE)
        if answer.status_code == 200:
            return None
        if answer.status_code != 302 or not cookie:
            raise DownError.failed(answer.status_code)
        me = await self.inner.ask("GET", "/api/current-user/whoami", cookies={COOKIE: cookie})
        if me.status_code != 200:
            raise DownError.failed(me.status_code)
        found = me.json()
        return Account(str(found["email"]).lower(), int(found["id"]), cookie)
