"""Carries files, which are models and the samples of benchmarks, to workers that lack them: a run copies the files into
its output folder, where every worker reads."""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from curation.benchmarks.carried import CarriedSamples
from curation.fasttext.files import ModelFile
from curation.recipe import Recipe
from curation.release.folder import WORK, Folder
from curation.sources.places import is_local

CarriedFile = ModelFile | CarriedSamples
_PLACE = f"{WORK}/carried"


def send_files(folder: Folder, files: Iterable[CarriedFile], local: bool = False) -> None:
    """Copies the files into the work in progress of a run, unless its workers are ``local`` and read the user's own
    file. Raises UserError if a file has changed since it was found, or cannot be read."""
    for file in files:
        if not (local and file.is_users_file) and not folder.exists(_name(file)):
            with folder.writing(_name(file)) as copy:
                file.copy_to(copy)


def receive_files(folder: Folder, files: Iterable[CarriedFile], local: bool = False) -> None:
    """Reads the files of a run in the process of a worker, unless it has read them already, or is ``local`` and reads
    the user's own file."""
    for file in files:
        if file.is_held or (local and file.is_users_file):
            continue
        if is_local(folder.root):
            file.hold(Path(folder.path(_name(file))))
            continue
        with tempfile.NamedTemporaryFile() as copy, folder.reading(_name(file)) as content:
            shutil.copyfileobj(content, copy)
            copy.flush()
            file.hold(Path(copy.name))


def load_files(recipe: Recipe) -> None:
    """Reads the files of a recipe in this process, so that a damaged one is found before the run starts; workers that
    are forked from this process share them. Raises UserError as `send_files` does."""
    for file in recipe.carried_files():
        file.load()


def forget_files(folder: Folder) -> None:
    """Removes the copies of files from the work in progress."""
    folder.remove_below(_PLACE)


def _name(file: CarriedFile) -> str:
    return f"{_PLACE}/{file.sha256}"
