"""Reads the mixture file (TOML) of ``gristmill pack``, and lists its corpora."""

from pathlib import Path

from curation.packing import Columns, Mixture, ParquetCorpus
from schemas.errors import UserError
from schemas.settings import build
from schemas.toml_file import read_toml


def read_mixture(path: Path) -> Mixture:
    """The mixture in a file. Raises UserError if the file cannot be read, is not TOML, or has an invalid setting."""
    mixture = build(Mixture, read_toml(path), str(path))
    if not mixture.source:
        raise UserError(f"{path} names no source: add a [[source]] with name, path and share")
    return mixture


def mixed_corpora(mixture: Mixture, folder: Path, columns: Columns) -> list[ParquetCorpus]:
    """The sources as corpora; relative paths are relative to ``folder``, that of the mixture file."""
    return [
        ParquetCorpus(
            path=source.path if "://" in source.path else str(folder / source.path), name=source.name, columns=columns
        )
        for source in mixture.source
    ]
