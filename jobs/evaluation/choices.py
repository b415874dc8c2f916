"""The choices of a report, from the options of a command."""

from pathlib import Path
from typing import Any

from annotation.evaluation.difficulties import read_difficulties
from annotation.evaluation.imported_ratings import read_ratings
from annotation.evaluation.length_control import LengthControl
from annotation.evaluation.reported import Choices
from schemas.errors import UserError


def choices_of(
    *,
    baseline: str | None,
    variants: tuple[str, ...],
    difficulty: Path | None,
    instructions: Path | None,
    imported: tuple[Path, ...],
    **choices: Any,
) -> Choices:
    """The choices, with the files that they name read. Raises UserError for a file that cannot be read, an option
    without the one that it belongs to, and two files of one name."""
    if baseline is None and (variants or difficulty is not None):
        raise UserError("--variant and --difficulty belong to --length-controlled: name the baseline there")
    if difficulty is None and instructions is not None:
        raise UserError("--instructions belongs to --difficulty: name the file of difficulties there")
    if baseline in variants:
        raise UserError(f"{baseline} is the baseline itself, so it cannot be its --variant")
    control = None
    if baseline is not None:
        known = None if difficulty is None else read_difficulties(difficulty, instructions)
        control = LengthControl(baseline, tuple(dict.fromkeys(variants)), known)
    names = [path.name for path in imported]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"two files of --imported have the name {name}: rename one, as their columns have it")
    return Choices(**choices, length_control=control, imported=tuple(map(read_ratings, imported)))
