"""Addresses go, all else stays byte for byte, and the gate hides no address."""

import gzip
import ipaddress
import json
import re
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.rewrites.redact import Redact

# As datatrove writes them: the whole text against one expression.
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
OCTET = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)"
EMAIL = re.compile(rf"\b{ATOM}(?:\.{ATOM})*@(?:(?:{LABEL}\.)+{LABEL}|\[(?:{OCTET}\.){{3}}{OCTET}\])")
ADDRESS = re.compile(rf"(?:{OCTET}\.){{3}}{OCTET}")


def defined(text: str) -> str:
    """As datatrove has it, but that an address ends where its numbers do."""

    def public(found: re.Match[str]) -> str:
        before, behind = found.string[: found.start()], found.string[found.end() :]
        if re.search(r"[0-9]\.?\Z", before) or re.match(r"\.?[0-9]", behind):
            return found[0]
        try:
            address = ipaddress.ip_address(found[0])
        except ValueError:
            return found[0]
        return "22.214.171.124" if address.is_global and not address.is_multicast else found[0]

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
        ("version 1.2.3 of 311.1.1.1999", "version 1.2.3 of 311.1.1.1999"),
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
        "[",
        "[1.2.3.4]",
        "]",
        "!",
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


@pytest.mark.parametrize(
    "text",
    [
        "8.8.8.256",
        "8.8.8.2567",
        "1234.5.6.7",
        "1.2.3.4.5 and 5.1.2.3.4.5.6",
        "Section 3.2.1.4 and sections 3.2.1.4, § 3.2.1.4",
        "See version 8.1.2.3 (v8.1.2.3, Ver. 8.1.2.3, Chrome/41.0.22.8).",
        "iOS 4.18.0.30 and Android 12.1.1.10",
        "224.0.0.1 and 239.255.255.250 are multicast, 255.255.255.255 is for all",
        "::1 and :: and fe80::1 and fe80::a1%eth0 and fc00::12 and fd12:3456:789a::1",
        "2001:db8::8888 is for books, and 2001:db8:0:0:0:0:0:1",
        "ff02::1 and ff0e:1:2:3:4:5:6:7 are multicast",
        "std::dead, face::bad, a::b, x::2001:4860::8888 and ::before",
        "at 12:30:45, 1:2:3:4:5:6:7, 00:1a:2b:3c:4d:5e and 00:1a:2b:3c:4d:5e:6f:70",
        "2001:4860:4860::88888, 2001:4860:4860::8888:: and 2001:1:2:3:4:5:6:7:8",
        "ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67:89",
    ],
)
def test_what_is_no_public_address_stays(text: str) -> None:
    assert redacted(text) == [text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8.8.8.8.", "IP."),
        ("(8.8.8.8) 8.8.8.8:53 http://8.8.8.8/x 8.8.8.8/24", "(IP) IP:53 http://IP/x IP/24"),
        ("at 8.8.8.8,9.9.9.9 or 8.8.8.8... ok", "at IP,IP or IP... ok"),
        (".3.3.3.0", ".IP"),
        ("the section on 8.8.8.8", "the section on IP"),
        ("2001:4860:4860::8888", "IP"),
        ("[2606:4700::1111]:443 and 2606:4700::/32.", "[IP]:443 and IP/32."),
        ("Ask 2001:4860:4860:0:0:0:0:8888: it answers; or 2a00:1450:4001:81b::200e.", "Ask IP: it answers; or IP."),
        ("::ffff:8.8.8.8 is mapped", "::ffff:IP is mapped"),
        ("dd41:cbaf:d1b4:10a0:b215:72e3:6eaf:3ecb", "IP"),
        ("test of ip 4394:538a:3bf3:61c3:cb0d:d214:526f:70d", "test of ip IP"),
    ],
)
def test_public_addresses_go_and_all_around_them_stays(text: str, expected: str) -> None:
    assert redacted(text, ip="IP") == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("email@[1.2.3.4]", "EMAIL"),
        ("jo.do@[10.0.0.1], ann@[IPv6:2001:db8::1].", "EMAIL, EMAIL."),
        ("jo@[1.2.3] jo@[1.2.3.256] jo@[] jo@[1.2.3.4", "jo@[1.2.3] jo@[1.2.3.256] jo@[] jo@[1.2.3.4"),
    ],
)
def test_the_brackets_of_an_address_go_with_it(text: str, expected: str) -> None:
    assert redacted(text, email="EMAIL", ip=None) == [expected]


def test_the_peers_vectors_hold(shared: Path) -> None:
    """Every vector of datatrove's own formatter of personal information."""
    with gzip.open(shared / "data" / "peers" / "vectors.jsonl.gz", "rt", encoding="utf-8") as lines:
        vectors = [row for row in map(json.loads, lines) if row["fn"] == "PIIFormatter"]
    assert len(vectors) > 40
    for row in vectors:
        assert redacted(row["input"], email="EMAIL", ip="IP") == [row["expected"]["text"]], row["id"]


def test_long_runs_take_no_time() -> None:
    text = "a+" * 200_000 + "@" + "b." * 200_000 + "1." * 100_000
    assert redacted(text)[0].startswith("a+a+")
