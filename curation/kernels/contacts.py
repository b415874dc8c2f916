"""Notices texts that may hold an e-mail address or an IP address, at next to no cost for those that do not."""

import numpy as np

from curation.kernels.compiled import leaf
from curation.kernels.lines import find_byte

MAY_HAVE_EMAIL, MAY_HAVE_ADDRESS = 1, 2
_AT, _DOT = np.uint8(0x40), np.uint8(0x2E)


@leaf
def _digits(data, i, end):
    """The index behind the digits at i, of which there are at most three."""
    stop = min(end, i + 3)
    while i < stop and 0x30 <= data[i] <= 0x39:
        i += 1
    return i


@leaf
def notice_contacts(data, offsets, out):
    """Sets the flags of each text: an at sign between other characters; digits and dots as in 1.2.3.4."""
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
                out[d] |= MAY_HAVE_ADDRESS
                break
            i = find_byte(data, i + 1, end, _DOT)
