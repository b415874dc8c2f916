"""The signals of the step `contaminated`, and their values for texts."""

import re
import threading
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.benchmarks.carried import CarriedSamples
from curation.benchmarks.contaminations import Contamination, contaminations
from curation.benchmarks.decon_index import DeconIndex
from curation.benchmarks.passages import Shared, shared_passages, widened, without
from curation.filters.columns import Address, address_of, count, share

_UNITS = {"llama2": "tokens", "gpt3": "words", "palm": "words"}
"""In what spans are measured."""
_NO_WORD = re.compile(r"[\W_]+")
_NOTHING_SHARED: dict[str, object] = {
    "longest": 0,
    "samples": 0,
    "passages": 0,
    "bytes": 0,
    "share": 0.0,
    "left": None,
    "sample": None,
    "start": None,
    "end": None,
}
"""The signals of a text that shares no span, by the end of their names, in order; an empty text has no ``share``."""
_NOT_CONTAMINATED: dict[str, object] = {"score": 0.0, "samples": 0, "sample": None, "start": None, "end": None}
"""For decon: the signals of a text that contaminates no sample, in the same way."""


def span_signals(definition: str, around: int) -> pa.Schema:
    """The signals of a definition that compares spans; ``around`` are the characters beside a passage that count."""
    unit = _UNITS[definition]
    wide = f", with {around} characters on each side" if around else ""
    said = [
        count("contaminated_longest", f"{unit} of the longest span that the text shares with a sample"),
        count("contaminated_samples", "samples with which the text shares a span"),
        count("contaminated_passages", f"passages of the text that lie in a shared span{wide}"),
        count("contaminated_bytes", "bytes of the text in these passages"),
        share("contaminated_share", "share of the bytes of the text in these passages"),
        count("contaminated_left", "letters and numbers of a contaminated text outside of these passages"),
        pa.field("contaminated_sample", pa.string(), metadata={"description": "the sample of the longest span"}),
        count("contaminated_start", "the byte of the text at which the longest span begins"),
        count("contaminated_end", "the byte of the text before which the longest span ends"),
    ]
    return pa.schema(said)


def score_signals() -> pa.Schema:
    """The signals of a definition that scores documents."""
    said = [
        share("contaminated_score", "highest score of a sample that the text contaminates, 0 without one"),
        count("contaminated_samples", "samples that the text contaminates"),
        pa.field("contaminated_sample", pa.string(), metadata={"description": "the sample of the highest score"}),
        count("contaminated_start", "the byte of the text at which the question of this sample begins"),
        count("contaminated_end", "the byte of the text before which the question of this sample ends"),
    ]
    return pa.schema(said)


def span_values(carried: CarriedSamples, texts: pa.LargeStringArray, around: int) -> dict[str, list[object]]:
    """The values of `span_signals` for texts, by the end of their names."""
    found = passages_of(carried, texts)
    sizes = pc.binary_length(texts).to_numpy(zero_copy_only=False)
    columns = {name: [value] * len(texts) for name, value in _NOTHING_SHARED.items()}
    columns["share"] = np.where(sizes > 0, 0.0, np.nan).tolist()
    for row, own in found.items():
        for name, value in _of_spans(texts[row].as_py().encode(), own, around, carried.samples).items():
            columns[name][row] = value
    return columns


def score_values(carried: CarriedSamples, texts: pa.LargeStringArray) -> dict[str, list[object]]:
    """The values of `score_signals` for texts, by the end of their names."""
    assert isinstance(carried.index, DeconIndex)
    columns = {name: [value] * len(texts) for name, value in _NOT_CONTAMINATED.items()}
    for row, found in contaminations(carried.index, texts).items():
        for name, value in _of_contamination(found, carried.samples).items():
            columns[name][row] = value
    return columns


class _Last(threading.local):
    """What was found last in this thread: a step measures a column of texts and then cuts it.

    The column is kept alive, so that no other column can have its address in memory.
    """

    key: tuple[str, Address] | None = None
    texts: pa.LargeStringArray | None = None
    found: Mapping[int, Shared] = {}


_last = _Last()


def passages_of(carried: CarriedSamples, texts: pa.LargeStringArray) -> Mapping[int, Shared]:
    """What texts share with samples, by the number of the text; the same column of texts is searched once."""
    key = (carried.sha256, address_of(texts))
    if _last.key != key:
        assert not isinstance(carried.index, DeconIndex)
        _last.found, _last.texts, _last.key = shared_passages(carried.index, texts), texts, key
    return _last.found


def _of_spans(text: bytes, found: Shared, around: int, samples: pa.Table) -> dict[str, object]:
    """The signals of a text that shares a span with a sample, by the end of their names."""
    passages = widened(text, found.passages, around)
    left = without(text, passages)
    return {
        "longest": found.longest,
        "samples": found.samples,
        "passages": len(passages),
        "bytes": len(text) - len(left),
        "share": 1 - len(left) / len(text),
        "left": len(_NO_WORD.sub("", left.decode())),
        "sample": _name(samples, found.sample),
        "start": found.place[0],
        "end": found.place[1],
    }


def _of_contamination(found: Contamination, samples: pa.Table) -> dict[str, object]:
    """The signals of a text that contaminates a sample, by the end of their names."""
    start, end = found.place
    sample = _name(samples, found.sample)
    return {"score": found.score, "samples": found.samples, "sample": sample, "start": start, "end": end}


def _name(samples: pa.Table, sample: int) -> str:
    return "/".join(samples[name][sample].as_py() for name in ("benchmark", "sample_id"))
