"""What an annotator sees changes only with the version of its protocol."""

import hashlib
import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from annotation.protocols import PROTOCOLS, Category, Protocol, digest

SAMPLE: tuple[list[dict[str, str]], str, str] = (
    [
        {"role": "system", "content": "You are a miller."},
        {"role": "user", "content": "Hello\n  `code`"},
        {"role": "assistant", "content": "Good **day**!\n\n- one\n- two"},
        {"role": "user", "content": "מה השלום?\u202e <b>"},
    ],
    "# Title\n\n1. *a*\n2. `b`\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n```py\nprint(1)\n```",
    "Plain.\nTwo lines, \\(x\\), [a link](https://mill.example) &amp; > no quote\n\n> quote\n\n---\n~~old~~",
)
SEEN = {
    ("preference", 1): "8fa502b9cf941203",
    ("safety", 1): "f5920ed46b91d85b",
    ("preference", 2): "8d31e4d15116c9d8",
    ("safety", 2): "136f1a8b316af976",
    ("evaluation", 1): "5f78ba88f3b212bf",
    ("safety-rating", 1): "4cf224e40eba9a69",
}
"""A change that an annotator would see gets a new version and a line here; a line that was released stays as it is."""


def seen(protocol: Protocol) -> str:
    """A hash of all that an annotator of the built-in page sees, buttons, guidelines and a sample."""
    messages, first, second = SAMPLE
    if protocol.scale.compares:
        sides = [protocol.show(messages, first, second, swapped) for swapped in (False, True)]
    else:
        sides = [protocol.show(messages, text, None, False) for text in (first, second)]
    words = digest(protocol.page(protocol.guidelines, ())) + json.dumps(sides, sort_keys=True)
    return hashlib.sha256(words.encode()).hexdigest()[:16]


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS.keys())
def test_what_an_annotator_sees_belongs_to_a_version(protocol: Protocol) -> None:
    assert SEEN[protocol.name, protocol.version] == seen(protocol), (
        f"annotators of {protocol.name} would see something else: raise its version and pin {seen(protocol)}"
    )


def test_the_digest_sees_both_parts() -> None:
    page = PROTOCOLS["preference"].page("a", ())
    assert digest(page) == digest(PROTOCOLS["preference"].page("a", ()))
    assert digest(page) != digest(PROTOCOLS["preference"].page("b", ()))
    assert re.fullmatch("[0-9a-f]{64}", digest(page))


def config(protocol: str, categories: Any = ()) -> ElementTree.Element:
    return ElementTree.fromstring(PROTOCOLS[protocol].page("", categories).config)


def test_every_key_has_one_meaning() -> None:
    own = [Category(name=f"risk_{n}", title=f"Risk {n}") for n in range(13)]
    pages = [(protocol, config(protocol.name)) for protocol in PROTOCOLS.values()]
    for protocol, page in [*pages, (PROTOCOLS["safety"], config("safety", own))]:
        keys = [one.get("hotkey") for one in page.iter("Choice")]
        assert len(keys) == len(set(keys))
        assert None not in keys
        [scale] = [one for one in page.iter("Choices") if one.get("name") == protocol.scale.question]
        assert [one.get("hotkey") for one in scale] == list("12345678")[: len(protocol.scale.points)]


@pytest.mark.parametrize("title", ['Say "no" & <go>', "Weapons, drugs, and so on", "It's {not} this", "犯罪"])
def test_titles_of_categories_are_only_text(title: str) -> None:
    page = config("safety", [Category(name="own", title=title)])
    assert [one.get("value") for one in page.iter("Choice") if one.get("alias") == "own"] == [title, title]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_css_survives_the_sanitizer_of_label_studio(protocol: str) -> None:
    [style] = config(protocol).iter("Style")
    assert style.text
    assert not set("<>&") & set(style.text)
    assert "url(" not in style.text
    assert "@import" not in style.text


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS.keys())
def test_guidelines_are_shown_and_cannot_act(protocol: Protocol) -> None:
    assert protocol.guidelines.startswith("# Which response" if protocol.scale.compares else "# How safe")
    assert "<table" in protocol.page(protocol.guidelines, ()).instruction
    assert "<script" not in protocol.page("<script>1</script>", ()).instruction


def test_no_page_names_a_model_or_an_id() -> None:
    messages, first, second = SAMPLE
    for protocol in PROTOCOLS.values():
        fields = {"history", "prompt", "a", "b"} if protocol.scale.compares else {"history", "prompt", "a"}
        assert set(protocol.show(messages, first, second if protocol.scale.compares else None, False)) == fields
        variables = {one.get("value") for one in config(protocol.name).iter("HyperText")}
        assert variables == {f"${field}" for field in fields}
