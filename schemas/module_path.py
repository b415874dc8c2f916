"""Removes the current folder from the path on which Python looks for modules.

Otherwise a file ``html.py`` in the user's current folder would be imported, and so run, instead of Python's own module.
The command calls this module first, so it imports only modules that Python has already loaded.
"""

import os
import sys

NEEDED = {os.path.realpath(os.path.dirname(path)) for path in (os.path.dirname(__file__), os.__file__)}
"""The folders of this package and of Python's library. They stay on the path even if one is the current folder."""


def without_current_folder(path: list[str]) -> list[str]:
    """The module search path without the entries for the current folder: ``""`` and relative entries of
    ``PYTHONPATH``."""
    relative = {os.path.realpath(entry) for entry in _entries() if not os.path.isabs(entry)} - NEEDED
    return [entry for entry in path if entry and os.path.realpath(entry) not in relative]


class SafeForChildren:
    """Within the block, Python processes that this process starts do not have the current folder on their path."""

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
