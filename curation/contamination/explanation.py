"""Explains in words which documents a sample was found in, with both texts, and which samples a document holds."""

from collections.abc import Iterator, Sized
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from curation.benchmarks.settings import LENGTHS
from curation.contamination.gathering import SAMPLES_FILE
from curation.contamination.manifest import FORMAT, VERSION, ContaminationManifest
from curation.contamination.tables import documents_of, samples_of
from curation.release.folder import Folder
from curation.release.manifest import read_content
from curation.release.shards import row_groups
from schemas.errors import UserError
from schemas.manifest import MANIFEST, NamedEntry, parse_json, read_manifest, size_difference

SHOWN = 400
"""The most characters of a passage that are shown."""


def read_search(path: str) -> ContaminationManifest | None:
    """The manifest of a folder that ``gristmill contamination`` wrote; None for another folder.

    Raises DamagedError for a manifest that was changed.
    """
    folder = Folder(path)
    files, root = folder.filesystem()
    content = read_content(folder) if files.isdir(root) else None
    if content is None:
        return None
    place = f"{path}/{MANIFEST}"
    value = parse_json(content, place)
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        return None
    return read_manifest(
        content, place, ContaminationManifest, form=FORMAT, version=VERSION, made_by="gristmill contamination"
    )


def explain_search(path: str, found: ContaminationManifest, name: str) -> Iterator[list[str]]:
    """The lines about each sample and each contaminated document with the id ``name``; ``BENCHMARK/ID`` names a sample
    of one benchmark. Raises UserError for a file that is missing or does not have its size in the manifest."""
    folder = Folder(path)
    sizes = folder.sizes(found.files)
    for file, entry in found.files.items():
        if wrong := size_difference(NamedEntry(file, entry.sha256, entry.bytes), sizes.get(file)):
            raise UserError(f"{path}/{file} {wrong}: restore the original folder, or search again into a new one")
    definition = found.settings.get("definition", "llama2")
    unit, names = "tokens" if definition == "llama2" else "words", samples_of(definition).columns.names
    columns = documents_of(definition).columns.names
    for row in _rows(folder, SAMPLES_FILE, names, "sample_id", [name, name.partition("/")[2]]):
        if name in (row["sample_id"], f"{row['benchmark']}/{row['sample_id']}"):
            yield list(_reference(row) if definition == "decon" else _sample(row, unit))
    for shard in sorted(found.files):
        if shard.startswith("documents/"):
            for row in _rows(folder, shard, columns, "doc_id", [name]):
                yield list(_contaminating(row) if definition == "decon" else _document(row, unit))


def _rows(folder: Folder, shard: str, columns: list[str], key: str, values: list[str]) -> Iterator[dict[str, Any]]:
    for _, batch in row_groups(folder, shard, columns):
        yield from batch.filter(pc.is_in(batch[key], pa.array(values, batch[key].type))).to_pylist()


def _sample(row: dict[str, Any], unit: str) -> Iterator[str]:
    name = f"{row['benchmark']}/{row['sample_id']}"
    if "dirty" in row:
        found = f"{row['contamination']:.1%} of {row['ngrams']:,} {row['ngram']}-grams are in the corpus"
        yield f"{name}: {row['tokens']:,} {unit}, {'dirty' if row['dirty'] else 'clean'}: {found}"
    else:
        shares = ", ".join(f"{row[f'contamination_{length}']:.1%} for L = {length}" for length in LENGTHS)
        yield f"{name}: {row['tokens']:,} {unit}, contaminated: {shares}"
    if not row["documents"]:
        yield "  no document shares a span with it"
        return
    yield f"  documents that share a span: {_count(row['documents'], row['spans'])}:"
    text = row["text"].encode()
    for span in row["spans"]:
        yield f"  {span['doc_id']} ({span['source']}), bytes {span['start']:,} to {span['end']:,}: {_size(span, unit)}"
        yield f"    sample:   {_shorten(text[span['sample_start'] : span['sample_end']].decode())}"
        yield f"    document: {_shorten(span['passage'])}"


def _document(row: dict[str, Any], unit: str) -> Iterator[str]:
    yield f"{row['doc_id']} ({row['source']}) shares a span with samples: {_count(row['samples'], row['spans'])}:"
    for span in row["spans"]:
        place = f"bytes {span['start']:,} to {span['end']:,}"
        yield f"  {span['benchmark']}/{span['sample_id']}, {place}: {_size(span, unit)}"


def _reference(row: dict[str, Any]) -> Iterator[str]:
    name = f"{row['benchmark']}/{row['sample_id']}"
    if row["left_out"]:
        yield f"{name}: {row['words']:,} words, left out: too short to be compared"
        return
    verdict = "contaminated" if row["contaminated"] else "clean"
    score = f"score {row['score']:.3f}, contaminated from {row['threshold']:.3f}"
    yield f"{name}: {row['words']:,} words, {verdict}: {score}"
    if not row["matches"]:
        yield "  no document repeats enough of the question"
        return
    yield f"  documents that contaminate it: {_count(row['documents'], row['matches'])}; what documents repeat:"
    own = {"question": row["text"], "answer": row["answer"], "passage": row["passage"]}
    for match in row["matches"]:
        yield f"  {match['doc_id']} ({match['source']}): score {match['score']:.3f}"
        for part in match["parts"]:
            place = "not found" if part["start"] is None else f"bytes {part['start']:,} to {part['end']:,}"
            yield f"    {part['part']}, score {part['score']:.3f}, {place}"
            yield f"      sample:   {_shorten(own[part['part']])}"
            if part["extract"] is not None:
                yield f"      document: {_shorten(part['extract'])}"


def _contaminating(row: dict[str, Any]) -> Iterator[str]:
    yield f"{row['doc_id']} ({row['source']}) contaminates samples: {_count(row['samples'], row['matches'])}:"
    for match in row["matches"]:
        place = f"bytes {match['start']:,} to {match['end']:,}"
        yield f"  {match['benchmark']}/{match['sample_id']}, {place}: score {match['score']:.3f}"


def _count(count: int, listed: Sized) -> str:
    """A count, and how many are listed if these are fewer."""
    return f"{count:,}, the best {len(listed)}" if count > len(listed) else f"{count:,}"


def _size(span: dict[str, Any], unit: str) -> str:
    differ = f", {span['mismatches']} of which differ" if span["mismatches"] else ""
    return f"{span['tokens']:,} {unit}{differ}"


def _shorten(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= SHOWN else f"{words[: SHOWN - 4]} ..."
