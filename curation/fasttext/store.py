"""The models that a process uses: read once, and found by the SHA-256 of their files."""

from collections import OrderedDict
from pathlib import Path

from curation.fasttext.model import Model, read_model
from schemas.errors import UserError

MOST = 8
"""How many models a process keeps, so that a long-lived process does not keep those of all its jobs."""
_held: "OrderedDict[str, Model]" = OrderedDict()


def hold(path: Path, sha256: str) -> None:
    """Reads a model unless this process holds it already. Raises UserError for a file with another SHA-256."""
    if sha256 in _held:
        _held.move_to_end(sha256)
        return
    model = read_model(path)
    if model.sha256 != sha256:
        raise UserError(f"the model {path} has changed since the recipe was read: restore the file, and run again")
    _held[sha256] = model
    while len(_held) > MOST:
        _held.popitem(last=False)


def is_held(sha256: str) -> bool:
    return sha256 in _held


def held(sha256: str) -> Model:
    """A model that `hold` has read. Raises KeyError for any other."""
    return _held[sha256]
