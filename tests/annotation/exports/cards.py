"""The commands and settings that the README.md of an export prints."""

import re
import shlex
from pathlib import Path


def blocks(folder: Path) -> list[str]:
    """The blocks of code under ``## Load``, with the export's own folder in place of DIR."""
    load = (folder / "README.md").read_text(encoding="utf-8").partition("## Load\n")[2].partition("\n## ")[0]
    return [block.replace("DIR/", f"{folder}/") for block in re.findall(r"```\n(.*?)\n```", load, re.DOTALL)]


def words(block: str) -> list[str]:
    """The words of a command, as a shell splits it."""
    return shlex.split(block.replace("\\\n", " "))
