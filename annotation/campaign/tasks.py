"""The data of tasks, which reveals neither models nor sides."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from annotation.protocols import PROTOCOLS


def task_uid(secret: str, batch: str, round_: str, annotator: str, pair_id: str) -> str:
    """The id of an annotator's task: 24 hexadecimal digits, a hash keyed by the campaign's secret.

    The key is not the seed, since an annotator who guessed the seed and the models could check the guess.
    """
    words = "\0".join(("uid", batch, round_, annotator, pair_id))
    return hashlib.blake2b(words.encode(), key=bytes.fromhex(secret), digest_size=12).hexdigest()


def shown_digest(data: Mapping[str, Any]) -> bytes:
    """A hash of a task's data in 16 bytes. Data that nests too deeply to come from Gristmill gives zeros."""
    try:
        return hashlib.blake2b(orjson.dumps(data, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
    except orjson.JSONEncodeError:
        return bytes(16)


def task_data(tasks: pa.Table, pairs: pa.Table) -> Iterator[dict[str, str]]:
    """Yields the data of each task of a table with uid, pair_id and swapped, in its order."""
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
