"""A user's own filter: a function of Python from a table of documents to a table of signals."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pyarrow as pa

from curation.filters.own_function import OwnFunction
from curation.filters.own_signals import check_digest, check_names, check_thresholds, threshold_rules
from curation.filters.rules import Rule
from schemas import RECORDS
from schemas.errors import UserError
from schemas.named_files import read_named

_MOST_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Function:
    """Rejects documents by signals that a user's own function measures.

    The function gets a pyarrow Table with the columns of RECORDS, whose texts are normalised and rewritten by the steps
    before, and returns a Table with a column of numbers for each signal and a row for each document, in order. A signal
    depends on its own document only: some documents of each batch are measured again, and another result is an error.
    A null or NaN fails no rule.
    """

    use: Literal["function"] = "function"
    file: str
    """A file of Python, relative to the folder of the recipe. Workers get its text with the job."""
    function: str
    name: str | None = None
    """The stage in rejects and reports (None: the name of the function)."""
    measures: tuple[str, ...] = ()
    """The signals that the function returns; those with a threshold need not be named."""
    min: Mapping[str, float] = field(default_factory=dict)
    """Thresholds by signal: a smaller value rejects the document, for ``low_SIGNAL``."""
    max: Mapping[str, float] = field(default_factory=dict)
    """Thresholds by signal: a larger value rejects the document, for ``high_SIGNAL``."""
    sha256: str | None = None
    """The SHA-256 of the file (None: any). The manifest holds it."""

    source: str = field(default="", init=False, repr=False, compare=False)
    """The text of the file, which `with_file` reads."""

    def __post_init__(self) -> None:
        check_names(self.stage, self.names)

    def __hash__(self) -> int:
        return hash((self.stage, self.file, self.sha256))

    @property
    def stage(self) -> str:
        return self.name or self.function

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the signals: ``measures``, then other signals with thresholds."""
        return (*self.measures, *sorted({*self.min, *self.max} - {*self.measures}))

    @property
    def signals(self) -> pa.Schema:
        metadata = {"description": f"by {self.function} in {self.file}"}
        return pa.schema([pa.field(name, pa.float64(), metadata=metadata) for name in self.names])

    def with_file(self, folder: Path) -> "Function":
        """This step with the text of its file in ``folder``. Raises UserError if the file cannot be read or loaded, or
        has another SHA-256 than the step asks for."""
        try:
            content = read_named(folder / self.file, _MOST_BYTES, "a file of Python")
            source = content.decode("utf-8-sig").replace("\r\n", "\n")
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise UserError(f"step {self.stage}: {folder / self.file} cannot be read: {why}") from error
        digest = hashlib.sha256(content).hexdigest()
        check_digest(str(folder / self.file), digest, self.sha256)
        made = replace(self, sha256=digest)
        object.__setattr__(made, "source", source)
        made._loaded()
        return made

    def check(self, place: str = "") -> None:
        """Raises UserError if no document can meet the thresholds, or if nothing is measured."""
        check_thresholds(f"{place}{self.stage}", self.min, self.max)
        if not self.names:
            raise UserError(f"step {self.stage} measures nothing: name its signals, such as min = {{quality = 0.5}}")

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if not len(batch):
            return pa.RecordBatch.from_pylist([], self.signals)
        found = self._loaded().measure(batch.select(RECORDS.columns.names))
        return pa.RecordBatch.from_arrays(found.columns, schema=self.signals)

    def rules(self) -> tuple[Rule, ...]:
        return threshold_rules(self.min, self.max)

    def _loaded(self) -> OwnFunction:
        if not self.source:
            raise UserError(
                f"step {self.stage}: a manifest does not hold the text of {self.file}, so nothing can be measured with "
                "it: use the recipe file"
            )
        return OwnFunction(self.source, self.file, self.function, self.names)
