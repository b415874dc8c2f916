"""What an annotator is shown for a pair: task data that says nothing of models or sides."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from annotation.protocols import PROTOCOLS


def task_uid(secret: str, batch: str, round_: str, annotator: str, pair_id: str) -> str:
    """An opaque name for one pair before one annotator: 24 hex digits that tell nothing without the secret.

    The campaign's seed would not do: who guesses it, and the models, could make the same name and see that it fits.
    """
    words = "\0".join(("uid", batch, round_, annotator, pair_id))
    return hashlib.blake2b(words.encode(), key=bytes.fromhex(secret), digest_size=12).hexdigest()


def shown_digest(data: Mapping[str, Any]) -> bytes:
    """16 bytes that change whenever what the annotator sees does; of data that nests too deeply to be ours, zeros."""
    try:
        return hashlib.blake2b(orjson.dumps(data, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
    except orjson.JSONEncodeError:
        return bytes(16)


def task_data(tasks: pa.Table, pairs: pa.Table) -> Iterator[dict[str, str]]:
    """The data of each task (rows with uid, pair_id and swapped), in their order."""
    wanted = pairs.filter(pc.is_in(pairs["pair_id"], tasks["pair_id"].combine_chunks()))
    columns = ["pair_id", "prompt", "first", "second", "protocol"]
    by_id = {row["pair_id"]: row for row in wanted.select(columns).to_pylist()}
    rows: Iterable[tuple[str, str, bool]] = zip(
        tasks["uid"].to_pylist(), tasks["pair_id"].to_pylist(), tasks["swapped"].to_pylist(), strict=True
    )
    for uid, pair_id, swapped in rows:
        pair = by_id[pair_id]
        show = PROTOCOLS[pair["protocol"]].show
        yield {"uid": uid, **show(pair["prompt"], pair["first"], pair["second"], swapped)}
