"""The command ``gristmill dataset import``."""

from dataclasses import replace
from pathlib import Path

from annotation.imports import SETS, ImportedSet, Layout, OpenSet, import_set
from annotation.imports.card import describe_contradictions
from curation.dedup.near import families
from jobs.dataset.counts import print_counts
from jobs.terminal import say
from schemas.errors import UserError
from schemas.settings import LARGEST, build, shown, unknown
from schemas.toml_file import read_toml


def run(files: tuple[Path, ...], schema: str, output: Path, held_out: tuple[Path, ...], name: str | None) -> None:
    """Imports an open set, and prints a summary."""
    print_built(import_set(files, held_out, open_set(schema), output, families, name))


def open_set(schema: str) -> OpenSet:
    """The set of that name, or the set that a mapping file describes. Raises UserError for any other name."""
    if schema in SETS:
        return SETS[schema]
    if not schema.endswith(".toml"):
        raise UserError(unknown("there is no schema", schema, [*SETS, "the path of a mapping (.toml)"]))
    path = Path(schema)
    table = read_toml(path)
    version = table.pop("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= LARGEST:
        raise UserError(f"{path}: version is {shown(version)}: give a whole number from 1")
    try:
        layout = build(Layout, table, "mapping")
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    rule = "Which answer is chosen, the mapping says; it is in the manifest."
    origin = f"files read by the mapping {path.name}"
    known = OpenSet(name=path.stem, source=path.stem, origin=origin, rule=rule, layouts=(layout,), version=version)
    return replace(known, mapped=True)


def print_built(built: ImportedSet) -> None:
    total = built.ledger.total()
    print_counts(built.folder, total, total.rejects, "left out")
    if built.contradictions:
        say(describe_contradictions(built.contradictions))
    if built.unused:
        say(f"fields that are not used: {', '.join(built.unused)}")
