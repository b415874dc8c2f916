"""The command, called in this process, and a text that every recipe keeps."""

import sys
from pathlib import Path

import pytest

from jobs.cli import main

GRAIN = (
    "The mill turns the grain of the village into flour that the bakers of the town will have with their bread. "
    "A river runs below the mill, and with its water the wheel is driven day and night to grind what is brought.\n"
    "People of the valley say that the miller and the baker have to be friends, or else the bread will be late. "
    "In winter the river freezes, and the mill stands still until the sun of the new year frees the wheel again.\n"
    "Every sack that comes in is weighed, counted and written into the book, and so is every sack that goes out."
)


def call(*arguments: str | Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Runs the command in this process; returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["gristmill", *(str(argument) for argument in arguments)])
    try:
        main()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    return 0
