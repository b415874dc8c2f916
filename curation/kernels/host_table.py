"""A hash table of hosts, or of words, in three arrays: about 40 bytes for a host of 20 characters, a third of a set of
Python."""

import numpy as np

from curation.kernels.compiled import leaf
from curation.kernels.hashing import hash_bytes

_DOT = np.uint8(0x2E)


@leaf
def slot_of(data, start, end, listed, bounds, slots):
    """The slot of data[start:end]: that of an equal listed string, or an empty one."""
    mask = np.int64(slots.shape[0] - 1)
    slot = np.int64(hash_bytes(data, start, end) & np.uint64(mask))
    while slots[slot] != 0:
        row = np.int64(slots[slot]) - 1
        i, j = start, bounds[row]
        if end - start == bounds[row + 1] - j:
            while i < end and data[i] == listed[j]:
                i += 1
                j += 1
            if i == end:
                break
        slot = (slot + 1) & mask
    return slot


@leaf
def fill_slots(listed, bounds, slots):
    """Fills the ``slots`` (zeros, a power of two of them, more than there are hosts) with the numbers of the hosts
    listed[bounds[n]:bounds[n + 1]], counted from 1."""
    for row in range(bounds.shape[0] - 1):
        slot = slot_of(listed, bounds[row], bounds[row + 1], listed, bounds, slots)
        if slots[slot] == 0:
            slots[slot] = row + 1


@leaf
def find_hosts(data, offsets, listed, bounds, slots, domains, longest, out):
    """Sets ``out`` to whether each host is listed or, with ``domains``, is in a listed domain. Of a host longer than
    ``longest`` bytes, only domains within its last ``longest`` bytes are looked for."""
    for d in range(out.shape[0]):
        start, end = offsets[d], offsets[d + 1]
        found = start < end and slots[slot_of(data, start, end, listed, bounds, slots)] != 0
        if domains and not found:
            for i in range(max(start, end - longest), end):
                if data[i] == _DOT and i + 1 < end and slots[slot_of(data, i + 1, end, listed, bounds, slots)] != 0:
                    found = True
                    break
        out[d] = found
