"""C4's rules for pages (Raffel et al. 2020). C4's rules for lines are the rewrite `c4_lines`, which comes first."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import pyarrow as pa

from curation.filters.columns import count, page_columns
from curation.filters.rules import Rule, active_rules
from curation.kernels.sentences import MARKS, PUNKT, sentence_counts


@dataclass(frozen=True, kw_only=True)
class C4Pages:
    """Rejects pages with few sentences, placeholder text or code. None switches the rule for sentences off."""

    use: Literal["c4_pages"] = "c4_pages"
    min_sentences: int | None = 5
    """5 in the paper and in datatrove; 3 in the code of C4."""
    sentences: Literal["spacy", "punkt", "marks"] = "spacy"
    """How sentences are counted: ``spacy`` by the rules of spaCy on the words of a line (as in datatrove); ``punkt`` by
    those of NLTK's Punkt on each line, with a list of abbreviations in place of its trained model (as in C4's code);
    ``marks`` by the number of . ! and ? alone (as in datamap-rs)."""
    lorem_ipsum: bool = True
    curly_brackets: bool = True

    signals: ClassVar[pa.Schema] = pa.schema(
        [
            count("sentences", "sentences, counted line by line"),
            count("lorem_ipsum", 'how often "lorem ipsum" is in the text'),
            count("curly_brackets", "opening curly brackets in the text"),
        ]
    )

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = page_columns(batch["text"], self.signals)
        if self.sentences == "spacy":
            return columns
        counts = sentence_counts(batch["text"], PUNKT if self.sentences == "punkt" else MARKS)
        place = self.signals.get_field_index("sentences")
        return columns.set_column(place, self.signals.field(place), pa.array(counts))

    def rules(self) -> tuple[Rule, ...]:
        return active_rules(
            Rule("lorem_ipsum", "lorem_ipsum", at_most=0 if self.lorem_ipsum else None),
            Rule("curly_bracket", "curly_brackets", at_most=0 if self.curly_brackets else None),
            Rule("too_few_sentences", "sentences", at_least=self.min_sentences),
        )
