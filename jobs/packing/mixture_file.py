"""The mixture file (TOML) of ``gristmill pack`` to a Mixture, and the corpora that it names."""

from pathlib import Path

from curation.packing import Columns, Corpus, Mixture
from schemas.errors import UserError
from schemas.settings import build
from schemas.toml_file import read_toml


def read_mixture(path: Path) -> Mixture:
    """Raises UserError for a file that cannot be read, is no TOML, or says what cannot be."""
    mixture = build(Mixture, read_toml(path), str(path))
    if not mixture.source:
        raise UserError(f"{path} names no source: add a [[source]] with name, path and share")
    return mixture


def mixed_corpora(mixture: Mixture, folder: Path, columns: Columns) -> list[Corpus]:
    """The sources as corpora; a relative path is relative to the mixture file's folder."""
    return [
        Corpus(
            path=source.path if "://" in source.path else str(folder / source.path), name=source.name, columns=columns
        )
        for source in mixture.source
    ]
