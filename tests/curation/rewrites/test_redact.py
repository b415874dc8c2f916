"""Addresses go, all else stays byte for byte, and the gate hides no address."""

import ipaddress
import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.rewrites.redact import Redact

# As datatrove writes them: the whole text against one expression.
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
EMAIL = re.compile(rf"\b{ATOM}(?:\.{ATOM})*@(?:{LABEL}\.)+{LABEL}")
OCTET = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)"
ADDRESS = re.compile(rf"(?:{OCTET}\.){{3}}{OCTET}")


def defined(text: str) -> str:
    def public(found: re.Match[str]) -> str:
        try:
            return "22.214.171.124" if ipaddress.ip_address(found[0]).is_global else found[0]
        except ValueError:
            return found[0]

    return ADDRESS.sub(public, EMAIL.sub("email@example.com", text))


def redacted(*texts: str, **options: str | None) -> list[str]:
    rewritten = Redact(**options).rewrite(pa.array(texts, pa.large_string()))  # type: ignore[arg-type]
    rewritten.validate(full=True)
    return list(rewritten.to_pylist())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write to jo.do+x@mail.example.org.", "Write to email@example.com."),
        ("mailto:jo@example.org,ann@example.net", "mailto:email@example.com,email@example.com"),
        ("jo@localhost @jo jo@ a@b", "jo@localhost @jo jo@ a@b"),
        ("éjo@example.org jo..do@example.org", "éjo@example.org jo..email@example.com"),
        ("8.8.8.8 and 10.0.0.1 and 08.8.8.8", "22.214.171.124 and 10.0.0.1 and 08.8.8.8"),
        ("version 1.2.3 of 311.1.1.1999", "version 1.2.3 of 322.214.171.1249"),
    ],
)
def test_examples(text: str, expected: str) -> None:
    assert redacted(text) == [expected] == [defined(text)]


PIECES = st.sampled_from(
    [
        "a",
        "B9",
        ".",
        "..",
        "@",
        "-",
        "_",
        "é",
        " ",
        "\n",
        "example.org",
        "jo@x.example",
        "8.8.8.8",
        "10.",
        "1.2.3",
        "255",
        "+",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=14).map("".join), min_size=1, max_size=4))
def test_it_equals_the_expression_over_the_whole_text(texts: list[str]) -> None:
    assert redacted(*texts) == [defined(text) for text in texts]


def test_each_can_be_left_and_a_column_without_any_is_the_same_column() -> None:
    assert redacted("jo@example.org 8.8.8.8", email=None) == ["jo@example.org 22.214.171.124"]
    assert redacted("jo@example.org 8.8.8.8", ip=None, email="") == [" 8.8.8.8"]
    column = pa.array(["no address", "at @ all", "1.5"], pa.large_string())
    assert Redact().rewrite(column) is column


def test_long_runs_take_no_time() -> None:
    text = "a+" * 200_000 + "@" + "b." * 200_000 + "1." * 100_000
    assert redacted(text)[0].startswith("a+a+")
