"""Finds the finished corpora among the paths that a command reads."""

from dataclasses import dataclass

from curation.release.folder import WORK, Folder
from curation.release.manifest import Manifest, read_finished
from curation.sources.places import is_local
from curation.sources.storage import outages, reason
from schemas.errors import UserError
from schemas.manifest import MANIFEST


@dataclass(frozen=True)
class Corpus:
    """A folder that ``gristmill curate`` or ``takedown`` finished, and its manifest."""

    folder: Folder
    manifest: Manifest


def finished_corpus(path: str) -> Corpus | None:
    """The corpus in the folder ``path``; None for files, globs and other folders.

    Raises UserError for a run that is not finished, for a damaged manifest, and for the output of another command.
    """
    if "://" not in path and not is_local(path):
        return None  # a chain such as zip::texts.zip names a file
    folder = Folder(path.rstrip("/") or path)
    try:
        if folder.exists(MANIFEST):
            return Corpus(folder, read_finished(folder)[0])
        if folder.exists(WORK):
            raise UserError(f"{path} holds an unfinished run: run gristmill curate to its end first")
    except FileNotFoundError:
        return None
    except outages() as error:
        raise UserError(f"{path} cannot be read ({reason(error)}): name another path, or make it readable") from error
    return None
