"""Imports the files of an open set into a dataset folder: comparisons in two splits, rejects, a manifest and a card."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.split import Families
from annotation.dataset import markdown
from annotation.dataset.columns import column, flags
from annotation.dataset.files import new_folder
from annotation.dataset.master import SPLITS
from annotation.dataset.prompts import PromptFamilies, SplitProof, prompt_families, prompt_texts, prove_apart
from annotation.imports.card import card
from annotation.imports.contradictions import contradictions
from annotation.imports.ledger import ImportLedger
from annotation.imports.manifest import ImportManifest, describe
from annotation.imports.outcomes import REASONS
from annotation.imports.pairs import Reader
from annotation.imports.prompts import UnusedSystemError
from annotation.imports.ranks import Ranks
from annotation.imports.sets import OpenSet
from annotation.imports.tables import FileTables, raw_of, reject_table, tables
from annotation.rows.reading import COMPRESSIONS, digest, rows
from schemas import COMPARISONS
from schemas.errors import UserError
from schemas.manifest import MANIFEST


@dataclass(frozen=True)
class ImportedSet:
    """A dataset that was written; ``manifest`` is the content of manifest.json. ``unused``: fields of the rows that the
    schema does not read; ``contradictions``: pairs of answers with opposite verdicts, which all stay comparisons."""

    folder: Path
    ledger: ImportLedger
    manifest: ImportManifest
    unused: tuple[str, ...] = ()
    contradictions: int = 0


@dataclass(frozen=True)
class SetFile:
    """One file of a set. ``name``: its name in ids and batches; ``split``: the split of its rows."""

    name: str
    path: Path
    split: str


def import_set(
    files: Sequence[Path],
    held_out: Sequence[Path],
    known: OpenSet,
    folder: Path,
    families: Families,
    name: str | None = None,
) -> ImportedSet:
    """Writes the dataset of these files into a new folder. Equal files give equal bytes, in any order.

    ``files`` are the training split, ``held_out`` the held-out split; ``name`` is the comparisons' source (default: the
    source of the set). Training pairs whose prompt is in the family of a held-out prompt are left out
    (``near_held_out``). Raises UserError for an occupied folder, for a file that cannot be read or has no readable row,
    if no training row becomes a comparison, and for a mapping that takes ranks for scores or drops a system message.
    """
    source = name or known.source
    if not source.strip() or "/" in source or not source.isprintable():
        raise UserError(f"the name {source!r} is invalid: give a name of visible characters, without a slash")
    set_files = name_files(files, held_out)
    with new_folder(folder) as writer:
        content = _content(set_files, known, source, families)
        with ThreadPoolExecutor(1) as threads:  # the card counts words while the tables are compressed
            text = threads.submit(card, source, known, content.splits, content.ledger, content.contradictions)
            for split, table in content.splits.items():
                writer.table(f"comparisons/{split}", table)
            writer.table("rejects", content.rejects)
            writer.text("README.md", text.result())
        origins = [(each.name, each.split, digest(each.path)) for each in set_files]
        proven = (content.ledger, content.proof, content.contradictions)
        said = describe(source, known, origins, *proven, writer.files)
        writer.json(MANIFEST, said)
    return ImportedSet(folder, content.ledger, said, content.unused, content.contradictions)


@dataclass(frozen=True)
class _Content:
    """The content of the folder. ``proof``: no family of prompts is in both splits; other fields as in ImportedSet."""

    splits: dict[str, pa.Table]
    rejects: pa.Table
    ledger: ImportLedger
    proof: SplitProof
    unused: tuple[str, ...]
    contradictions: int


def _content(set_files: Sequence[SetFile], known: OpenSet, source: str, families: Families) -> _Content:
    seen: set[str] = set()
    ranks = Ranks()
    read = {each.name: _read(each, known, source, ranks, seen) for each in set_files}
    if known.mapped and ranks.are_ranks():
        raise UserError(_describe_ranks(known, ranks))
    found = pa.concat_tables([each.comparisons for each in read.values()])
    split = _split(found, set_files)
    grouped = prompt_families(prompt_texts(column(found, "prompt")), np.ones(len(found), bool), families)
    near = _near_held_out(split, grouped)
    found = found.append_column("prompt_family", grouped.names.take(pa.array(grouped.number)))
    found = found.append_column("split", split)
    kept = pc.invert(near)
    splits = {name: _sort(found.filter(pc.and_(kept, pc.equal(split, name)))) for name in SPLITS}
    rejects = _rejects([each.rejects for each in read.values()], found.filter(near), source)
    ledger = ImportLedger.of({name: (each.rows, each.pairs) for name, each in read.items()}, splits, rejects)
    _check_trainable(set_files, ledger, rejects)
    proof = prove_apart(splits, grouped)
    kept = {name: _check_rows(table) for name, table in splits.items()}
    unused = tuple(sorted(seen - Reader(known.layouts).used))
    return _Content(kept, rejects, ledger, proof, unused, contradictions(pa.concat_tables(kept.values())))


def _describe_ranks(known: OpenSet, ranks: Ranks) -> str:
    named = known.layouts[0].list_given()
    field = next(named[name] for name in ("score", "first_score") if name in named)
    prompts = "the prompt" if ranks.prompts == 1 else f"{ranks.ranked:,} of {ranks.prompts:,} prompts"
    return (
        f"in {prompts} the values of {field} are whole numbers from 0 or 1 without a gap, as ranks are: add "
        'better = "lower" to the mapping if the best answer has the lowest value, or better = "higher" if it has the '
        "highest"
    )


def _check_trainable(set_files: Sequence[SetFile], ledger: ImportLedger, rejects: pa.Table) -> None:
    """Raises UserError, with the reasons, if no pair of the training files is a comparison."""
    counts = [ledger.files[each.name] for each in set_files if each.split == "train"]
    if not counts or any(each.comparisons for each in counts):
        return
    names = pa.array([each.name for each in set_files if each.split == "train"], pa.string())
    left = rejects.filter(pc.is_in(column(rejects, "file"), value_set=names))
    reasons = Counter(left["reason"].to_pylist())
    listed = ", ".join(
        f"{count:,} {reason}" for reason, count in sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
    )
    first = left.slice(0, 1).to_pylist()[0]
    raise UserError(
        f"there is nothing to train on: 0 of {markdown.count(len(left), 'pair')} became comparisons ({listed}; row "
        f"{first['row']} of {first['file']}: {first['message']})"
    )


def _read(file: SetFile, known: OpenSet, source: str, ranks: Ranks, seen: set[str]) -> FileTables:
    """The pairs and rejects of one file. Raises UserError if no row can be read: the file is then not of this set."""
    reader = Reader(known.layouts, known.mapped)
    found = reader.read(rows(file.path, reader.columns, seen))
    try:
        read = tables(found, source, file.name, known.protocol_version)
    except UnusedSystemError as error:
        raise UserError(f"{file.path}: {error}") from error
    ranks.add(reader.ranks)
    if not read.rows:
        raise UserError(f"{file.path} holds no rows: leave it out, or check that it is complete")
    if len(read.rejects) and not len(read.comparisons) and set(read.rejects["reason"].to_pylist()) == {"unreadable"}:
        raise UserError(
            f"no row of {file.path} can be read as {known.name} (row {read.rejects['row'][0]}: "
            f"{read.rejects['message'][0]}): name another schema, or a mapping"
        )
    return read


def name_files(files: Sequence[Path], held_out: Sequence[Path]) -> list[SetFile]:
    """The files with their names (without folder and ending), sorted by name. Files of the same name get the folder's
    name in front (``helpful-base-train``). Raises UserError for a file that is given twice."""
    both = [(path, split) for split, paths in zip(SPLITS, (files, held_out), strict=True) for path in paths]
    seen: set[Path] = set()
    for path, _ in both:
        if path.resolve() in seen:
            raise UserError(f"{path} is named twice: name each file once, for training or as held out")
        seen.add(path.resolve())
    short = [_stem(path) for path, _ in both]
    out = []
    for (path, split), stem in zip(both, short, strict=True):
        name = stem if short.count(stem) == 1 else f"{path.resolve().parent.name}-{stem}"
        out.append(SetFile(name, path, split))
    twice = sorted({each.name for each in out if sum(other.name == each.name for other in out) > 1})
    if twice:
        raise UserError(f"two files would be named {twice[0]}, by their folder and name: rename one of them")
    return sorted(out, key=lambda each: f"{each.name}/")


def _stem(path: Path) -> str:
    name = path.name
    for ending in (*COMPRESSIONS, ".csv", ".tsv", ".jsonl", ".json", ".parquet", ".arrow"):
        name = name.removesuffix(ending)
    return name or path.name


def _split(found: pa.Table, set_files: Sequence[SetFile]) -> pa.Array:
    """The split of each comparison: the split of its file, unless the row itself says that it is held out."""
    held = pa.array([each.name for each in set_files if each.split == "held_out"], pa.string())
    flags = pc.or_(pc.is_in(column(found, "file"), value_set=held), column(found, "held_out"))
    return pc.if_else(flags, "held_out", "train")


def _near_held_out(split: pa.Array, grouped: PromptFamilies) -> pa.Array:
    """Whether each pair is a training pair whose prompt is in the family of a held-out prompt."""
    train = flags(pc.equal(split, "train"))
    held_out = np.zeros(len(grouped), bool)
    held_out[grouped.number[~train]] = True
    return pa.array(train & held_out[grouped.number])


def _sort(rows: pa.Table) -> pa.Table:
    """The rows sorted by id. Rows in file order are already sorted, unless the set has its own ids."""
    ids = column(rows, "comparison_id")
    if pc.all(pc.less(ids[:-1], ids[1:]), min_count=0).as_py():
        return rows
    return rows.take(pc.sort_indices(ids))


def _check_rows(rows: pa.Table) -> pa.Table:
    table = rows.select(COMPARISONS.columns.names).cast(COMPARISONS.schema).combine_chunks()
    for batch in table.to_batches():
        COMPARISONS.check(batch)
    return table


def _rejects(parts: Sequence[pa.Table], near: pa.Table, source: str) -> pa.Table:
    """All rejects, including pairs near a held-out prompt, sorted by file, row and pair."""
    texts = near.select(["prompt", "chosen", "rejected"]).to_pylist()
    columns = {name: near[name].to_pylist() for name in ("file", "row", "pair")}
    columns["reason"] = ["near_held_out"] * len(near)
    columns["message"] = [REASONS["near_held_out"]] * len(near)
    columns["raw"] = [raw_of(**each) for each in texts]
    joined = pa.concat_tables([*parts, reject_table(columns, source)])
    return joined.sort_by([(name, "ascending") for name in ("file", "row", "pair")]).combine_chunks()
