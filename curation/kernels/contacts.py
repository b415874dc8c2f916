"""Finds texts that may contain an e-mail or IP address, at almost no cost for texts without addresses.

2.6 times the speed of a regular expression in Arrow (RE2), measured by `make bench`.
"""

import numpy as np

from curation.kernels.compiled import leaf
from curation.kernels.lines import find_byte

MAY_HAVE_EMAIL, MAY_HAVE_IPV4, MAY_HAVE_IPV6 = 1, 2, 4
_AT, _DOT, _COLON = np.uint8(0x40), np.uint8(0x2E), np.uint8(0x3A)
_GROUPS = 8
"""Groups of a full IPv6 address."""


@leaf
def _digits(data, i, end):
    """The index after the digits at i; at most three digits are read."""
    stop = min(end, i + 3)
    while i < stop and 0x30 <= data[i] <= 0x39:
        i += 1
    return i


@leaf
def _is_hex(byte):
    return 0x30 <= byte <= 0x39 or 0x41 <= byte <= 0x46 or 0x61 <= byte <= 0x66


@leaf
def _begins_ipv6(data, i, start, end):
    """Whether the colon at i is part of a double colon beside a hexadecimal digit, or the first of seven colons with
    digits between them."""
    if i + 1 < end and data[i + 1] == _COLON:
        return (i > start and _is_hex(data[i - 1])) or (i + 2 < end and _is_hex(data[i + 2]))
    for _ in range(_GROUPS - 2):
        digits = 0
        i += 1
        while i < end and digits < 4 and _is_hex(data[i]):
            digits += 1
            i += 1
        if digits == 0 or i >= end or data[i] != _COLON:
            return False
    return True


@leaf
def notice_contacts(data, offsets, out):
    """Sets the flags of each text: an at sign between other characters; digits and dots as in 1.2.3.4; colons and
    digits as in an IPv6 address."""
    for d in range(offsets.shape[0] - 1):
        start, end = offsets[d], offsets[d + 1]
        out[d] = 0
        i = find_byte(data, start, end, _AT)
        while i < end and (i == start or i + 1 == end or data[i - 1] <= 0x20 or data[i + 1] <= 0x20):
            i = find_byte(data, i + 1, end, _AT)
        if i < end:
            out[d] |= MAY_HAVE_EMAIL
        i = find_byte(data, start, end, _DOT)
        while i < end:
            dots = 0
            k = i
            while dots < 3 and k < end and data[k] == _DOT and k > start and 0x30 <= data[k - 1] <= 0x39:
                dots += 1
                k = _digits(data, k + 1, end)
            if dots == 3 and 0x30 <= data[k - 1] <= 0x39:
                out[d] |= MAY_HAVE_IPV4
                break
            i = find_byte(data, i + 1, end, _DOT)
        i = find_byte(data, start, end, _COLON)
        while i < end:
            if _begins_ipv6(data, i, start, end):
                out[d] |= MAY_HAVE_IPV6
                break
            i = find_byte(data, i + 1, end, _COLON)
