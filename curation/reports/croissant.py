"""Metadata of a finished folder in the Croissant format 1.0 (docs.mlcommons.org/croissant/docs/croissant-spec.html)."""

from typing import Any

import pyarrow as pa

from curation.release.manifest import Manifest
from curation.reports.card import Card
from schemas import DOCUMENTS

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
_TERMS = (
    "citeAs column equivalentProperty extract field fileObject fileProperty fileSet format includes isLiveDataset "
    "jsonPath key md5 parentField path recordSet references regex repeated replace samplingRate separator source "
    "subField transform"
)
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{name: f"cr:{name}" for name in _TERMS.split()},
}
"""The context that the specification asks for."""
FILES = "documents-files"
RECORDS = "documents"
_DESCRIPTIONS = {
    "doc_id": "the id of the document: given, or a hash of its url and its text",
    "text": "the text after all rewrites",
    "url": "the url that the document was read from",
    "source": "the source that the job names",
    "language": "the label of the language identifier",
    "language_score": "the probability of the language",
    "date": "the date as the source gives it",
    "file": "the file that the document was read from",
    "offset": "the place in that file",
    "metadata": "all other fields of the record, as JSON",
    "near_cluster_size": "the number of documents that this one stands for",
    "rehydration_weight": "how often FineWeb2 repeats a document of such a cluster",
}


def croissant(card: Card, manifest: Manifest, name: str, licence: str | None) -> dict[str, Any]:
    """The JSON-LD of a folder: its shards of documents as one set of files, and its columns as the fields of one set of
    records."""
    version = manifest.schemas.get(DOCUMENTS.name, DOCUMENTS.version)
    held = [field for field in DOCUMENTS.columns if version >= 2 or field.name not in _SINCE_VERSION_2]
    kept = card["kept"]
    described = f"{kept['documents']:,} documents of {kept['words']:,} words, curated with the recipe {card['recipe']}"
    table: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": name,
        "description": described,
        "conformsTo": CONFORMS_TO,
        "version": "1.0.0",
        "distribution": [
            {
                "@type": "cr:FileSet",
                "@id": FILES,
                "name": FILES,
                "encodingFormat": "application/x-parquet",
                "includes": "documents/*.parquet",
            }
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": RECORDS,
                "name": RECORDS,
                "key": {"@id": f"{RECORDS}/doc_id"},
                "field": [_field(field) for field in held],
            }
        ],
    }
    return table | ({} if licence is None else {"license": licence})


_SINCE_VERSION_2 = ("near_cluster_size", "rehydration_weight")


def _field(field: pa.Field) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{RECORDS}/{field.name}",
        "name": field.name,
        "description": _DESCRIPTIONS[field.name],
        "dataType": _kind(field.type),
        "source": {"fileSet": {"@id": FILES}, "extract": {"column": field.name}},
    }


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"
