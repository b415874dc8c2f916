"""The email addresses that campaign.toml may name: those that Label Studio takes, and the journal can conceal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.campaign.settings import Campaign
from annotation.journal.chain import conceal
from schemas.errors import UserError


def named(address: str) -> tuple[str, ...]:
    return Campaign(name="mill", protocol="preference", batch="b1", responses="r", annotators=(address,)).annotators


@pytest.mark.parametrize(
    "address",
    ["Ann@mill.example", "a.b+c@sub.mill-2.example", "o'brien@mill.example", "-x@y.zz", "=1+1@y.zz", "a/b`c`$d@y.zz"],
)
def test_an_address_is_taken_in_lower_case(address: str) -> None:
    assert named(address) == (address.lower(),)


@pytest.mark.parametrize(
    "address",
    [
        *("", "@", "ann", "ann@mill", "@mill.example", "ann@mill.example, bob@mill.example", "a@b@mill.example"),
        *("../x@y.zz", "a..b@y.zz", ".a@y.zz", "a.@y.zz", "a'@y.zz", "a@-y.zz", "a@y..zz", "a@y.z", "a@y.zz\n"),
        *('"a b"@y.zz', "<b>@y.zz", "a@[127.0.0.1]", "a;b@y.zz", "a\\b@y.zz", "a(b)@y.zz", "person-" + "0" * 40),
        *("\u00e9@y.zz", "\U0001f33e@y.zz", "a\u202eb@y.zz", "a\x1b[31m@y.zz", "a" * 250 + "@y.zz"),
    ],
)
def test_anything_else_is_refused(address: str) -> None:
    with pytest.raises(UserError, match="name each person by an email address"):
        named(address)


@given(st.text("ab.'-+=/`$", min_size=1, max_size=6), st.text("ab.-", min_size=1, max_size=6))
def test_no_address_stays_in_a_row_of_the_journal(name: str, host: str) -> None:
    address = f"{name}@{host}.example"
    try:
        named(address)
    except UserError:
        return
    for text in (address, f'["{address}"]', f'annotators = ["{address}","b@y.zz"]', f"By {address}."):
        assert "@" not in conceal(text.encode(), lambda value: "x" if "@" in value else value).decode()
