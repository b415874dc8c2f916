"""The identifiers of languages: what each says of a text, and which labels it has."""

import hashlib
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.fasttext.files import SUFFIXES, ModelFile, find_model
from curation.filters.lid_model import language_model, model_languages
from curation.filters.ngram_model import ngram_languages, ngram_model, ngram_model_path
from curation.kernels.buffers import text_buffers
from curation.kernels.byte_ngrams import identify_by_ngrams
from curation.kernels.languages import identify_languages
from curation.rewrites.composing import nfc
from schemas.errors import UserError

LID_176, PY3LANGID = "lid.176", "py3langid"
IDENTIFIERS = (LID_176, PY3LANGID)
UNDETERMINED = "und"
"""The label (ISO 639-2) of a text of which py3langid knows nothing."""
_SPACES = " \t\n\v\f\r\0"
"""What separates words for lid.176."""
Found = tuple[pa.StringArray, pa.FloatArray]
"""The most likely label of each text and its probability (0 to 1); both null for a text without words."""


def check_identifier(identifier: str) -> None:
    """Raises UserError for what is neither the name of an identifier nor of a model file."""
    if identifier not in IDENTIFIERS and not identifier.endswith(SUFFIXES):
        raise UserError(
            f"language.identifier is {identifier!r}: give {', '.join(IDENTIFIERS)}, or the path of a fastText model, "
            f"which ends in {' or '.join(SUFFIXES)}"
        )


def known_labels(identifier: str = LID_176) -> frozenset[str]:
    """The labels that an identifier gives to texts.

    For lid.176 and py3langid they are ISO 639-1 codes, and ISO 639-3 codes for languages without an ISO 639-1 code; for
    a model file, its own labels without ``__label__``, such as eng_Latn. Raises UserError if a model cannot be read.
    """
    check_identifier(identifier)
    match identifier:
        case "lid.176":
            return model_languages()
        case "py3langid":
            return ngram_languages() | {UNDETERMINED}
        case _:
            return frozenset(find_model(identifier).labels)


def model_digests(identifier: str, file: ModelFile | None = None) -> dict[str, str]:
    """The SHA-256 (in hexadecimal) of an identifier's model, by the identifier; empty for lid.176."""
    match identifier:
        case "lid.176":
            return {}
        case "py3langid":
            return {identifier: _packaged_digest()}
        case _:
            return {identifier: (file or find_model(identifier)).sha256}


def identify(identifier: str, texts: pa.LargeStringArray, characters: int, file: ModelFile | None = None) -> Found:
    """The language of the first ``characters`` of each text; ``file`` is that of an identifier that names a file, if
    it is found already."""
    match identifier:
        case "lid.176":
            return _by_lid_176(texts, characters)
        case "py3langid":
            return _by_py3langid(texts, characters)
        case _:
            return _by_model_file(file or find_model(identifier), texts, characters)


def _by_lid_176(texts: pa.LargeStringArray, characters: int) -> Found:
    model = language_model()
    labels, scores = _unset(len(texts))
    data, offsets = text_buffers(texts)
    identify_languages(data, offsets, characters, tuple(model[1:]), labels, scores)
    languages = pa.array(model.labels, pa.string()).take(pa.array(labels, mask=labels < 0))
    return languages, pa.array(scores, from_pandas=True)


def _by_py3langid(texts: pa.LargeStringArray, characters: int) -> Found:
    """As py3langid's ``classify`` with ``norm_probs``, aside from UNDETERMINED (its score is 0) and blank texts."""
    model = ngram_model()
    labels, scores = _unset(len(texts))
    heads = pc.utf8_slice_codeunits(texts, 0, characters).to_pylist()
    prepared = [nfc(head.lower() if head.isupper() else head) for head in heads]
    data, offsets = text_buffers(pa.array(prepared, pa.large_string()))
    identify_by_ngrams(data, offsets, tuple(model[1:]), labels, scores)
    named = np.where(labels < 0, len(model.labels), labels)
    blank = np.array([not head.strip(_SPACES) for head in heads], np.bool_)
    languages = pa.array([*model.labels, UNDETERMINED], pa.string()).take(pa.array(named, mask=blank))
    return languages, pa.array(scores, mask=blank)


def _by_model_file(file: ModelFile, texts: pa.LargeStringArray, characters: int) -> Found:
    """As fastText's ``predict``; see `Model.likeliest`."""
    model = file.model()
    labels, scores = model.likeliest(pc.utf8_slice_codeunits(texts, 0, characters))
    languages = pa.array(model.labels, pa.string()).take(pa.array(labels, mask=labels < 0))
    return languages, pa.array(np.minimum(scores, np.float32(1)), from_pandas=True)


def _unset(rows: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    return np.empty(rows, np.int32), np.empty(rows, np.float32)


@cache
def _packaged_digest() -> str:
    return hashlib.sha256(ngram_model_path().read_bytes()).hexdigest()
