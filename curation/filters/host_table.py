"""Lists of millions of hosts or urls in bounded memory, as block lists and hosts files write them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.kernels.buffers import text_buffers
from curation.kernels.host_table import fill_slots, find_hosts

_PLAIN = "^[a-z0-9][a-z0-9_-]*(?:[.][a-z0-9_-]+)*$"
_FORMS = (
    r"^(?:\|\||(?:0\.0\.0\.0|127\.0\.0\.1|::1?)[ \t]+|\.)?([a-z0-9][a-z0-9_-]*(?:[.][a-z0-9_-]+)*)[.^]?"
    r"(?:[ \t]+#.*)?$"
)
"""A host as in rules of ad blockers (||mill.example^), as in hosts files (0.0.0.0 mill.example), or with a full stop at
either end."""
_NOT_HOSTS = r"^(?:!|\[adblock|[ .]*$)"
"""Comments and headings of ad blockers' lists, and entries without a host."""
_AT_ONCE = 1 << 18
Form = Callable[[pa.LargeStringArray], pa.LargeStringArray]


@dataclass(frozen=True)
class HostTable:
    """A set of hosts in lower case and ASCII, or of urls, which is asked for many hosts or urls at once."""

    hosts: pa.LargeStringArray
    slots: npt.NDArray[np.uint32]

    @classmethod
    def of(cls, entries: pa.LargeStringArray, named_host: Callable[[str], str]) -> "HostTable":
        """The table of a list's entries. ``named_host`` reads an entry in any other form; it raises UserError for one
        that is not a host."""
        hosts = entries
        if not all(_is_plain(part) for part in _parts(entries)):
            found = (each for part in _parts(entries) for each in _hosts(part, named_host))
            hosts = pa.concat_arrays([pa.array([], pa.large_string()), *found])
        return cls._of(hosts)

    @classmethod
    def of_urls(cls, entries: pa.LargeStringArray, form: Form) -> "HostTable":
        """The table of a list's urls in the form in which they are compared, which keeps a form as it is."""
        if all(form(part).equals(part) for part in _parts(entries)):  # and needs no copy
            return cls._of(entries)
        return cls._of(pa.concat_arrays([form(part) for part in _parts(entries)]))

    @classmethod
    def _of(cls, hosts: pa.LargeStringArray) -> "HostTable":
        slots = np.zeros(1 << max(1, int(len(hosts) * 1.5).bit_length()), np.uint32)
        fill_slots(*text_buffers(hosts), slots)
        if len(hosts) > _AT_ONCE:
            pa.default_memory_pool().release_unused()
        return cls(hosts, slots)

    def __len__(self) -> int:
        return len(self.hosts)

    def find(self, hosts: pa.LargeStringArray, domains: bool, longest: int) -> npt.NDArray[np.bool_]:
        """Whether each host is in the table or, with ``domains``, is below a host in it."""
        found = np.empty(len(hosts), np.bool_)
        find_hosts(*text_buffers(hosts), *text_buffers(self.hosts), self.slots, domains, longest, found)
        return found


def _parts(entries: pa.LargeStringArray) -> Iterator[pa.LargeStringArray]:
    return (entries.slice(start, _AT_ONCE) for start in range(0, len(entries), _AT_ONCE))


def _is_plain(entries: pa.LargeStringArray) -> bool:
    """Whether all entries are hosts in the form of the table, which then needs no copy of them."""
    return pc.all(pc.match_substring_regex(entries, _PLAIN)).as_py() is not False


def _hosts(entries: pa.LargeStringArray, named_host: Callable[[str], str]) -> Iterator[pa.LargeStringArray]:
    lowered = pc.utf8_lower(entries)
    plain = pc.match_substring_regex(lowered, _PLAIN)
    yield lowered.filter(plain)
    others = lowered.filter(pc.invert(plain))
    others = others.filter(pc.invert(pc.match_substring_regex(others, _NOT_HOSTS)))
    formed = pc.match_substring_regex(others, _FORMS)
    yield pc.replace_substring_regex(others.filter(formed), _FORMS, "\\1")
    rest = others.filter(pc.invert(formed)).to_pylist()
    yield pa.array([named_host(name) for entry in rest for name in _names(entry)], pa.large_string())


def _names(entry: str) -> list[str]:
    """The names in a line of a hosts file, which begins with an address; any other entry as it is."""
    address, *names = entry.partition("#")[0].split() or [""]
    try:
        ip_address(address)
    except ValueError:
        return [entry]
    return names or [entry]
