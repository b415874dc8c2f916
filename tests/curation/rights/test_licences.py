"""Licences have one name, whatever their address or spelling, and nothing else is taken for a licence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.rights.licences import FAMILIES, OTHER, VERSIONS, is_licence, licence_at, stated_licence, with_versions

CODES = ("by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd")
ADDRESS = st.tuples(
    st.sampled_from(["http://", "https://", "//", "HTTPS://"]),
    st.sampled_from(["creativecommons.org", "www.creativecommons.org", "CreativeCommons.org"]),
)


@given(
    ADDRESS,
    st.sampled_from(CODES),
    st.sampled_from([*VERSIONS, None]),
    st.sampled_from(["", "/", "/deed.de", "/legalcode", "/us/", "/?ref=chooser-v1", "#s"]),
    st.randoms(),
)
def test_an_address_names_its_licence(address: tuple[str, str], code: str, version: str | None, end: str, draw) -> None:  # type: ignore[no-untyped-def]
    parts = code.split("-")
    draw.shuffle(parts)  # version 1.0 has by-nd-nc
    middle = f"/licenses/{'-'.join(parts)}{f'/{version}' if version else ''}"
    end = end if version else end.replace("/us", "")
    assert licence_at("".join(address) + middle + end) == f"cc-{code}" + (f"-{version}" if version else "")


@pytest.mark.parametrize(
    ("address", "licence"),
    [
        ("https://creativecommons.org/publicdomain/zero/1.0/deed.en", "cc0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "pdm-1.0"),
        ("http://creativecommons.org/licenses/publicdomain/", OTHER),
        ("https://creativecommons.org/licenses/by/9.0/", OTHER),
        ("https://creativecommons.org/licenses/sampling+/1.0/", OTHER),
        ("https://creativecommons.org/licenses/by-nd-sa/4.0/", OTHER),
        ("https://creativecommons.org/licenses/", None),
        ("https://creativecommons.org/about", None),
        ("https://mill.example/share?u=https://creativecommons.org/licenses/by/4.0/", None),
        ("https://creativecommons.org.mill.example/licenses/by/4.0/", None),
        ("https://mill.example/licenses/by/4.0/", None),
        ("", None),
    ],
)
def test_only_addresses_of_licences_name_one(address: str, licence: str | None) -> None:
    assert licence_at(address) == licence


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("cc-by-4.0", "cc-by-4.0"),
        ("CC BY-NC-SA 3.0", "cc-by-nc-sa-3.0"),
        ("CC0-1.0", "cc0-1.0"),
        ("CC0 1.0 Universal", "cc0-1.0"),
        ("cc by", "cc-by"),
        ("Creative Commons - Attribution - https://creativecommons.org/licenses/by/4.0/", "cc-by-4.0"),
        (
            "https://creativecommons.org/licenses/by/4.0/ or https://creativecommons.org/licenses/by-sa/4.0/",
            "ambiguous",
        ),
        ("CC-BY-SA-3.0-DE", "cc-by-sa-3.0"),
        ("CC-BY-3.0-IGO", "cc-by-3.0"),
        ("CC BY-NC-ND 4.0 Deed", "cc-by-nc-nd-4.0"),
        ("Creative Commons Attribution-ShareAlike 4.0 International License", "cc-by-sa-4.0"),
        ("Creative Commons Attribution Non Commercial No Derivatives 4.0 International", "cc-by-nc-nd-4.0"),
        ("Creative Commons Attribution 4.0 International (CC BY 4.0)", "cc-by-4.0"),
        ("Creative Commons Zero v1.0 Universal", "cc0-1.0"),
        ("CC BY 4.0 (text only)", None),
        ("CC BY 4.0 (CC BY-NC 4.0)", None),
        ("CC-BY-3.0-NC", None),
        ("CC-BY-XX", None),
        ("CC-BY-4.0 OR MIT", None),
        ("https://mill.example/terms", OTHER),
        ("Copyright 2024 by the mill", None),
        ("cc-bypass", None),
        ("", None),
    ],
)
def test_fields_for_licences_are_read(text: str, licence: str | None) -> None:
    assert stated_licence(text) == licence


def test_a_name_without_a_version_stands_for_all_of_them() -> None:
    assert with_versions(["cc-by-sa"]) == ("cc-by-sa", *(f"cc-by-sa-{version}" for version in VERSIONS))
    assert with_versions(["cc-by-4.0", "none"]) == ("cc-by-4.0", "none")
    assert all(is_licence(name) for name in with_versions(FAMILIES))
    assert not is_licence("cc-by-9.0")


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    assert (licence := stated_licence(text)) is None or is_licence(licence)
    assert (licence := licence_at(text)) is None or is_licence(licence)
