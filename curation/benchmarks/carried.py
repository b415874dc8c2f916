"""The samples that a step of a recipe looks for, as a process holds them: known by their SHA-256, with the index made
once. A run carries them to its workers as one file (`engine/carried_files.py`)."""

import hashlib
import tempfile
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from curation.benchmarks.indexes import AnyIndex, make_index
from curation.benchmarks.settings import Settings
from curation.tokenizers.tokenizer import Tokenizer, one_thread_each, open_tokenizer

MOST = 4
"""How many indexes a process keeps, so that a long-lived process does not keep those of all its jobs."""
_SETTINGS = ("definition", "normalise", "end_token")


@dataclass(frozen=True, eq=False)
class _Content:
    """The samples and their index, from a file of Arrow; its metadata hold the settings and the tokenizer's file."""

    content: bytes

    @cached_property
    def samples(self) -> pa.Table:
        return pa.ipc.open_file(pa.py_buffer(self.content)).read_all().combine_chunks()

    @cached_property
    def index(self) -> AnyIndex:
        metadata = self.samples.schema.metadata
        definition, normalise, end_token = (metadata[name.encode()].decode() for name in _SETTINGS)
        given: dict[str, Any] = {"definition": definition, "normalise": normalise}
        tokenizer = None
        if b"tokenizer" in metadata:
            with tempfile.NamedTemporaryFile() as copy:
                copy.write(metadata[b"tokenizer"])
                copy.flush()
                tokenizer = open_tokenizer(Path(copy.name), end_token)
        index = make_index(Settings(**given), tokenizer, self.samples.replace_schema_metadata(None))
        with one_thread_each():
            index.build()
        return index


_held: "OrderedDict[str, _Content]" = OrderedDict()
"""What this process holds by SHA-256, the latest used last."""


class CarriedSamples:
    """Samples by their SHA-256. Where they are made, the object has their content; it is sent to workers without."""

    is_users_file = False
    """Whether the content is a file of the user's, which all processes of this machine can read."""

    def __init__(self, sha256: str, own: _Content | None = None):
        self.sha256 = sha256
        self._own = own

    @classmethod
    def of(cls, settings: Settings, tokenizer: Tokenizer | None, samples: pa.Table) -> "CarriedSamples":
        end_token = "" if tokenizer is None else tokenizer.end_token
        values = dict(zip(_SETTINGS, (settings.definition, settings.normalise, end_token), strict=True))
        metadata = values if tokenizer is None else {**values, "tokenizer": tokenizer.content}
        table = samples.replace_schema_metadata(metadata)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        content = sink.getvalue().to_pybytes()
        return cls(hashlib.sha256(content).hexdigest(), _Content(content))

    def __reduce__(self) -> tuple[Any, ...]:
        return CarriedSamples, (self.sha256,)

    @property
    def is_held(self) -> bool:
        return self.sha256 in _held

    def load(self) -> None:
        """Makes the index, which processes that are forked later share."""
        _ = self._content.index

    def hold(self, path: Path) -> None:
        """Reads the content from a copy of the file."""
        _keep(self.sha256, _Content(path.read_bytes()))

    def copy_to(self, stream: IO[bytes]) -> None:
        """Writes the content."""
        stream.write(self._content.content)

    @property
    def index(self) -> AnyIndex:
        return self._content.index

    @property
    def samples(self) -> pa.Table:
        """The samples, as rows of SAMPLES or, for decon, of REFERENCES."""
        return self._content.samples

    @property
    def _content(self) -> _Content:
        if self.sha256 not in _held:
            assert self._own is not None, "a worker uses samples that it did not receive"
            _keep(self.sha256, self._own)
        _held.move_to_end(self.sha256)
        return _held[self.sha256]


def _keep(sha256: str, content: _Content) -> None:
    _held[sha256] = content
    while len(_held) > MOST:
        _held.popitem(last=False)
