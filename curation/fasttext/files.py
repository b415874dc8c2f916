"""Files of models: found by a path or url, known by the SHA-256 of their bytes, and read once per process.

A local file is mapped, so the processes of a machine share its memory. A remote file is first copied to the folder for
temporary files. A run on a cluster carries the files to its workers (`engine/carried_files.py`).
"""

import hashlib
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

import fsspec

from curation.fasttext.model import Model, digest_and_labels, read_model
from curation.sources.places import is_local, local_path
from curation.sources.storage import outages, reason
from schemas.errors import UserError

SUFFIXES = (".bin", ".ftz")
MOST = 8
"""How many models a process keeps, so that a long-lived process does not keep those of all its jobs."""
_COPIED = 1 << 20
_held: "OrderedDict[str, Model]" = OrderedDict()
"""The models that this process has read, by SHA-256, the latest used last."""


@dataclass(frozen=True)
class ModelFile:
    """A model's file at a path or url ``place``, the SHA-256 of its bytes in hexadecimal, and the model's labels."""

    place: str
    sha256: str
    labels: tuple[str, ...]

    is_users_file = True
    """Whether the content is a file of the user's, which all processes of this machine can read."""

    def model(self) -> Model:
        """The model, which is read unless this process holds it. Raises UserError if the file cannot be read, or has
        another SHA-256."""
        if self.is_held:
            _held.move_to_end(self.sha256)
        else:
            with _local_copy(self.place) as path:
                self.hold(path)
        return _held[self.sha256]

    def load(self) -> None:
        """Reads the model, which processes that are forked later share. Raises UserError as `model` does."""
        self.model()

    @property
    def is_held(self) -> bool:
        return self.sha256 in _held

    def hold(self, path: Path) -> None:
        """Reads the model from a copy of the file. Raises UserError as `model` does."""
        model = read_model(path, self.place)
        self._check(model.sha256)
        _held[self.sha256] = model
        while len(_held) > MOST:
            _held.popitem(last=False)

    def copy_to(self, stream: IO[bytes]) -> None:
        """Writes the bytes of the file. Raises UserError if they cannot be read, or have another SHA-256."""
        digest = hashlib.sha256()
        with _local_copy(self.place) as path, _reading(path, self.place) as model:
            while part := model.read(_COPIED):
                digest.update(part)
                stream.write(part)
        self._check(digest.hexdigest())

    def _check(self, sha256: str) -> None:
        if sha256 != self.sha256:
            raise UserError(
                f"the model {self.place} has changed since the recipe was read: restore the file, and run again"
            )


@cache
def find_model(place: str) -> ModelFile:
    """The model's file at a path or url, looked at once per process. Raises UserError if it cannot be read or is no
    classifier of fastText."""
    with _local_copy(place) as path:
        return ModelFile(place, *digest_and_labels(path, place))


def forget_models() -> None:
    """Makes this process look at files of models again."""
    find_model.cache_clear()


@contextmanager
def _local_copy(place: str) -> Iterator[Path]:
    """The path of a local file, or of a copy of a remote one that is removed after the block."""
    if is_local(place):
        yield Path(local_path(place))
        return
    with tempfile.NamedTemporaryFile() as copy:
        try:
            with fsspec.open(place, "rb") as stream:
                shutil.copyfileobj(stream, copy, _COPIED)
            copy.flush()
        except outages(ImportError, ValueError) as error:  # ValueError: no such file system
            raise UserError(f"the model {place} cannot be read: {reason(error)}") from error
        yield Path(copy.name)


@contextmanager
def _reading(path: Path, place: str) -> Iterator[IO[bytes]]:
    try:
        stream = path.open("rb")
    except OSError as error:
        raise UserError(f"the model {place} cannot be read: {reason(error)}") from error
    with stream:
        yield stream
