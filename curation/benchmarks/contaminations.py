"""Which samples texts contaminate by the definition of decon, and which places of a text repeat their parts."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.benchmarks.decon import PARTS, Floats, Integers
from curation.benchmarks.decon_index import DeconIndex, Overlaps
from curation.benchmarks.index import rows_by_text

DOCUMENT, SAMPLE = range(2)
"""The first columns of the places of overlaps; then come two for each part."""
ABSENT = -1
"""The place of a part that a text does not repeat."""
_STEPS = 1 << 40


@dataclass(frozen=True)
class Contamination:
    """The sample that a text contaminates with the highest score, this score, and the bytes [start, end) of the text
    that repeat its question; and how many ``samples`` the text contaminates."""

    score: float
    sample: int
    place: tuple[int, int]
    samples: int


def contaminations(index: DeconIndex, texts: pa.LargeStringArray) -> dict[int, Contamination]:
    """What texts contaminate, by the number of the text, for the texts that contaminate a sample. Of samples with equal
    scores the first one is taken."""
    overlaps = index.search(index.form.texts(texts))
    held = are_contaminated(index, overlaps)
    places, scores = overlaps.places[held], overlaps.scores[held, 0]
    found = {}
    for rows in rows_by_text(places[:, DOCUMENT]):
        best = rows.start + int(np.lexsort([places[rows, SAMPLE], ranks(scores[rows])])[0])
        row = int(places[best, DOCUMENT])
        start, end = located(index, texts[row].as_py(), places[[best]])[0, 0].tolist()
        found[row] = Contamination(float(scores[best]), int(places[best, SAMPLE]), (start, end), rows.stop - rows.start)
    return found


def are_contaminated(index: DeconIndex, found: Overlaps) -> npt.NDArray[np.bool_]:
    """Whether each match contaminates its sample: the score reaches the sample's threshold."""
    return np.asarray(found.scores[:, 0] >= index.thresholds[found.places[:, SAMPLE]], np.bool_)


def ranks(scores: Floats) -> Integers:
    """Lower for a higher score.

    >>> ranks(np.array([1.0, 0.5])).tolist() == [0, 1 << 39]
    True
    """
    return np.round((1 - scores) * _STEPS).astype(np.int64)


def located(index: DeconIndex, text: str, places: Integers) -> Integers:
    """The bytes of a text that repeat the parts of matches, from the ``places`` of the matches: shape (matches, parts,
    2); ABSENT for none."""
    form = index.form.texts(pa.array([text], pa.large_string()))[0].as_py()
    words = index.vocabulary.places(form)
    ranges = places[:, 2:].reshape(-1, 2)
    held = ranges[:, 0] != ABSENT
    found = np.full_like(ranges, ABSENT)
    found[held] = index.form.places(text, np.column_stack([words[ranges[held, 0], 1], words[ranges[held, 1] - 1, 2]]))
    return found.reshape(-1, len(PARTS), 2)
