"""Reads the language model of the package py3langid (naive Bayes over n-grams of bytes) into arrays for a kernel.

The file is a compressed set of arrays: the automaton that finds n-grams (rows of 256 next states, the row of each
state, and the n-gram that ends in it), the logarithms of the probabilities of n-grams by class, and of the classes. Two
classes may have one label: a language in two scripts.
"""

import io
import lzma
import zipfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from schemas.errors import UserError

_OTHER_CODES = {"kik": "ki", "gug": "gn"}
"""Codes of the model, and the two letters of ISO 639-1 for the same language."""
_WIDTH = 16
"""The number of columns is a multiple of this, so that a kernel adds them in equal steps."""


class NgramModel(NamedTuple):
    """The model; arrays are read-only."""

    labels: tuple[str, ...]
    """ISO 639 codes, and zxx for what is no language."""
    moves: npt.NDArray[np.uint32]
    """(rows, 256): the next state for each byte."""
    move_rows: npt.NDArray[np.uint16]
    """(states,): the row of each state."""
    ngrams: npt.NDArray[np.int32]
    """(states,): the n-gram that ends in each state, or -1."""
    weights: npt.NDArray[np.float32]
    """(n-grams, columns): natural logarithms of probabilities; the columns after the last class are 0."""
    priors: npt.NDArray[np.float32]
    """(columns,)"""
    classes: npt.NDArray[np.int32]
    """(classes,): the label of each."""


@cache
def ngram_model() -> NgramModel:
    """The model, read once per process (half a second; 100 MB)."""
    return read_ngram_model(ngram_model_path())


def ngram_model_path() -> Path:
    """The model's file, inside the installed package py3langid."""
    package = find_spec("py3langid")
    if package is None or package.origin is None:
        raise UserError("the language model is missing: install py3langid")
    return Path(package.origin).parent / "data" / "model.npz.xz"


@cache
def ngram_languages() -> frozenset[str]:
    """The labels of the model: ISO 639 codes, and zxx for what is no language."""
    return frozenset(map(_code, _arrays(ngram_model_path(), ("classes",))["classes"].tolist()))


def read_ngram_model(path: Path) -> NgramModel:
    """Reads a model file; raises UserError if it is not a model of py3langid 0.4."""
    held = _arrays(path, ("ptc", "pc", "classes", "nextmove", "nextmove_row", "out_feat"))
    codes = list(map(_code, held["classes"].tolist()))
    labels = tuple(dict.fromkeys(codes))
    columns = -(-len(codes) // _WIDTH) * _WIDTH
    weights, priors = np.zeros((len(held["ptc"]), columns), np.float32), np.zeros(columns, np.float32)
    weights[:, : len(codes)], priors[: len(codes)] = held["ptc"], held["pc"]
    model = NgramModel(
        labels=labels,
        moves=held["nextmove"].reshape(-1, 256).astype(np.uint32, copy=False),
        move_rows=held["nextmove_row"].astype(np.uint16, copy=False),
        ngrams=held["out_feat"].astype(np.int32, copy=False),
        weights=weights,
        priors=priors,
        classes=np.array([labels.index(code) for code in codes], np.int32),
    )
    for array in model[1:]:
        array.flags.writeable = False
    return model


def _arrays(path: Path, names: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    try:
        with np.load(io.BytesIO(lzma.decompress(path.read_bytes())), allow_pickle=False) as held:
            return {name: held[name] for name in names}
    except (OSError, lzma.LZMAError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise UserError(f"{path} is not a language model of py3langid 0.4: install py3langid again") from error


def _code(name: str) -> str:
    return _OTHER_CODES.get(name, name)
