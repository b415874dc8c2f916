"""The README.md of a finished folder, whose YAML tells `datasets.load_dataset` and the Hugging Face Hub what the folder
holds."""

import html
import re
from collections.abc import Iterator

from curation.release.folder import Folder
from curation.release.ledger import Ledger
from curation.release.manifest import README, Manifest
from schemas import CUTS, DOCUMENTS, QUARANTINE, REJECTS, SIGNALS, SITES, SKETCHES, SUPERSEDED, TAKEN_DOWN
from schemas.sizes import readable
from schemas.visible import visible

MARK = "# gristmill card replaces this file unless you remove this line"
"""A comment in the front matter, also of a card."""
TABLES = {
    DOCUMENTS.name: "the corpus: the documents that were kept",
    REJECTS.name: "the documents that were removed, each with the reason",
    SIGNALS.name: "the measurements of each document",
    CUTS.name: "the pieces that were cut out of documents",
    SITES.name: "the hosts with personal information",
    SKETCHES.name: "the hashes by which duplicates were found",
    SUPERSEDED.name: "the documents of earlier releases that are duplicates of others",
    TAKEN_DOWN.name: "the hashes of texts that were taken down",
    QUARANTINE.name: "the records that could not be read",
}
"""What each table of a folder holds; the corpus first."""
_SIZES = ("1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$])")


def write_readme(folder: Folder, manifest: Manifest) -> None:
    """Writes the README.md of a folder that is complete except for its manifest, which does not name the file."""
    with folder.writing(README) as stream:
        stream.write(readme(manifest).encode())


def readme(manifest: Manifest) -> str:
    """The README.md of a folder with this manifest; the same for the same manifest."""
    ledger = Ledger.of(manifest.ledger)
    documents, _, words = ledger.total("kept")
    rows = (f"| {name} | {count:,} | {TABLES[name]} |" for name, count in table_rows(manifest).items())
    lines = [
        *("---", MARK, *hub_metadata(manifest), "---", "", "# A corpus", ""),
        f"{documents:,} documents, {words:,} words, {readable(ledger.kept_text_bytes)} of text.",
        f"Curated by gristmill {manifest.gristmill} with the recipe {escaped(manifest.recipe['name'])}.",
        *("", "| table | rows | content |", "|---|---:|---|", *rows, ""),
        '`datasets.load_dataset("path/to/this/folder")` loads the documents. A name as the second argument, such as',
        '`"rejects"`, loads another table.',
        "",
    ]
    return "\n".join(lines)


def table_rows(manifest: Manifest) -> dict[str, int]:
    """The number of rows of each table of the folder, in the order of TABLES."""
    found: dict[str, int] = {}
    for name, entry in manifest.outputs.items():
        table = name.partition("/")[0]
        found[table] = found.get(table, 0) + entry.rows
    return {name: found[name] for name in TABLES if name in found}


def hub_metadata(manifest: Manifest) -> Iterator[str]:
    """The lines of YAML with the size of the corpus, and a configuration of `datasets` for each table; that of the
    documents is the default. A table without rows has none, as `datasets` refuses to load it."""
    tables = {name.partition("/")[0]: name.count("/") for name in manifest.outputs}
    yield from ("size_categories:", f"- {size_category(Ledger.of(manifest.ledger).total('kept')[0])}")
    yield from ("task_categories:", "- text-generation", "configs:")
    for name, rows in table_rows(manifest).items():
        if not rows and name != DOCUMENTS.name:
            continue
        yield f"- config_name: {name}"
        if name == DOCUMENTS.name:
            yield "  default: true"
        yield from ("  data_files:", "  - split: train", f"    path: {name}{'/*' * tables[name]}.parquet")


def size_category(documents: int) -> str:
    """The Hub's category of a number of rows.

    >>> size_category(999), size_category(1000), size_category(20_000_000)
    ('n<1K', '1K<n<10K', '10M<n<100M')
    """
    place = sum(documents >= 10 ** (3 + power) for power in range(len(_SIZES)))
    if place == 0:
        return f"n<{_SIZES[0]}"
    return f"n>{_SIZES[-1]}" if place == len(_SIZES) else f"{_SIZES[place - 1]}<n<{_SIZES[place]}"


def escaped(text: str) -> str:
    """A text from a document or a file name, so that Markdown shows it as it is."""
    return _SPECIAL.sub(r"\\\1", html.escape(visible(text), quote=False))
