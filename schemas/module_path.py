"""Where Python looks for modules: never in the folder that the user happens to stand in.

A file ``html.py`` in the current folder would otherwise be imported, and so run, in place of Python's own. This module
imports only what Python has loaded before: the command calls it first.
"""

import os
import sys

NEEDED = {os.path.realpath(os.path.dirname(path)) for path in (os.path.dirname(__file__), os.__file__)}
"""The folders of this package and of Python's library: they stay, also for a user who stands in one of them."""


def without_current_folder(path: list[str]) -> list[str]:
    """The module search path ``path`` without the current folder, as far as ``""`` or a relative entry of
    ``PYTHONPATH`` put it there."""
    relative = {os.path.realpath(entry) for entry in _entries() if not os.path.isabs(entry)} - NEEDED
    return [entry for entry in path if entry and os.path.realpath(entry) not in relative]


class SafeForChildren:
    """For the length of a block, Python processes that this one starts do not have the current folder on their path."""

    def __enter__(self) -> None:
        absolute = os.pathsep.join(entry for entry in _entries() if os.path.isabs(entry))
        wanted = {"PYTHONSAFEPATH": "1", "PYTHONPATH": absolute or None}
        self._before = {name: os.environ.get(name) for name in wanted}
        _set(wanted)

    def __exit__(self, *error: object) -> None:
        _set(self._before)


def _entries() -> list[str]:
    given = os.environ.get("PYTHONPATH")
    return given.split(os.pathsep) if given and not sys.flags.ignore_environment else []


def _set(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
