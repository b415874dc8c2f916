"""The trainers' own loaders, where the extra `trainer` is installed; the only module that imports them."""

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
"""What readers raise at files that were cut or written over."""


class LoadingError(Exception):
    """A loader does not take the files; the message is what it says."""


def find_versions(*packages: str) -> str | None:
    """The packages with their versions, or None where one is missing.

    >>> find_versions("no-such-package") is None
    True
    """
    try:
        return " and ".join(f"{name} {version(name)}" for name in packages)
    except PackageNotFoundError:
        return None


@contextmanager
def load_splits(folder: Path, kind: Literal["parquet", "jsonl", "disk"]) -> Iterator[dict[str, Any]]:
    """The splits of an export as `datasets` loads it, whose cache goes when the block ends.

    Raises LoadingError for files that it does not take.
    """
    datasets = _datasets()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "export"  # `datasets` takes names for patterns: this one is none
        shutil.copytree(folder, place, copy_function=_link)
        cache = str(Path(scratch) / "cache")
        try:
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
    """The same file by another name; a copy, where that cannot be."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def describe_error(error: BaseException) -> str:
    """What a loader says, in a line."""
    return " ".join(str(error.__cause__ or error).split())[:200] or type(error).__name__


def rows(split: Any) -> TrainerRows:
    """The rows of a split, as Python's own objects."""
    for batch in split.with_format("arrow").iter(BATCH):
        yield from batch.to_pylist()


def train_rows(form: str, split: Any) -> TrainerRows:
    """The rows as TRL's trainer of this format takes them, by TRL's own functions: it adds a prompt that stands alone
    to both dialogues, and looks for one where there is none. What the first row has decides for all."""
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
    """The row, if TRL takes it for a conversation whichever of its columns it looks at; otherwise nothing of it."""
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
