"""Reads sets of documents to train on, to measure or to calibrate with: files, or corpora of ``gristmill curate``."""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from curation.fasttext.classifier import in_classifiers_form
from curation.release.manifest import check_sizes
from curation.reports.verdicts import read_files
from curation.rewrites.normalise import Normalise
from jobs.corpora import finished_corpus
from schemas import DOCUMENTS

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Documents:
    """Some documents in a row: their texts as the classifier reads them, and hashes of their ids and texts."""

    texts: pa.LargeStringArray
    ids: Hashes
    contents: Hashes

    def filter(self, chosen: npt.NDArray[np.bool_]) -> "Documents":
        return Documents(self.texts.filter(pa.array(chosen)), self.ids[chosen], self.contents[chosen])

    def __len__(self) -> int:
        return len(self.texts)


@dataclass
class DocumentSet:
    """The documents of some globs. ``unreadable`` counts the records of the latest reading that cannot be read."""

    name: str
    globs: Sequence[str]
    unreadable: int = 0

    def read(self) -> Iterator[Documents]:
        """The documents that have words, with normalised texts, in the order of the files.

        Raises UserError for a glob without files, and for a corpus that is unfinished or damaged.
        """
        self.unreadable = 0
        for records in read_files([_files_of(glob) for glob in self.globs], self._count):
            yield _documents(records)

    def _count(self, quarantined: pa.RecordBatch) -> None:
        self.unreadable += len(quarantined)


def _files_of(glob: str) -> str:
    """A glob of files: the documents of a corpus if ``glob`` names its folder, else ``glob``."""
    corpus = finished_corpus(glob)
    if corpus is None:
        return glob
    files = corpus.manifest.files.items()
    check_sizes(corpus.folder, [each for name, each in files if name.startswith(f"{DOCUMENTS.name}/")])
    return posixpath.join(corpus.folder.root, DOCUMENTS.name)


def _documents(records: pa.RecordBatch) -> Documents:
    texts = in_classifiers_form(Normalise().rewrite(records["text"]))
    ids = _hashes(records["doc_id"])
    found = Documents(texts, ids, _hashes(texts))
    return found.filter(pc.greater(pc.binary_length(pc.utf8_trim_whitespace(texts)), 0).to_numpy(zero_copy_only=False))


def _hashes(column: pa.Array) -> Hashes:
    return np.array([xxhash.xxh3_64_intdigest(value.as_buffer()) for value in column], np.uint64)
