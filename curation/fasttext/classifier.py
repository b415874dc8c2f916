"""The folder of a classifier that ``gristmill train-classifier`` wrote: a model, and the percentiles of its scores."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.fasttext.files import ModelFile
from curation.fasttext.model import Model
from schemas.checksums import sha256_of
from schemas.errors import CHANGED, DamagedError, UserError
from schemas.manifest import MANIFEST, Entry, named_entries, read_manifest
from schemas.named_files import open_named, read_named
from schemas.records import other_keys

FORMAT, VERSION = "gristmill.classifier", 1
MODEL, CALIBRATION, REPORT = "model.bin", "calibration.json", "report.json"
POSITIVE, NEGATIVE = "positive", "negative"
"""The labels of the model."""
LARGEST_ODDS = 700.0
"""The largest logarithm of odds; the logarithm of the smallest positive float64 is about -745."""
LEVELS = 1000
"""The calibration holds LEVELS + 1 scores, which divide the reference into equal parts."""
_MOST_BYTES = 4 << 20

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ClassifierManifest:
    """What a classifier's folder holds, and what it was made from. It holds no path and no time."""

    format: str
    version: int
    gristmill: str
    files: Mapping[str, Entry]
    others: Mapping[str, Any] = other_keys()


@dataclass(frozen=True, eq=False)
class Percentiles:
    """The share of a reference corpus with a lower score than a document, from the scores of the reference."""

    scores: tuple[float, ...]
    """LEVELS + 1 scores, from the lowest to the highest of the reference, in equal steps of its documents."""

    @classmethod
    def of(cls, scores: Floats) -> "Percentiles":
        """The percentiles of a reference corpus with these scores, of which there is at least one."""
        levels = np.quantile(scores, np.linspace(0, 1, LEVELS + 1))
        return cls(tuple(levels.tolist()))

    def of_scores(self, scores: Floats) -> Floats:
        """The percentile of each score, from 0 to 1; NaN stays NaN.

        >>> Percentiles.of(np.arange(11.0)).of_scores(np.array([-1.0, 5.0, 9.0, 10.0, 12.0])).tolist()
        [0.0, 0.5, 0.9, 1.0, 1.0]
        """
        values, first = np.unique(np.array(self.scores), return_index=True)  # of equal scores the lowest percentile
        found: Floats = np.interp(scores, values, first / LEVELS)
        return found


@dataclass(frozen=True, eq=False)
class Classifier:
    """A classifier that was read from a folder."""

    sha256: str
    """Of its manifest, which names the SHA-256 of all its files."""
    file: ModelFile
    percentiles: Percentiles


def in_classifiers_form(texts: pa.LargeStringArray) -> pa.LargeStringArray:
    """Texts as a classifier of ``train-classifier`` reads them: in lower case, and with spaces around the marks
    ``. ! ? , ' " / ( ) : ;``, so that a mark is a word of its own.

    >>> in_classifiers_form(pa.array(["Grind, (don't wait)."], pa.large_string())).to_pylist()
    ["grind ,   ( don ' t wait )  . "]
    """
    return pc.replace_substring_regex(pc.utf8_lower(texts), """([.!?,'"/():;])""", " \\1 ")


def log_odds(model: Model, texts: pa.LargeStringArray) -> Floats:
    """The logarithm of the odds that each text (in the classifier's form) is positive; NaN for a text without words.

    Odds tell texts apart whose probabilities are both rounded to 1.
    """
    found = model.probabilities(texts, (POSITIVE, NEGATIVE))
    with np.errstate(divide="ignore"):
        return np.asarray(np.clip(np.log(found[:, 0]) - np.log(found[:, 1]), -LARGEST_ODDS, LARGEST_ODDS))


def read_classifier(folder: Path) -> Classifier:
    """Reads a classifier's folder, apart from the model. Raises UserError if the folder holds no classifier, or if a
    file is missing or was changed."""
    place = str(folder / MANIFEST)
    try:
        content = read_named(folder / MANIFEST, _MOST_BYTES, "a classifier's folder")
    except OSError as error:
        raise UserError(
            f"{folder} holds no classifier ({place}: {error.strerror}): name a folder that gristmill train-classifier "
            "wrote"
        ) from error
    made_by = "gristmill train-classifier"
    found = read_manifest(content, place, ClassifierManifest, form=FORMAT, version=VERSION, made_by=made_by)
    named_entries(found.files, place)
    for name in (MODEL, CALIBRATION):
        _check(folder / name, found.files.get(name), place)
    scores = _scores(json.loads((folder / CALIBRATION).read_bytes()), str(folder / CALIBRATION))
    digest = hashlib.sha256(content).hexdigest()
    file = ModelFile(str(folder / MODEL), found.files[MODEL].sha256, (POSITIVE, NEGATIVE))
    return Classifier(digest, file, Percentiles(scores))


def _check(path: Path, entry: Entry | None, place: str) -> None:
    if entry is None:
        raise DamagedError(f"{place} does not name {path.name}: {CHANGED}")
    try:
        with open_named(path) as stream:
            digest = sha256_of(stream)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): restore the classifier's folder") from error
    if digest != entry.sha256:
        raise DamagedError(f"{path} does not have the SHA-256 of {place}: {CHANGED}")


def _scores(value: Any, place: str) -> tuple[float, ...]:
    scores = value.get("scores") if isinstance(value, dict) else None
    if not isinstance(scores, list) or len(scores) != LEVELS + 1 or sorted(map(float, scores)) != scores:
        raise DamagedError(f"{place} does not hold {LEVELS + 1} rising scores: {CHANGED}")
    return tuple(map(float, scores))
