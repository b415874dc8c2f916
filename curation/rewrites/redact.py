"""Replaces personal information in texts: e-mail and IP addresses, telephone, account, card and social security
numbers, keys of services.

By default the step replaces e-mail and IP addresses by fixed ones, as FineWeb does (Penedo et al. 2024; datatrove's
`PIIFormatter`), but only addresses that are not part of something longer.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.kernels.buffers import text_buffers
from curation.kernels.contacts import MAY_HAVE_EMAIL, MAY_HAVE_IPV4, MAY_HAVE_IPV6, notice_contacts
from curation.rewrites.contacts import email_spans, ipv4_spans, ipv6_spans, replaced
from curation.rewrites.personal import DESCRIPTIONS, KINDS, Kind, Personal, find_personal
from curation.rewrites.phones import check_regions, versions_for
from schemas.errors import UserError
from schemas.settings import shown

_EMAIL, _IP = "email@example.com", "22.214.171.124"
COUNTS = pa.schema(
    [
        pa.field(f"redacted_{kind}", pa.int32(), metadata={"description": f"{said} that were replaced", "range": "0.."})
        for kind, said in DESCRIPTIONS.items()
    ]
)


@dataclass(frozen=True, kw_only=True)
class Redact:
    """Replaces personal information. Without ``kinds``: e-mail and public IP addresses, each by one fixed address.

    With ``kinds``, each value gets a stand-in of its own: equal values of a document get the same one, different values
    different ones, numbered from 1 in each document. Nothing of a value is kept but how often its kind was replaced.
    """

    use: Literal["redact"] = "redact"
    email: str | None = _EMAIL
    """Without ``kinds``: what replaces an e-mail address; None keeps it."""
    ip: str | None = _IP
    """Without ``kinds``: what replaces an IP address; None keeps it. The default is the first of FineWeb's
    replacements; none of these addresses responded when they were chosen."""
    kinds: tuple[Kind, ...] | None = None
    """What to replace: email, ip, phone, iban, card, ssn, key."""
    regions: tuple[str, ...] = ()
    """The regions (ISO 3166, such as US) whose telephone numbers are found as they are written there. Numbers with a
    plus sign are found for every region."""
    stand_in: str = "<{kind}_{number}>"
    """What replaces a value: {kind} is its kind in upper case, {number} its number in the document."""

    def __post_init__(self) -> None:
        if self.kinds == ():
            raise UserError(f"redact.kinds is empty: give one or more of {', '.join(KINDS)}, or leave the setting out")
        if self.kinds is not None and (self.email, self.ip) != (_EMAIL, _IP):
            raise UserError("redact.email and redact.ip are used without kinds only: give a stand_in")
        if ("phone" in (self.kinds or ())) != bool(self.regions):
            raise UserError(
                "redact.regions and the kind phone need each other: give both, such as regions = ['US', 'GB']"
            )
        if not all(part in self.stand_in for part in ("{kind}", "{number}")):
            raise UserError(f"redact.stand_in is {shown(self.stand_in)}: give a text with {{kind}} and {{number}}")
        check_regions(self.regions, "redact.regions")

    @property
    def counts(self) -> pa.Schema:
        """The signals that count what was replaced."""
        return COUNTS if self.kinds else pa.schema([])

    def list_digests(self) -> dict[str, str]:
        """The version of the package that knows telephone numbers, if it is used."""
        return versions_for(self.regions)

    def read_lists(self) -> None:
        """Has no list to read."""

    def rewrite(self, texts: pa.LargeStringArray) -> pa.LargeStringArray:
        return self.rewrite_and_count(texts)[0]

    def rewrite_and_count(self, texts: pa.LargeStringArray) -> tuple[pa.LargeStringArray, pa.RecordBatch]:
        """The texts with personal information replaced, and how often each kind was (COUNTS); null for kinds that are
        not replaced."""
        counts = np.zeros((len(KINDS), len(texts)), np.int32)
        new = dict[int, str]()
        kinds = self.kinds or ()
        if not kinds:
            new = self._fixed(texts)
        else:
            for row, found in find_personal(texts, frozenset(kinds), self.regions):
                new[row] = self._redacted(found)
                for kind, number in Counter(each.kind for each in found.spans).items():
                    counts[KINDS.index(kind), row] = number
        arrays = [
            pa.array(row) if kind in kinds else pa.nulls(len(texts), pa.int32())
            for kind, row in zip(KINDS, counts, strict=True)
        ]
        return _with_texts(texts, new), pa.RecordBatch.from_arrays(arrays, schema=COUNTS)

    def _stand_in(self, kind: Kind, number: int) -> str:
        return self.stand_in.replace("{kind}", kind.upper()).replace("{number}", str(number))

    def _redacted(self, found: Personal) -> str:
        numbers: dict[Kind, dict[str, int]] = {}
        parts, done = list[bytes](), 0
        for span in found.spans:
            known = numbers.setdefault(span.kind, {})
            number = known.setdefault(span.value, len(known) + 1)
            parts += [found.text[done : span.start], self._stand_in(span.kind, number).encode()]
            done = span.end
        return b"".join([*parts, found.text[done:]]).decode()

    def _fixed(self, texts: pa.LargeStringArray) -> dict[int, str]:
        """The changed texts by row, as in FineWeb."""
        flags = np.empty(len(texts), np.uint8)
        notice_contacts(*text_buffers(texts), flags)
        rows = np.flatnonzero(flags)
        before = texts.take(pa.array(rows)).to_pylist()
        after = [self._with_fixed(text, flag) for text, flag in zip(before, flags[rows].tolist(), strict=True)]
        return {row: new for row, old, new in zip(rows.tolist(), before, after, strict=True) if new != old}

    def _with_fixed(self, text: str, flag: int) -> str:
        if self.email is not None and flag & MAY_HAVE_EMAIL:
            text = replaced(text, email_spans(text), self.email)
        if self.ip is not None and flag & MAY_HAVE_IPV6:
            text = replaced(text, ipv6_spans(text), self.ip)
        if self.ip is not None and flag & MAY_HAVE_IPV4:
            text = replaced(text, ipv4_spans(text), self.ip)
        return text


def _with_texts(texts: pa.LargeStringArray, new: dict[int, str]) -> pa.LargeStringArray:
    """The texts, with the text of each row in ``new`` replaced; the same array if ``new`` is empty."""
    if not new:
        return texts
    mask = np.zeros(len(texts), np.bool_)
    mask[sorted(new)] = True
    return pc.replace_with_mask(texts, pa.array(mask), pa.array([new[row] for row in sorted(new)], texts.type))
