"""Ratings of models that others published, such as an arena's Elo: shown beside the leaderboard, never mixed in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from annotation.dataset.markdown import count
from annotation.evaluation.numbers import Number, Origin, Traced
from annotation.evaluation.outputs import parse_id, read_rows
from annotation.rows.reading import digest
from schemas.errors import UserError
from schemas.settings import shown
from schemas.visible import visible

MODELS = ("model", "model_name", "name", "key")
RATINGS = ("rating", "elo", "elo_rating", "arena_score", "arena_elo", "arena_elo_rating", "score")
"""The columns of a model and of its rating, the first that a row has; in any case, with spaces for underscores."""


@dataclass(frozen=True)
class ImportedRatings:
    """The rating of each model in a file, and the file's name, as `visible` shows it, and SHA-256."""

    name: str
    sha256: str
    ratings: Mapping[str, float]


def read_ratings(path: Path) -> ImportedRatings:
    """The ratings in a file with a row for each model (CSV, JSON lines and others), as leaderboards publish them.

    Raises UserError, with the place, for a row without a model or with a rating that is not a number, and for a model
    that has two ratings.
    """
    found: dict[str, float] = {}
    for place, row in read_rows(path, _spellings(), _spellings(MODELS)):
        plain = {str(name).strip().lower().replace(" ", "_"): value for name, value in row.items()}
        model = parse_id(_first(plain, MODELS), "model", place)
        if model in found:
            raise UserError(f"{place}: {shown(model)} already has a rating: keep one of them")
        found[model] = _number(_first(plain, RATINGS), place)
    if not found:
        raise UserError(f"{path} holds no rating: give rows with model and rating")
    return ImportedRatings(visible(path.name), digest(path), found)


def _spellings(names: Iterable[str] = (*MODELS, *RATINGS)) -> list[str]:
    """The names as leaderboards spell them; from Parquet only these columns are read."""
    found = []
    for name in names:
        spaced = name.replace("_", " ")
        found += [name, spaced, spaced.title(), spaced.capitalize(), name.upper()]
    return found


def _first(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((row[name] for name in names if row.get(name) not in (None, "")), None)


def _number(value: Any, place: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if isinstance(value, bool) or not isfinite(number):
        raise UserError(f"{place}: the rating is {shown(value)}: give a number as {', '.join(RATINGS[:-1])} or score")
    return number


def imported(files: Sequence[ImportedRatings], models: Iterable[str]) -> Iterator[Traced]:
    """The imported ratings of these models, the highest first; a model that a file lacks has no value.
    None is made from votes, also not from those of a source that has the file's name."""
    for file in files:
        fixed: dict[str, Any] = {
            "section": "imported_ratings",
            "source": file.name,
            "voters": "imported",
            "measure": "imported rating",
        }
        others = len(file.ratings.keys() - {*models})
        left_out = f"{count(others, 'model')} not compared here" if others else ""
        method = f"imported from {file.name}, SHA-256 {file.sha256}; not made from votes of this report"
        for name in sorted(models, key=lambda name: (-file.ratings.get(name, float("-inf")), name)):
            value = file.ratings.get(name)
            how = method if value is not None else f"not in {file.name}"
            about = Number(**fixed, model=name, value=value, votes=0, method=how, left_out=left_out)
            yield Traced(about, Origin(where={"source": ()}))
