"""Numbering plans of regions, by which most digits are known not to be a telephone number without a parser.

The rules are those of `parse`, `is_valid_number` and `PhoneNumberMatcher` in libphonenumber, for digits without a plus
sign and without an extension. A plan may let digits pass that the library refuses, never the other way round.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

TYPES = (
    *("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost"),
    *("personal_number", "voip", "pager", "uan", "voicemail"),
)
"""The types of numbers, as the library's metadata names them."""
_FIRST_GROUP_ALONE = re.compile(r"\(?\\1\)?")


class _Prefix(NamedTuple):
    """What may stand before a national number, and what the library makes of a number with it (None: it goes)."""

    pattern: re.Pattern[str]
    rule: str | None

    def without(self, digits: str) -> Iterator[str]:
        """The national numbers that the library may find in the digits."""
        if found := self.pattern.match(digits):
            yield digits[found.end() :]
            if self.rule:
                yield self.pattern.sub(self.rule, digits, count=1)


class _Format(NamedTuple):
    """How a country writes some numbers, and whether they are numbers only with the national prefix before them."""

    leading: re.Pattern[str]
    pattern: re.Pattern[str]
    needs_prefix: bool


class Plan(NamedTuple):
    """What digits can be a number in a region, whose country may have several regions."""

    code: str
    abroad: re.Pattern[str] | None
    """The prefixes of international calls."""
    prefixes: Sequence[_Prefix]
    """Of the region, and of the main region of its country."""
    lengths: frozenset[int]
    valid: re.Pattern[str]
    """All numbers of all regions of the country."""
    formats: Sequence[_Format]
    """Of the main region of the country; the first that fits counts."""

    def may_be_number(self, digits: str) -> bool:
        """Whether the digits may be a valid number, dialled in the region. True for all digits that begin with a prefix
        of international calls."""
        if self.abroad and self.abroad.match(digits):
            return True
        found = [digits]
        if digits.startswith(self.code):
            rest = digits[len(self.code) :]
            found += [rest, *self._without_prefix(rest)]
        found += [shorter for longer in found for shorter in self._without_prefix(longer)]
        if not any(len(each) in self.lengths and self.valid.fullmatch(each) for each in found):
            return False
        return len(found) > 1 or not self._needs_prefix(digits)

    def _without_prefix(self, digits: str) -> list[str]:
        return [rest for prefix in self.prefixes for rest in prefix.without(digits)]

    def _needs_prefix(self, digits: str) -> bool:
        for each in self.formats:
            if each.leading.match(digits) and each.pattern.fullmatch(digits):
                return each.needs_prefix
        return False


@cache
def plan_of(region: str) -> Plan:
    """The plan of a region that the library knows."""
    import phonenumbers

    own: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    code = own.country_code
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    every: list[Any] = [phonenumbers.PhoneMetadata.metadata_for_region(each) for each in regions]
    metadata = [own] if region == regions[0] else [own, every[0]]
    kinds = [kind for of in every for name in TYPES if (kind := getattr(of, name)) is not None]
    kinds = [kind for kind in kinds if kind.national_number_pattern]
    return Plan(
        code=str(code),
        abroad=re.compile(own.international_prefix) if own.international_prefix else None,
        prefixes=[_prefix(of) for of in metadata if of.national_prefix_for_parsing],
        lengths=frozenset(length for kind in kinds for length in kind.possible_length),
        valid=re.compile("|".join(dict.fromkeys(f"(?:{kind.national_number_pattern})" for kind in kinds))),
        formats=[_format(each) for each in every[0].number_format],
    )


def _prefix(metadata: Any) -> _Prefix:
    return _Prefix(re.compile(metadata.national_prefix_for_parsing), metadata.national_prefix_transform_rule)


def _format(form: Any) -> _Format:
    rule = form.national_prefix_formatting_rule
    optional = form.national_prefix_optional_when_formatting or not rule or _FIRST_GROUP_ALONE.fullmatch(rule)
    leading = form.leading_digits_pattern[-1] if form.leading_digits_pattern else ""
    return _Format(re.compile(leading), re.compile(form.pattern), not optional)
