"""The settings of a search for benchmarks, and the numbers of Llama 2's definition (Touvron et al. 2023, A.6)."""

from dataclasses import dataclass
from typing import Any, Literal

WIDTH = 10
"""A span begins with this many equal tokens, and is longer than that."""
BUDGET = 4
"""The most tokens of a span that differ. The last token of a span is equal."""
LENGTHS = (10, 20, 30, 40, 50)
"""The values of L: a token is contaminated if it lies in a span of at least L tokens, or for 10 of more than 10."""
SHOWN_SPANS = 10
"""The most spans of a sample, and of a document, that are listed."""

Normalise = Literal["words", "none"]
Definition = Literal["llama2", "gpt3", "palm", "decon"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How benchmarks are searched for.

    ``definition``: what contamination is, by tokens for ``llama2``, by n-grams of words for ``gpt3`` and ``palm`` (see
    `ngrams`), and by the parts of a sample for ``decon`` (see `decon`); the last three compare ``words``.
    ``normalise``: ``words`` compares the words of texts, in lower case, without punctuation and with single blanks;
    ``none`` compares texts as they are. The columns hold the corpus's texts and ids.
    """

    definition: Definition = "llama2"
    normalise: Normalise = "words"
    text_column: str = "text"
    id_column: str = "doc_id"

    def report(self) -> dict[str, Any]:
        """The settings as the manifest describes them."""
        if self.definition != "llama2":
            return {"definition": self.definition, "normalise": self.normalise}
        own = {"width": WIDTH, "mismatches": BUDGET, "lengths": list(LENGTHS)}
        return {"definition": self.definition, "normalise": self.normalise, **own}


def least_tokens(length: int) -> int:
    """The fewest tokens of a span that counts for a value of L.

    >>> [least_tokens(length) for length in LENGTHS]
    [11, 20, 30, 40, 50]
    """
    return max(length, WIDTH + 1)
