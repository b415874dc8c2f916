"""The trainers' own loaders, if the extra `trainer` is installed. Only this module imports them."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

TrainerRows = Iterator[dict[str, Any]]
BATCH = 1000
BROKEN = (OSError, ValueError, KeyError, TypeError, AttributeError)
"""Errors that loaders raise for truncated or overwritten files."""


class LoadingError(Exception):
    """A loader rejects the files; the text is the loader's message."""


def find_versions(*packages: str) -> str | None:
    """The packages with their versions, or None if a package is missing.

    >>> find_versions("no-such-package") is None
    True
    """
    try:
        return " and ".join(f"{name} {version(name)}" for name in packages)
    except PackageNotFoundError:
        return None


@contextmanager
def load_splits(folder: Path, kind: Literal["parquet", "jsonl", "disk"]) -> Iterator[dict[str, Any]]:
    """The splits of an export as `datasets` loads them. Its cache is deleted when the block ends.

    Raises LoadingError if `datasets` rejects the files.
    """
    datasets = _datasets()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "export"  # `datasets` reads names as patterns; this name has no wildcards
        cache = str(Path(scratch) / "cache")
        try:
            shutil.copytree(folder, place, copy_function=_link)
            if kind == "disk":
                found = datasets.load_from_disk(str(place))
            elif kind == "jsonl":
                files = {path.stem: str(path) for path in sorted(place.glob("t*.jsonl"))}
                found = datasets.load_dataset("json", data_files=files, cache_dir=cache)
            else:
                found = datasets.load_dataset(str(place), cache_dir=cache)
        except (datasets.exceptions.DatasetsError, *BROKEN) as error:
            raise LoadingError(describe_error(error)) from error
        yield dict(found)


def _link(source: str, target: str) -> None:
    """Makes a hard link to the file, or a copy if links are impossible."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def describe_error(error: BaseException) -> str:
    """The loader's message on one line, at most 200 characters."""
    return " ".join(str(error.__cause__ or error).split())[:200] or type(error).__name__


def rows(split: Any) -> TrainerRows:
    """The rows of a split as Python objects."""
    for batch in split.with_format("arrow").iter(BATCH):
        yield from batch.to_pylist()


def train_rows(form: str, split: Any) -> TrainerRows:
    """The rows as TRL's trainer of this format reads them, by TRL's own functions. TRL prepends a separate prompt to
    both dialogues, and extracts the prompt of rows without one. The first row's columns decide this for all rows."""
    from trl import data_utils

    first = next(rows(split), {})
    if form == "trl-reward":
        explicit = "prompt" in first
        for row in rows(split):
            if explicit:
                row = {**row, **{which: row["prompt"] + row[which] for which in ("chosen", "rejected")}}
            yield _conversation(row, data_utils)
    else:
        implicit = "prompt" not in first
        for row in rows(split):
            if implicit:
                row = {**row, **data_utils.extract_prompt(row)}
            yield _conversation(row, data_utils)


def _conversation(row: dict[str, Any], data_utils: Any) -> dict[str, Any]:
    """The row if TRL recognizes a conversation in each of its columns; otherwise the row without these columns."""
    columns = [name for name in ("prompt", "chosen", "rejected", "completion") if name in row]
    talks = all(row[name] and data_utils.is_conversational({name: row[name]}) for name in columns)
    return row if talks else {name: value for name, value in row.items() if name not in columns}


def _datasets() -> ModuleType:
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        os.environ.setdefault(name, "1")
    import datasets

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    return datasets  # type: ignore[no-any-return]
