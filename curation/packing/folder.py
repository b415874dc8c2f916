"""The output folder of packed sequences: it appears whole, or not at all."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.errors import RunError, UserError


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """An unfinished folder beside it, which takes its name when the block ends without an error.

    Raises UserError when there is something by that name other than an empty folder, or none can be made there;
    RunError when it cannot be written, as on a full disk.
    """
    _claim(folder)
    unfinished = folder.parent / f".{folder.name}.{os.getpid()}.tmp"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished.mkdir()
    except OSError as error:
        raise UserError(f"the output {folder} cannot be made: {error.strerror}") from error
    try:
        yield unfinished
        unfinished.rename(folder)
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror or error}") from error
    finally:
        if unfinished.exists():
            shutil.rmtree(unfinished)


@contextmanager
def new_files(*paths: Path) -> Iterator[list[Path]]:
    """Unfinished files beside them, which take their names when the block ends without an error, the last one last.

    Raises UserError when one is there already, or none can be made there; RunError when they cannot be written.
    """
    for path in paths:
        if path.exists():
            raise UserError(f"the output {path} is there already: choose another name, or remove it first")
    unfinished = [path.parent / f".{path.name}.{os.getpid()}.tmp" for path in paths]
    try:
        for path in unfinished:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    except OSError as error:
        raise UserError(f"the output {paths[0]} cannot be made: {error.strerror}") from error
    try:
        yield unfinished
        for path, name in zip(unfinished, paths, strict=True):
            path.rename(name)
    except OSError as error:
        raise RunError(f"{paths[0]} cannot be written: {error.strerror or error}") from error
    finally:
        for path in unfinished:
            path.unlink(missing_ok=True)


def write_json(path: Path, value: object) -> None:
    content = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    path.write_text(content, encoding="utf-8")


def _claim(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UserError(f"the output {folder} is a file: name a folder that is new or empty")
    held = sorted(path.name for path in folder.iterdir())
    if "manifest.json" in held:
        raise UserError(f"the output {folder} holds a finished run: choose a new folder, or remove that one first")
    if held:
        raise UserError(f"the output {folder} is not empty ({len(held)} entries): choose a new folder")
