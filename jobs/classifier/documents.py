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
from curation.release.folder import Folder
from curation.release.manifest import check_sizes, read_manifest
from curation.rewrites.normalise import Normalise
from curation.sources.inputs import Input
from curation.sources.listing import list_files
from curation.sources.places import is_local
from curation.sources.reading import ReadingSettings, read_unit
from curation.sources.recognised import check_formats
from curation.sources.units import plan_units
from schemas.errors import UserError
from schemas.manifest import MANIFEST

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
        listed = list_files([Input(glob=_files_of(glob)) for glob in self.globs])
        check_formats(listed)
        for unit in plan_units(listed, 1 << 62):
            for chunk in read_unit(unit, ReadingSettings()):
                self.unreadable += len(chunk.quarantine)
                if len(chunk.documents):
                    yield _documents(chunk.documents)


def _files_of(glob: str) -> str:
    """A glob of files: the documents of a corpus if ``glob`` names its folder, else ``glob``."""
    folder = Folder(glob.rstrip("/") or glob)
    if "://" not in glob and not is_local(glob):
        return glob
    files, root = folder.filesystem()
    if not files.isdir(root) or not files.exists(posixpath.join(root, MANIFEST)):
        return glob
    found = read_manifest(folder)
    if found is None:
        raise UserError(f"{glob} holds no finished corpus: run gristmill curate to its end first")
    check_sizes(folder, [each for name, each in found.files.items() if name.startswith("documents/")])
    return posixpath.join(folder.root, "documents")


def _documents(records: pa.RecordBatch) -> Documents:
    texts = in_classifiers_form(Normalise().rewrite(records["text"]))
    ids = _hashes(records["doc_id"])
    found = Documents(texts, ids, _hashes(texts))
    return found.filter(pc.greater(pc.binary_length(pc.utf8_trim_whitespace(texts)), 0).to_numpy(zero_copy_only=False))


def _hashes(column: pa.Array) -> Hashes:
    return np.array([xxhash.xxh3_64_intdigest(value.as_buffer()) for value in column], np.uint64)
