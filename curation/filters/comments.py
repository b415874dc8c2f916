"""The share of comments in source code (StarCoder, Li et al. 2023, section 3.2; NeMo Curator 1.4)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.filters.columns import batch_of, count, share
from curation.filters.rules import Rule, active_rules
from curation.kernels.comments import HASH, C, comment_counts


@dataclass(frozen=True, kw_only=True)
class Comments:
    """Rejects code with almost no comments, and code that is almost nothing else. The threshold None switches a rule
    off."""

    use: Literal["comments"] = "comments"
    style: Literal["c", "hash"] = "c"
    """``c``: // and /* */, as in C, C++, Java, JavaScript, Go and Rust. ``hash``: #, as in Python, Ruby and shells."""
    min_comment_share: float | None = 0.01
    max_comment_share: float | None = 0.85

    signals: ClassVar[pa.Schema] = pa.schema(
        [
            count("comments", "comments"),
            share("comment_share", "share of characters in comments without their marks, and one between comments"),
        ]
    )

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        found, inside = comment_counts(batch["text"], HASH if self.style == "hash" else C)
        with np.errstate(invalid="ignore"):
            shares = (inside + np.maximum(found - 1, 0)) / np.asarray(pc.utf8_length(batch["text"]))
        return batch_of([found.astype(np.float64), shares], self.signals)

    def rules(self) -> tuple[Rule, ...]:
        return active_rules(
            Rule("few_comments", "comment_share", at_least=self.min_comment_share),
            Rule("many_comments", "comment_share", at_most=self.max_comment_share),
        )
