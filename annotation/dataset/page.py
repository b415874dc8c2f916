"""Renders Markdown pages, such as dataset cards, from the templates beside the modules that fill them."""

import json
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from annotation.dataset import markdown

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def page(template: str, **values: Any) -> str:
    """The text of a page. ``template``: a path below the folder ``annotation``, such as ``dataset/card.md.j2``.

    Raises jinja2.UndefinedError if the template uses a value that is not in ``values``.
    """
    return _templates().get_template(template).render(values)


@cache
def _templates() -> Environment:
    """The environment has no automatic escaping: templates pass names from files through ``cell`` or ``table``."""
    made = Environment(
        loader=PackageLoader("annotation", ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "cell": markdown.cell,
        "counted": markdown.count,
        "json": lambda value: json.dumps(value, ensure_ascii=False),
        "number": "{:,}".format,
        "prose": markdown.prose,
        "size": lambda rows: next((name for limit, name in SIZES if rows < limit), "1M<n<10M"),
        "table": markdown.table,
    }
    return made
