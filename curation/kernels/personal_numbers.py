"""Finds bank accounts (IBAN), payment cards, US social security numbers, and runs of digits that may be telephone
numbers.

IBAN: ISO 13616, checked modulo 97, with the lengths of the countries in SWIFT's registry (release 99). Cards: ISO/IEC
7812 with Luhn's check digit, and the ranges and lengths that the issuers publish. Social security numbers: those that
the administration can assign (no area 000, 666 or 900 to 999, no group 00, no serial 0000; 20 CFR 422.103).
"""

import numpy as np

from curation.kernels.compiled import leaf
from curation.kernels.memory import load64, lowest_bit
from curation.kernels.unicode import decode

IBAN, CARD, SSN, PHONE = 1, 2, 4, 8
"""Kinds of numbers, as bits."""
PHONE_DIGIT, PHONE_PUNCTUATION = 1, 2
"""Classes of characters in telephone numbers."""
MOST_PUNCTUATION = 4
"""How many characters may stand between two digits of a telephone number, as in libphonenumber."""

_ZEROS = np.uint64(0x3030303030303030)
_LOW_BITS = np.uint64(0x7F7F7F7F7F7F7F7F)
_HIGH_BITS = np.uint64(0x8080808080808080)
_ABOVE_NINE = np.uint64(0x7676767676767676)

_COUNTRIES = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
    "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 "
    "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 "
    "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
)
_LENGTHS = np.zeros(26 * 26, np.int64)
for _country in _COUNTRIES.split():
    _LENGTHS[(ord(_country[0]) - 65) * 26 + ord(_country[1]) - 65] = int(_country[2:])
_LONGEST_IBAN = 34

_ISSUERS = np.array(
    [
        (400000, 499999, 13, 13),  # Visa
        (400000, 499999, 16, 16),
        (400000, 499999, 19, 19),
        (510000, 559999, 16, 16),  # Mastercard
        (222100, 272099, 16, 16),
        (340000, 349999, 15, 15),  # American Express
        (370000, 379999, 15, 15),
        (300000, 305999, 14, 14),  # Diners Club
        (309500, 309599, 14, 14),
        (360000, 369999, 14, 14),
        (380000, 399999, 14, 14),
        (350000, 359999, 16, 19),  # JCB; cards before 2006 began with 2131 and 1800
        (213100, 213199, 15, 15),
        (180000, 180099, 15, 15),
        (601100, 601199, 16, 19),  # Discover
        (644000, 659999, 16, 19),
        (620000, 629999, 16, 19),  # UnionPay
        (810000, 817199, 16, 19),
        (501800, 501899, 12, 19),  # Maestro
        (502000, 502099, 12, 19),
        (503800, 503899, 12, 19),
        (560000, 589999, 12, 19),
        (630400, 630499, 12, 19),
        (675900, 675999, 12, 19),
        (676100, 676399, 12, 19),
        (220000, 220499, 16, 19),  # Mir
        (600000, 609999, 16, 16),  # RuPay
        (820000, 829999, 16, 16),
    ],
    np.int64,
)
"""First six digits from and to, and the number of digits from and to."""
_SHORTEST_CARD, _LONGEST_CARD = 12, 19


@leaf
def _is_digit(byte):
    return 0x30 <= byte <= 0x39


@leaf
def _in_word(byte):
    """A letter or digit, or part of a character that is not ASCII."""
    return 0x30 <= byte <= 0x39 or 0x41 <= byte <= 0x5A or 0x61 <= byte <= 0x7A or byte >= 0x80


@leaf
def _begins_apart(data, i, start):
    """Whether no word, number or path ends just before i."""
    if i == start:
        return True
    byte = data[i - 1]
    if _in_word(byte) or byte == 0x2F or byte == 0x5F:  # slash, underscore
        return False
    return not ((byte == 0x2D or byte == 0x2E) and i - 1 > start and _is_digit(data[i - 2]))  # hyphen, full stop


@leaf
def _ends_apart(data, i, end):
    """Whether no word or number continues at i."""
    if i == end:
        return True
    byte = data[i]
    if _in_word(byte) or byte == 0x5F:
        return False
    return not ((byte == 0x2D or byte == 0x2E) and i + 1 < end and _is_digit(data[i + 1]))


@leaf
def _iban_end(data, i, end):
    """The end of the IBAN that starts at i, -1 if no IBAN starts there. Its characters may be grouped by single spaces
    or hyphens."""
    if i + 4 > end or not (0x41 <= data[i] <= 0x5A and 0x41 <= data[i + 1] <= 0x5A and _is_digit(data[i + 3])):
        return -1
    length = _LENGTHS[(data[i] - 65) * 26 + data[i + 1] - 65]
    if length == 0:
        return -1
    head, rest = 0, 0
    taken = 0
    while taken < length:
        if i < end and taken > 3 and (data[i] == 0x20 or data[i] == 0x2D):
            i += 1
        if i == end:
            return -1
        byte = data[i]
        if _is_digit(byte):
            value, scale = np.int64(byte) - 48, 10
        elif 0x41 <= byte <= 0x5A:
            value, scale = np.int64(byte) - 55, 100
        else:
            return -1
        if taken < 4:
            head = head * scale + value
        else:
            rest = (rest * scale + value) % 97
        taken += 1
        i += 1
    return i if (rest * 1000000 + head) % 97 == 1 and _ends_apart(data, i, end) else -1


@leaf
def _is_issued(first, count):
    for row in range(_ISSUERS.shape[0]):
        if _ISSUERS[row, 0] <= first <= _ISSUERS[row, 1] and _ISSUERS[row, 2] <= count <= _ISSUERS[row, 3]:
            return True
    return False


@leaf
def _digits(data, i, end):
    """The index after the digits at i."""
    while i < end and _is_digit(data[i]):
        i += 1
    return i


@leaf
def _is_card(data, i, end):
    """Whether the digits of data[i:end] are a card number."""
    first = count = plain = doubled = 0
    for k in range(i, end):
        if _is_digit(data[k]):
            digit = np.int64(data[k]) - 48
            plain, doubled = doubled + digit, plain + 2 * digit - 9 * (digit > 4)  # each second digit, from the last on
            first = first * 10 + digit if count < 6 else first
            count += 1
    return plain % 10 == 0 and _is_issued(first, count)


@leaf
def _card_end(data, i, end):
    """The end of the card number that starts at i, -1 if no number starts there: digits without a break, or in groups
    of 4, 4, 4, 4 (and 1 to 3) or 4, 6, 4 or 5 with equal separators."""
    stop = _digits(data, i, end)
    if stop - i != 4:
        fits = _SHORTEST_CARD <= stop - i <= _LONGEST_CARD
        return stop if fits and _ends_apart(data, stop, end) and _is_card(data, i, stop) else -1
    if stop == end or (data[stop] != 0x20 and data[stop] != 0x2D):
        return -1
    separator = data[stop]
    second = _digits(data, stop + 1, end)
    if second == end or data[second] != separator:
        return -1
    third = _digits(data, second + 1, end)
    sizes = (second - stop - 1, third - second - 1)
    if sizes[0] == 6 and (sizes[1] == 4 or sizes[1] == 5):
        return third if _ends_apart(data, third, end) and _is_card(data, i, third) else -1
    if sizes[0] != 4 or sizes[1] != 4 or third == end or data[third] != separator:
        return -1
    fourth = _digits(data, third + 1, end)
    if fourth - third != 5:
        return -1
    if fourth < end and data[fourth] == separator:
        fifth = _digits(data, fourth + 1, end)
        if 1 < fifth - fourth < 5 and _ends_apart(data, fifth, end) and _is_card(data, i, fifth):
            return fifth
    return fourth if _ends_apart(data, fourth, end) and _is_card(data, i, fourth) else -1


@leaf
def _ssn_end(data, i, end):
    """The end of the social security number (123-45-6789) that starts at i, -1 if no number starts there."""
    if i + 11 > end or data[i + 3] != 0x2D or data[i + 6] != 0x2D or _digits(data, i, end) != i + 3:
        return -1
    if _digits(data, i + 4, end) != i + 6 or _digits(data, i + 7, end) != i + 11 or not _ends_apart(data, i + 11, end):
        return -1
    area = 100 * np.int64(data[i] - 48) + 10 * np.int64(data[i + 1] - 48) + np.int64(data[i + 2] - 48)
    group = data[i + 4] != 0x30 or data[i + 5] != 0x30
    serial = data[i + 7] != 0x30 or data[i + 8] != 0x30 or data[i + 9] != 0x30 or data[i + 10] != 0x30
    return i + 11 if 0 < area < 900 and area != 666 and group and serial else -1


@leaf
def _phone_end(data, i, end, classes):
    """The end of the run of digits at i, with at most MOST_PUNCTUATION characters of punctuation between two digits,
    and its number of digits."""
    digits = punctuation = 0
    stop = i
    while i < end:
        point, behind = decode(data, i)
        kind = classes[point] if point < classes.shape[0] else 0
        if kind == PHONE_DIGIT:
            digits += 1
            punctuation = 0
            stop = behind
        elif kind == PHONE_PUNCTUATION and punctuation < MOST_PUNCTUATION:
            punctuation += 1
        else:
            break
        i = behind
    return stop, digits


@leaf
def _add(found, count, text, start, end, kind):
    if count < found.shape[0]:
        found[count, 0] = text
        found[count, 1] = start
        found[count, 2] = end
        found[count, 3] = kind
    return count + 1


@leaf
def find_numbers(data, offsets, wanted, classes, least, found):
    """Writes the (text, start, end, kind) of each number of a kind in ``wanted`` and returns how many there are; only
    as many are written as ``found`` has rows. Kinds may overlap; the numbers of a kind do not.

    ``least`` are the digits that a run needs to be a telephone number, without and with a plus sign before it;
    ``classes`` are the PHONE_DIGIT and PHONE_PUNCTUATION of code points.
    """
    count = 0
    for d in range(offsets.shape[0] - 1):
        start, end = offsets[d], offsets[d + 1]
        iban = card = ssn = phone = start  # the ends of the last numbers
        i = _next_number(data, start, end, wanted & PHONE)
        while i < end:
            if not _is_digit(data[i]):  # a character that is not ASCII
                point, behind = decode(data, i)
                if point < classes.shape[0] and classes[point] == PHONE_DIGIT:
                    behind, digits = _phone_end(data, i, end, classes)
                    if digits >= least[0] or (digits >= least[1] and _after_plus(data, i, start)):
                        count = _add(found, count, d, i, behind, PHONE)
                i = _next_number(data, behind, end, wanted & PHONE)
                continue
            if wanted & IBAN and i - 2 >= iban and _begins_apart(data, i - 2, start):
                stop = _iban_end(data, i - 2, end)
                if stop > 0:
                    count = _add(found, count, d, i - 2, stop, IBAN)
                    iban = stop
            if wanted & (CARD | SSN) and _begins_apart(data, i, start):
                if wanted & CARD and i >= card:
                    stop = _card_end(data, i, end)
                    if stop > 0:
                        count = _add(found, count, d, i, stop, CARD)
                        card = stop
                if wanted & SSN and i >= ssn:
                    stop = _ssn_end(data, i, end)
                    if stop > 0:
                        count = _add(found, count, d, i, stop, SSN)
                        ssn = stop
            if wanted & PHONE and i >= phone:
                phone, digits = _phone_end(data, i, end, classes)
                if digits >= least[0] or (digits >= least[1] and _after_plus(data, i, start)):
                    count = _add(found, count, d, i, phone, PHONE)
            i = _next_number(data, _digits(data, i, end), end, wanted & PHONE)
    return count


@leaf
def _next_number(data, i, end, also_wide):
    """The index of the first digit from i on, or of the first character that is not ASCII if ``also_wide``."""
    while i + 8 <= end:
        word = load64(data, i)
        other = word ^ _ZEROS  # a digit becomes 0 to 9
        stops = ~(((other & _LOW_BITS) + _ABOVE_NINE) | other) & _HIGH_BITS
        if also_wide:
            stops |= word & _HIGH_BITS
        if stops:
            i += lowest_bit(stops) >> 3
            if data[i] < 0x80 or data[i] >= 0xC0:
                return i
            i += 1
        else:
            i += 8
    while i < end and not (_is_digit(data[i]) or (also_wide and data[i] >= 0xC0)):
        i += 1
    return i


@leaf
def _after_plus(data, i, start):
    """Whether a plus sign stands shortly before i."""
    k = max(start, i - 8)
    while k < i and data[k] != 0x2B and data[k] != 0x8B:  # the last byte of a wide plus sign
        k += 1
    return k < i
