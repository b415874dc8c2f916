"""Exports a folder of verdicts in a form of others, to a folder with a manifest."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from annotation.dataset.files import new_folder
from annotation.dataset.manifest import Manifest
from annotation.evaluation.folder import load
from annotation.evaluation.forms.writing import FORMS, LEFT_OUT
from annotation.journal.journal import STORE
from schemas.errors import UserError
from schemas.manifest import MANIFEST
from schemas.settings import unknown

FORMAT = "gristmill.verdicts_export"
VERSION = 1
IMPORTED = "imported"
"""The judge of verdicts whose raters have no name."""


@dataclass(frozen=True, kw_only=True)
class VerdictsExportManifest(Manifest):
    """The manifest of an export. ``form`` is its form, ``verdicts`` the SHA-256 of the manifest of what was exported,
    ``left_out`` the number of rows that the form has no place for."""

    form: str
    verdicts: str
    left_out: int


def export(source: Path, form: str, output: Path) -> Mapping[str, int]:
    """Writes the verdicts of a folder in that form to a new folder. Returns the lines of each file, by name.

    Raises UserError for an unknown form, a form that the verdicts do not fit, a folder without verdicts, such as
    a campaign, and an occupied output.
    """
    if form not in FORMS:
        raise UserError(unknown("there is no format", form, list(FORMS)))
    if (source / STORE).exists():
        raise UserError(
            f"{source} is a campaign, and only verdicts of gristmill judge or gristmill evaluation import are "
            "exported: the votes of people are in the CSV files of gristmill evaluation report"
        )
    manifest, tables = load(source)
    files = FORMS[form](tables, IMPORTED if manifest.judge is None else manifest.judge.model)
    lines = {name: content.count(b"\n") for name, content in sorted(files.items())}
    with new_folder(output, "export of verdicts") as writer:
        for name, content in sorted(files.items()):
            (writer.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (writer.folder / name).write_bytes(content)
            writer.note(name)
        made = VerdictsExportManifest(
            format=FORMAT,
            version=VERSION,
            files=writer.files,
            form=form,
            verdicts=hashlib.sha256((source / MANIFEST).read_bytes()).hexdigest(),
            left_out=lines.get(LEFT_OUT, 0),
        )
        writer.json(MANIFEST, made)
    return lines
