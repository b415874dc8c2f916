"""Carries models, and the samples of benchmarks, to workers that lack them: a run copies them into its output folder,
where every worker reads."""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from curation.benchmarks.carried import CarriedSamples
from curation.fasttext.files import ModelFile
from curation.recipe import Recipe
from curation.release.folder import WORK, Folder
from curation.sources.places import is_local

_PLACE = f"{WORK}/models"


def send_models(folder: Folder, files: Iterable[ModelFile | CarriedSamples], local: bool = False) -> None:
    """Copies the models into the work in progress of a run, unless its workers are ``local`` and read the user's own
    file. Raises UserError if a model has changed since it was found, or cannot be read."""
    for file in files:
        if not (local and file.is_users_file) and not folder.exists(_name(file)):
            with folder.writing(_name(file)) as copy:
                file.copy_to(copy)


def receive_models(folder: Folder, files: Iterable[ModelFile | CarriedSamples], local: bool = False) -> None:
    """Reads the models of a run in the process of a worker, unless it has read them already, or is ``local`` and reads
    the user's own file."""
    for file in files:
        if file.is_held or (local and file.is_users_file):
            continue
        if is_local(folder.root):
            file.hold(Path(folder.path(_name(file))))
            continue
        with tempfile.NamedTemporaryFile() as copy, folder.reading(_name(file)) as model:
            shutil.copyfileobj(model, copy)
            copy.flush()
            file.hold(Path(copy.name))


def read_models(recipe: Recipe) -> None:
    """Reads the models in this process, so that a damaged one is found before the run starts; workers that are forked
    from this process share them. Raises UserError as `send_models` does."""
    for file in recipe.models():
        file.load()


def forget_sent(folder: Folder) -> None:
    """Removes the copies of models from the work in progress."""
    folder.remove_below(_PLACE)


def _name(file: ModelFile | CarriedSamples) -> str:
    return f"{_PLACE}/{file.sha256}"
