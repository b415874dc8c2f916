"""A search as every stage receives it, and its index in the process of a worker."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from curation.benchmarks.indexes import AnyIndex, make_index
from curation.benchmarks.settings import Settings
from curation.packing.corpus import ParquetCorpus, Part
from curation.release.folder import WORK, Folder
from curation.sources.storage import Options
from curation.tokenizers.tokenizer import Tokenizer, open_tokenizer

_SAMPLES, _TOKENIZER = f"{WORK}/samples.arrow", f"{WORK}/tokenizer"


@dataclass(frozen=True, kw_only=True)
class Search:
    """The data of a search, plain enough to be sent to every worker. ``key`` names all that decides its index;
    ``end_token`` is None for a search without a tokenizer."""

    folder: Folder
    corpus: ParquetCorpus
    parts: tuple[Part, ...]
    settings: Settings
    end_token: str | None
    key: str
    local: bool = True
    storage: Options = field(default_factory=dict, repr=False)
    first: int = 0

    def shuffle_name(self, stage: str, key: int) -> str:
        return f"{WORK}/shuffle/{stage}/{key:05d}"


class _Held:
    """The index of the search of this process, and of the processes that are forked from it."""

    index: AnyIndex | None = None
    samples: pa.Table | None = None
    key = ""


def prepare(search: Search, samples: pa.Table, tokenizer: Tokenizer | None) -> AnyIndex:
    """Makes the index in this process, and writes what other machines make it from."""
    if tokenizer is not None:
        with search.folder.writing(_TOKENIZER) as stream:
            stream.write(tokenizer.content)
    with search.folder.writing(_SAMPLES) as stream, pa.ipc.new_file(stream, samples.schema) as writer:
        writer.write_table(samples)
    return _hold(search, samples, tokenizer)


def index_of(search: Search) -> tuple[AnyIndex, pa.Table]:
    """The index of a search and its samples, made once in each process."""
    if _Held.key != search.key or _Held.index is None or _Held.samples is None:
        with search.folder.reading(_SAMPLES) as stream:
            samples = pa.ipc.open_file(stream.read()).read_all().combine_chunks()
        return _hold(search, samples, _tokenizer(search)), samples
    return _Held.index, _Held.samples


def _tokenizer(search: Search) -> Tokenizer | None:
    if search.end_token is None:
        return None
    with search.folder.reading(_TOKENIZER) as stream, tempfile.NamedTemporaryFile() as copy:
        copy.write(stream.read())
        copy.flush()
        return open_tokenizer(Path(copy.name), search.end_token)


def _hold(search: Search, samples: pa.Table, tokenizer: Tokenizer | None) -> AnyIndex:
    index = make_index(search.settings, tokenizer, samples)
    _Held.index, _Held.samples, _Held.key = index, samples, search.key
    return index
