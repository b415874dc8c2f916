"""What a page states of its rights, which becomes the field ``rights`` of the document's metadata.

``opt_outs`` has what the page refuses, and where the page says so: ``header`` or ``meta``. ``licence`` is the licence
of the page (`licences`), and ``licences`` lists the page's statements of it (`statements`). ``tdm_reservation`` and
``tdm_policy`` are the properties of the TDM Reservation Protocol with these names, if the page sets them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from resiliparse.parse.html import HTMLTree

from curation.rights.elements import MAX_ELEMENTS, elements
from curation.rights.licences import NONE, OTHER, UNKNOWN, combined, licence_at, stated_licence
from curation.rights.opt_outs import (
    RESERVED,
    ROBOTS,
    directives_of_header,
    directives_of_meta,
    is_for_robots,
    reservation,
)
from curation.rights.statements import MAX_ADDRESS, Statement, licences_of_tree

Fields = Mapping[str, Sequence[str]]
"""The values of the fields of an HTTP header, by lower-case name."""

_META = ", ".join(f'meta[name*="{part}" i]' for part in ("tdm-", *ROBOTS))
_NOT_KNOWN = ("", "unknown", "none", "null", "n/a", "-")
LISTED = 20
"""Different statements of a page that the metadata lists at most."""

_LINK = re.compile(
    r"<([^<>]{1,2000})>((?:\s*;\s*[a-z][a-z*_-]*(?:\s*=\s*(?:\"(?:[^\"\\]|\\.){0,500}\"|[^\s,;\"]{1,500}))?)*)",
    re.IGNORECASE,
)
_RELATION = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s,;\"]+))", re.IGNORECASE)


def stated_rights(page: str | HTMLTree | None, header: Fields | None = None, cut: bool = False) -> dict[str, Any]:
    """What a page states, by its HTML or the tree of it (None if it is not HTML) and its HTTP header (None if there is
    none). The licence of a page that was ``cut`` before its end is unknown rather than none, since footers come last.

    A valid reservation in the HTML supersedes the header's (TDM Reservation Protocol, section "Processing priority").
    Of two values in the HTML, or in the header, the stricter one counts. Raises ValueError for a page with more than
    MAX_ELEMENTS meta elements for robots.
    """
    header = header or {}
    opt_outs = dict.fromkeys(directives_of_header(header.get("x-robots-tag", ())), "header")
    reserved, place = reservation(header.get("tdm-reservation", ())), "header"
    policies = [*header.get("tdm-policy", ())]
    licences = _licences_of_header(header.get("link", ()))
    if page is not None:
        tree = HTMLTree.parse(page) if isinstance(page, str) else page
        named = _named_metas(tree)
        for name, content in named:
            if is_for_robots(name):
                opt_outs |= dict.fromkeys(directives_of_meta(name, content), "meta")
        own = reservation([content for name, content in named if name == "tdm-reservation"])
        if own is not None:
            reserved, place = own, "meta"
        policies = [content for name, content in named if name == "tdm-policy"] or policies
        licences += licences_of_tree(tree)
    if reserved:
        opt_outs[RESERVED] = place
    licence = combined([each.licence for each in licences])
    found: dict[str, Any] = {"opt_outs": opt_outs, "licence": UNKNOWN if cut and licence == NONE else licence}
    if reserved is not None:
        found["tdm_reservation"] = reserved
    if policies and policies[0].strip() and len(policies[0]) <= MAX_ADDRESS:
        found["tdm_policy"] = policies[0].strip()
    if licences:
        found["licences"] = [each.to_json() for each in dict.fromkeys(licences)][:LISTED]
    return found


def _named_metas(tree: HTMLTree) -> list[tuple[str, str]]:
    """The name, in lower case, and the content of each meta element for robots or miners."""
    metas = elements(tree, _META)
    if metas is None:
        raise ValueError(f"more than {MAX_ELEMENTS} meta elements for robots")
    return [((meta.getattr("name") or "").strip().lower(), meta.getattr("content") or "") for meta in metas]


def _licences_of_header(values: Sequence[str]) -> list[Statement]:
    """The licences that Link fields name with the relation ``license`` (RFC 8288, RFC 4946)."""
    found = list[Statement]()
    for value in values:
        for link in _LINK.finditer(value[:10_000]):
            relation = _RELATION.search(link[2])
            relations = (relation[1] or relation[2] or "").lower().split() if relation else []
            if "license" in relations:
                found.append(Statement(licence_at(link[1]) or OTHER, "header", link[1]))
    return found


def licence_of_record(record: Mapping[str, Any]) -> str | None:
    """The licence of a document that is not a page, by the field ``license`` or ``licence`` of its record, a text or a
    list of texts; None without such a field, or if it says "unknown"."""
    for name in ("license", "licence"):
        found = [stated_licence(text) or OTHER for text in _texts(record.get(name))]
        if found:
            return combined(found)
    return None


def _texts(value: object) -> list[str]:
    """The texts of a field for licences, which may be a list; none for a text that says that nobody knows."""
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str) and each.strip().lower() not in _NOT_KNOWN]
