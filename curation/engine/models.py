"""Carries the models of a recipe to the workers of a cluster, which have no other files of the user's: a run copies
them into its output folder, where every worker reads."""

import shutil
import tempfile
from pathlib import Path

from curation.fasttext.files import ModelFile
from curation.recipe import Recipe
from curation.release.folder import WORK, Folder
from curation.sources.places import is_local


def send_models(folder: Folder, recipe: Recipe) -> None:
    """Copies the models into the work in progress of a run. Raises UserError if a model has changed since the recipe
    was read, or cannot be read."""
    for file in recipe.models():
        if not folder.exists(_name(file)):
            with folder.writing(_name(file)) as copy:
                file.copy_to(copy)


def receive_models(folder: Folder, recipe: Recipe) -> None:
    """Reads the models of a run in the process of a worker, unless it has read them already."""
    for file in recipe.models():
        if file.is_held:
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
        file.model()


def _name(file: ModelFile) -> str:
    return f"{WORK}/models/{file.sha256}"
