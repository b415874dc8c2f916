"""The reference of the command line, as a page of Markdown: ``python -P -m jobs.reference`` writes ``commands.md``.

The page has the text of ``--help``, independent of the terminal's width. A test compares the page with the commands.
"""

import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from jobs.cli import gristmill
from schemas.settings import LARGEST

PAGE = Path(__file__).parent / "commands.md"
WIDTH = 100
TITLE = """\
# The commands

`make reference` writes this page from the output of `gristmill COMMAND --help`, and a test compares them: change the
help, not this page. The [handbook](README.md) describes the files that the commands read and write.
"""


def page() -> str:
    """Every command with its usage, help and options, in the order of ``gristmill --help``."""
    commands = list(leaves(gristmill, "gristmill"))
    index = [f"- [`{path}`](#{path.replace(' ', '-')}): {command.short_help}" for path, command in commands]
    return "\n".join([TITLE, *index, "", *(line for path, command in commands for line in section(path, command))])


def leaves(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """(words, command) of each command that is not a group, in the order of the groups' lists."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def section(path: str, command: click.Command) -> Iterator[str]:
    """The lines about one command."""
    context = click.Context(command, info_name=path)
    yield from (f"## {path}", "", "```text", " ".join([path, *command.collect_usage_pieces(context)]), "```", "")
    yield from paragraphs(inspect.cleandoc(command.help or ""))
    options = [option for option in command.params if isinstance(option, click.Option)]
    yield from (line for option in options for line in entry(option, context))
    yield from [""] if options else []


def paragraphs(text: str) -> Iterator[str]:
    r"""The paragraphs of a help text. A paragraph after ``\b``, with which click keeps lines as they are, is an
    example."""
    for paragraph in text.split("\n\n"):
        if paragraph.startswith("\b\n"):
            yield from ("```text", textwrap.dedent(paragraph[2:]).strip(), "```", "")
        else:
            yield from (*wrap(escape(paragraph)), "")


def entry(option: click.Option, context: click.Context) -> list[str]:
    """The list item of an option: names, value, help, choices, default and range."""
    names = "/".join([*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else " " + option.make_metavar(context)
    extra = option.get_help_extra(context)
    notes = [
        *(["required"] if "required" in extra else []),
        *([f"default: {extra['default']}"] if "default" in extra else []),
        *numbers(option.type),
    ]
    more = f" ({'; '.join(notes)})" if notes else ""
    return wrap(f"- `{names}{value}`: {escape(option.help or '')}{more}", "  ")


def numbers(kind: click.ParamType[Any]) -> Iterator[str]:
    """The range of numbers that an option accepts; empty if it accepts all.

    >>> list(numbers(click.IntRange(min=1))), list(numbers(click.IntRange(1, 65535)))
    (['at least 1'], ['1 to 65535'])
    >>> list(numbers(click.FloatRange(min=0, min_open=True)))
    ['more than 0']
    """
    if isinstance(kind, click.IntRange | click.FloatRange):
        least = "more than" if kind.min_open else "at least"
        yield f"{least} {kind.min:g}" if kind.max in (None, LARGEST) else f"{kind.min} to {kind.max}"


def wrap(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()), WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def escape(text: str) -> str:
    r"""The text with characters that have a meaning in Markdown escaped.

    >>> escape("a_b, *.gz and <s>")
    'a_b, \\*.gz and \\<s>'
    """
    return re.sub(r"([*<`|])", r"\\\1", text)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
