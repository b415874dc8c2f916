"""The identifiers of languages: what each says of a text, and which labels it has."""

import hashlib
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

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
Found = tuple[pa.StringArray, pa.FloatArray]
"""The most likely label of each text and its probability (0 to 1); both null for a text without words."""


def check_identifier(identifier: str) -> None:
    """Raises UserError for an unknown identifier."""
    if identifier not in IDENTIFIERS:
        raise UserError(f"language.identifier is {identifier!r}: give {' or '.join(IDENTIFIERS)}")


def known_labels(identifier: str = LID_176) -> frozenset[str]:
    """The labels that an identifier gives to texts: ISO 639-1 codes, or ISO 639-3 where a language has no other."""
    check_identifier(identifier)
    return model_languages() if identifier == LID_176 else ngram_languages() | {UNDETERMINED}


def model_digests(identifier: str) -> dict[str, str]:
    """The SHA-256 (in hexadecimal) of an identifier's model, by the identifier; empty for lid.176."""
    return {} if identifier == LID_176 else {identifier: _digest(identifier)}


def forget_models() -> None:
    """Makes this process read the digests of models again."""
    _digest.cache_clear()


def identify(identifier: str, texts: pa.LargeStringArray, characters: int) -> Found:
    """The language of the first ``characters`` of each text."""
    if identifier == LID_176:
        return _by_lid_176(texts, characters)
    return _by_py3langid(texts, characters)


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


def _unset(rows: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    return np.empty(rows, np.int32), np.empty(rows, np.float32)


@cache
def _digest(identifier: str) -> str:
    return hashlib.sha256(ngram_model_path().read_bytes()).hexdigest()


_SPACES = " \t\n\v\f\r\0"
"""What separates words for lid.176."""
