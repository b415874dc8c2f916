"""What a page promises: its commands and the output that it shows beside them, read from its fenced blocks.

- ``sh``: commands, run as one script that must succeed.
- ``console``: after each ``$ command`` all that it prints on standard output; ``...`` stands for anything.
- ``python``: a session (``>>>``) that must print what it shows; names live on to the page's next block.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>\w+)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    kind: str
    body: str
    line: int


def blocks(page: Path) -> list[Block]:
    """The blocks that can be run, from the top down."""
    text = page.read_text(encoding="utf-8")
    found = (
        Block(match["kind"], dedent(match["body"]), text.count("\n", 0, match.start()) + 2)
        for match in FENCE.finditer(text)
    )
    return [block for block in found if block.kind in ("sh", "console", "python")]


def session(body: str) -> Iterator[tuple[str, str]]:
    r"""(command, expected output) of a ``console`` block.

    >>> list(session("$ echo a\na\n$ true\n"))
    [('echo a', 'a\n'), ('true', '')]
    """
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        while command.endswith("\\"):
            more, _, output = output.partition("\n")
            command += "\n" + more
        yield command, output


def shows(expected: str, printed: str) -> bool:
    r"""Whether that was printed, with ``...`` for anything and blanks at the end of lines left out.

    >>> shows("a ...\nd\n", "a b\nc\nd\n"), shows("a\n", "b\n")
    (True, False)
    """
    parts = (re.escape(part) for part in _stripped(expected).split("..."))
    return re.fullmatch(".*".join(parts), _stripped(printed), re.DOTALL) is not None


def _stripped(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())
