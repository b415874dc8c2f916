"""Telephone numbers are those of libphonenumber."""

import re
from random import Random

import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import phonenumberutil

from curation.kernels.personal_numbers import PHONE_PUNCTUATION
from curation.rewrites import phones
from curation.rewrites.personal import find_personal
from curation.rewrites.phone_plans import TYPES, Plan, plan_of

PHONE_NUMBERS = (
    "+1 602 272 9781|(602)272-9781|602.272.9781x45|20 7946 0958|020 7946 0958|+44 20 7946 0958|01 70 18 99 00|"
    "+33 1 70 18 99 00|1234567|12|2020-10-11|12:30|٠٢٠|６０２２７２９７８１"
)
PHONE_PIECES = st.sampled_from([*PHONE_NUMBERS.split("|"), *"/-()+$é \n", "No ", "word ", ". ", ", "])


@settings(max_examples=60, deadline=None)
@given(st.lists(PHONE_PIECES, max_size=8).map("".join), st.sampled_from(["US", "GB", "FR"]))
def test_phone_numbers_are_those_of_the_library(text: str, region: str) -> None:
    assert [(start, end) for _, start, end, _ in numbers([text], region)] == phones_of_the_library(text, region)


def phones_of_the_library(text: str, region: str) -> list[tuple[int, int]]:
    return [
        (len(text[: match.start].encode()), len(text[: match.end].encode()))
        for match in phonenumbers.PhoneNumberMatcher(text, region)
    ]


def examples(region: str) -> list[str]:
    """A valid number of each type, without and with the prefix of the country, and as it is written there."""
    written = []
    for kind in TYPES:
        described = getattr(phonenumbers.PhoneMetadata.metadata_for_region(region), kind)
        if described is not None and described.example_number:
            number = phonenumbers.parse(described.example_number, region)
            national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
            abroad = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            written += [described.example_number, national, re.sub(r"\D", "", national), abroad[1:]]
    return written


@st.composite
def texts_of_digits(draw: st.DrawFn) -> tuple[str, str]:
    """A region, and a text of numbers that are valid there, nearly valid, or not at all."""
    region = draw(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
    digits, number = st.text("0123456789", min_size=1, max_size=13), st.sampled_from(examples(region))
    changed = st.builds(
        lambda text, place, digit: text[:place] + digit + text[place + 1 :], number, st.integers(0, 9), digits
    )
    separator = st.sampled_from(["-", ".", "/", "(", ") ", " ", ", ", ": ", "\n", " - ", "x", "#"])
    return region, draw(st.lists(st.one_of(digits, number, changed, separator), max_size=7).map("".join))


def numbers(texts: list[str], region: str) -> list[tuple[int, int, int, str]]:
    """The row, the bounds and the value of each number."""
    column = pa.array(texts, pa.large_string())
    return [
        (row, each.start, each.end, each.value)
        for row, personal in find_personal(column, frozenset({"phone"}), (region,))
        for each in personal.spans
    ]


def check_digits(region: str, texts: list[str]) -> None:
    """Numbers are the library's in a whole text, and do not change if the library parses all digits."""
    e164 = phonenumbers.PhoneNumberFormat.E164
    for text in texts:
        assert list(phones._phones.__wrapped__(text, 0, len(text), region)) == [
            (each.start, each.end, phonenumbers.format_number(each.number, e164))
            for each in phonenumbers.PhoneNumberMatcher(text, region)
        ]
    fast = numbers(texts, region)
    phones._phones.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Plan, "may_be_number", lambda plan, digits: True)
        patch.setattr(phones, "may_hold_number", lambda run, region: True)
        assert numbers(texts, region) == fast
    phones._phones.cache_clear()


@settings(max_examples=80, deadline=None)
@given(texts_of_digits())
def test_no_number_is_missed_for_its_digits(drawn: tuple[str, str]) -> None:
    check_digits(drawn[0], [drawn[1]])


@pytest.mark.soak
@settings(max_examples=3000, deadline=None)
@given(texts_of_digits())
def test_no_number_of_many_is_missed_for_its_digits(drawn: tuple[str, str]) -> None:
    check_digits(drawn[0], [drawn[1]])


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS)[::12])
def test_the_examples_of_a_region_may_be_numbers(region: str) -> None:
    check_digits(region, examples(region))


@pytest.mark.parametrize(("region", "digits"), [("US", "6022729781"), ("DE", "03012345678"), ("NL", "0101234567")])
def test_most_digits_are_no_number(region: str, digits: str) -> None:
    """Otherwise the parser of the library, which takes 70 us a candidate, would see all."""
    plan, draw = plan_of(region), Random(1)
    assert plan.may_be_number(digits)
    others = [str(draw.randrange(10**9)) for _ in range(1000)]
    assert sum(map(plan.may_be_number, others)) < 50


def test_the_classes_of_phone_numbers_are_those_of_the_library() -> None:
    inside = re.compile(f"[{phonenumberutil._VALID_PUNCTUATION}]")
    assert {point for point, kind in enumerate(phones.classes()) if kind == PHONE_PUNCTUATION} == {
        point for point in range(0x10000) if inside.match(chr(point))
    }
    lengths = [
        len(str(code)) + min(length for length in metadata.general_desc.possible_length if length > 0)
        for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
        for metadata in [phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])]
    ]
    assert min(lengths) == phones._LEAST_AFTER_PLUS
