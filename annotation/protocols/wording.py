"""The wording of a page's guidelines, which each answer to the page names.

A browser tab shows the guidelines that it was opened with, however long ago: neither the time of an answer nor that of
a change says which guidelines an annotator saw. So a page with a new wording holds a hidden number, and each new answer
on the page contains the number. Answers to the first wording contain no such number.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from annotation.protocols.protocol import Page

WORDING = "wording"
"""The name of the hidden question."""

_ANY = re.compile(r'<View className="gm-wording".*?</View>\n', re.DOTALL)
_HIDDEN = (
    '<View className="gm-wording" style="display: none">'
    '<Number name="wording" toName="prompt" defaultValue="{number}"/></View>\n'
)


def reword(page: Page, instruction: str, number: int) -> Page:
    """The page with other guidelines, as its wording ``number``, from 2."""
    config = _ANY.sub("", page.config)
    end = config.rindex("</View>")
    return Page(config[:end] + _HIDDEN.format(number=number) + config[end:], instruction)


def wording_of(result: Sequence[Mapping[str, Any]]) -> int:
    """The number of the wording of the page that an answer was begun on.

    >>> wording_of([{"from_name": "wording", "type": "number", "value": {"number": 2}}]), wording_of([])
    (2, 1)
    """
    values = [item.get("value") for item in result if item.get("from_name") == WORDING]
    numbers = [value.get("number") for value in values if isinstance(value, Mapping)]
    return max((number for number in numbers if isinstance(number, int) and number > 0), default=1)
