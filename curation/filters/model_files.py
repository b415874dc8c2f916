"""Models of fastText that a recipe names: a path on this machine, or on any file system of fsspec.

A local file is mapped, so the processes of a run share its memory. A remote file is first copied to the folder for
temporary files, once per process.
"""

import shutil
import tempfile
from functools import cache
from pathlib import Path

import fsspec

from curation.fasttext.model import Model, read_model
from curation.sources.places import is_local, local_path
from curation.sources.storage import outages, reason
from schemas.errors import UserError

SUFFIXES = (".bin", ".ftz")


@cache
def model_at(name: str) -> Model:
    """The model at a path or url, read once per process. Raises UserError if it cannot be read or is no classifier."""
    if is_local(name):
        return read_model(Path(local_path(name)))
    try:
        with fsspec.open(name, "rb") as stream, tempfile.NamedTemporaryFile() as copy:
            shutil.copyfileobj(stream, copy)
            copy.flush()
            return read_model(Path(copy.name), name)
    except outages(ImportError, ValueError) as error:  # ValueError: no such file system
        raise UserError(f"the model {name} cannot be read: {reason(error)}") from error


def forget_models() -> None:
    """Makes this process read models again."""
    model_at.cache_clear()
