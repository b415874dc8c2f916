"""Carries the models of a recipe to the workers: a run copies them into its output folder, where every worker reads."""

import hashlib
import shutil
import tempfile
from pathlib import Path

from curation.fasttext.store import hold, is_held
from curation.recipe import Recipe
from curation.release.folder import WORK, Folder
from curation.sources.places import is_local
from schemas.errors import UserError

_COPIED = 1 << 20


def ship_models(folder: Folder, recipe: Recipe) -> None:
    """Copies the models into the work in progress of a run. Raises UserError if a model has changed since the recipe
    was read, or cannot be read."""
    for sha256, path in recipe.models().items():
        if folder.exists(_name(sha256)):
            continue
        try:
            with path.open("rb") as model, folder.writing(_name(sha256)) as copy:
                digest = hashlib.sha256()
                while part := model.read(_COPIED):
                    digest.update(part)
                    copy.write(part)
                if digest.hexdigest() != sha256:
                    raise UserError(f"the model {path} has changed since the recipe was read: run again")
        except FileNotFoundError as error:
            raise UserError(f"the model {path} is gone: restore it, and run again") from error


def hold_models(folder: Folder, recipe: Recipe) -> None:
    """Reads the models of a run in the process of a worker, unless it has read them already."""
    for sha256 in recipe.models():
        if is_held(sha256):
            continue
        if is_local(folder.root):
            hold(Path(folder.path(_name(sha256))), sha256)
            continue
        with tempfile.NamedTemporaryFile() as copy, folder.reading(_name(sha256)) as model:
            shutil.copyfileobj(model, copy, _COPIED)
            copy.flush()
            hold(Path(copy.name), sha256)


def _name(sha256: str) -> str:
    return f"{WORK}/models/{sha256}"
