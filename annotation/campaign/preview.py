"""A preview of a batch: the page as annotators will see it, with a few of its pairs, as one HTML file."""

import re
from html import escape
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from annotation.protocols import PROTOCOLS, Page
from annotation.protocols.showing import show_guidelines, show_page

MARK = "<!DOCTYPE html>\n<!-- a preview by gristmill campaign push --dry-run -->\n"
"""The beginning of each preview, by which a later preview recognises the file."""
TRIED = 30
"""The most pairs that are rendered to find one with code, a table or a formula."""

_KINDS = {
    "with code": (re.compile("```"), '<div class="gm-code">'),
    "with a table": (re.compile(r"\|\s*:?-{3,}"), "<table"),
    "with a formula": (re.compile(r"\$[^$\s]|\\\(|\\\["), "<math"),
}
"""For each kind of pair: a pattern of its text, and a piece of its HTML if the page renders the text as this kind."""

_HEAD = """\
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
:root {{ color-scheme: light dark; }}
body {{ max-width: 1440px; margin: 0 auto; padding: 16px 32px 60px; font: 16px/1.5 system-ui, sans-serif; }}
h2 {{ margin: 36px 0 6px; font-size: 19px; }}
p {{ margin: 0 0 8px; }}
.note {{ padding: 10px 14px; border: 1px solid; border-radius: 8px; }}
iframe {{ width: 100%; height: 768px; margin: 4px 0 14px; border: 1px solid #8888; border-radius: 8px; }}
</style></head><body>
<h1>{title}</h1>
<p class="note">This is a preview: nothing was made, and nothing that you press is sent. An annotator sees one pair at a
time in Label Studio, whose bars are above and below the page. Each pair is shown twice, light and dark; which response
is A, and the order of pairs, differ by annotator.</p>
"""


def preview(title: str, page: Page, pairs: pa.Table) -> str:
    """The text of the file. ``pairs``: PAIRS rows of the batch; gold pairs are not shown."""
    parts = [MARK, _HEAD.format(title=escape(title))]
    parts += _twice("The guidelines", [show_guidelines(page, dark=dark) for dark in (False, True)])
    for what, row in choose(pairs):
        data = _shown(row)
        documents = [show_page(page, data, dark=dark) for dark in (False, True)]
        parts += _twice(f"{what}: prompt {row['prompt_id']}", documents)
    return "".join([*parts, "</body></html>\n"])


def choose(pairs: pa.Table) -> list[tuple[str, dict[str, Any]]]:
    """(title, row) of a few pairs: the shortest and the longest, and a pair each with code, a table and a formula."""
    asked = pairs.filter(pc.is_null(pairs["gold"])).sort_by("pair_id")
    if not asked.num_rows:
        return []
    lengths = pc.add(pc.utf8_length(asked["first"]), pc.utf8_length(pc.fill_null(asked["second"], ""))).to_pylist()
    order = sorted(range(len(lengths)), key=lambda row: (lengths[row], row))
    found = {order[0]: "The shortest pair", order[-1]: "The longest pair"}
    if len(order) == 1:
        found = {order[0]: "The only pair"}
    texts = zip(asked["first"].to_pylist(), pc.fill_null(asked["second"], "").to_pylist(), strict=True)
    written: dict[str, list[int]] = {name: [] for name in _KINDS}
    for row, both in enumerate(texts):
        for name, (pattern, _) in _KINDS.items():
            if len(written[name]) < TRIED and any(pattern.search(text) for text in both):
                written[name].append(row)
    for name, (_, html) in _KINDS.items():
        rows = (row for row in written[name] if any(html in part for part in _shown(_row(asked, row)).values()))
        first = next(rows, None)
        if first is not None:
            found[first] = f"{found[first]}, {name}" if first in found else f"A pair {name}"
    return [(what, _row(asked, row)) for row, what in found.items()]


def _row(pairs: pa.Table, row: int) -> dict[str, Any]:
    [found] = pairs.slice(row, 1).to_pylist()
    return dict(found)


def _shown(row: dict[str, Any]) -> dict[str, str]:
    return PROTOCOLS[row["protocol"]].show(row["prompt"], row["first"], row["second"], False)


def _twice(title: str, documents: list[str]) -> list[str]:
    frames = "".join(
        f'<iframe sandbox title="{escape(title)}" srcdoc="{escape(each)}"></iframe>\n' for each in documents
    )
    return [f"<h2>{escape(title)}</h2>\n", frames]
