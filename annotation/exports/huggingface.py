"""Writes folders as `datasets` itself saves and loads them: IPC streams, with JSON files that describe them."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from schemas.checksums import sha256_of_file

BATCH = 1000
"""Rows per record batch, the same as in `datasets`."""

_NAMES = {pa.string(): "string", pa.large_string(): "large_string", pa.bool_(): "bool", pa.float64(): "float64"}


def feature(kind: pa.DataType) -> Any:
    """The type of a column in the notation of `datasets`, in a form that all its versions read.

    >>> feature(pa.list_(pa.struct([("role", pa.string())])))
    [{'role': {'dtype': 'string', '_type': 'Value'}}]
    """
    if pa.types.is_list(kind):
        return [feature(kind.value_type)]
    if pa.types.is_struct(kind):
        return {inner.name: feature(inner.type) for inner in kind}
    return {"dtype": _NAMES.get(kind, str(kind)), "_type": "Value"}


def features(schema: pa.Schema) -> dict[str, Any]:
    """The features of all columns, in order."""
    return {column.name: feature(column.type) for column in schema}


def save(rows: pa.Table, folder: Path, split: str) -> None:
    """Writes one split as ``data-00000-of-00001.arrow``, ``dataset_info.json`` and ``state.json`` into a new folder.

    The fingerprint, by which `datasets` names its cache files, is a hash of the bytes.
    """
    folder.mkdir()
    described = features(rows.schema)
    metadata = {"huggingface": json.dumps({"info": {"features": described}}, ensure_ascii=False)}
    plain = pa.schema([column.with_nullable(True) for column in rows.schema], metadata=metadata)
    data = folder / "data-00000-of-00001.arrow"
    with pa.OSFile(str(data), "wb") as sink, pa.ipc.new_stream(sink, plain) as writer:
        writer.write_table(_relax(rows, plain), max_chunksize=BATCH)
    digest = sha256_of_file(data)
    _json(folder / "dataset_info.json", {"features": described})
    _json(
        folder / "state.json",
        {
            "_data_files": [{"filename": data.name}],
            "_fingerprint": digest[:16],
            "_format_columns": None,
            "_format_kwargs": {},
            "_format_type": None,
            "_output_all_columns": False,
            "_split": split,
        },
    )


def splits(names: list[str]) -> str:
    """The content of ``dataset_dict.json``, which makes the folder one dataset of several splits."""
    return _text({"splits": names})


def _relax(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    return pa.table(rows.columns, schema=schema)


def _json(path: Path, value: object) -> None:
    path.write_text(_text(value), encoding="utf-8")


def _text(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
