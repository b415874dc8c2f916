"""Recognises texts that were taken down, from hashes that a release keeps so that no copy comes in again.

A release keeps a hash of each text, the same as in sketches (128-bit xxh3): of the text as the recipe keeps it, which
is normalised and rewritten by the recipe's steps. For a document that failed a rule about its text, the hash is that of
the normalised text, since rewriting may remove nearly all of such a text. A document is recognised by either hash.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.dedup.sketch import content_hashes
from curation.filters.url import Url
from curation.judge import Verdicts
from curation.recipe import Recipe
from curation.release.opening import Release, check_contents, release_files
from curation.release.shards import read_shard, shard_name
from schemas import TAKEN_DOWN

STAGE = "takedown"
SAME_TEXT, NEAR = "same_text", "near"
"""Reasons besides those of a selection: the same text as a document that is taken down, or a near-duplicate of it."""
HASH = pa.binary(16)
Flags = npt.NDArray[np.bool_]


def recognise_judged(verdicts: Verdicts, wanted: pa.Array) -> Flags:
    """Which of the judged documents have a text that was taken down (``wanted``: hashes)."""
    return _recognise(verdicts.original, verdicts.texts, wanted)


def recognise_rejected(rejects: pa.RecordBatch, recipe: Recipe, wanted: pa.Array) -> Flags:
    """Which REJECTS of filters have a text that was taken down (``wanted``: hashes)."""
    texts = _texts(rejects)
    return _recognise(texts, recipe.rewrite(texts), wanted)


def rejected_texts(rejects: pa.RecordBatch, recipe: Recipe) -> pa.LargeStringArray:
    """The texts of REJECTS of filters as they are hashed; empty where the release does not hold the text."""
    texts, failed = _texts(rejects), rejects["failed"]
    about_text = pc.not_equal(failed.flatten().field("stage"), Url.use).to_numpy(zero_copy_only=False)
    starts = failed.offsets.to_numpy() - failed.offsets[0].as_py()
    counted = np.concatenate([[0], np.cumsum(about_text)])
    by_url_alone = counted[starts[1:]] == counted[starts[:-1]]
    return pc.if_else(pa.array(by_url_alone), recipe.rewrite(texts), texts)


def kept_hashes(rejects: pa.RecordBatch) -> pa.Array:
    """The hashes of the texts of REJECTS that are stored as the recipe keeps them; null for a text that is not
    stored."""
    return hashes(_texts(rejects))


def hashes(texts: pa.LargeStringArray) -> pa.Array:
    """The hash of each text, null for an empty one."""
    empty = pc.equal(pc.binary_length(texts), 0)
    return pc.if_else(empty, pa.scalar(None, HASH), content_hashes(texts))


def _texts(rejects: pa.RecordBatch) -> pa.LargeStringArray:
    return rejects["text"].cast(pa.large_string()).fill_null("")


def _recognise(normalised: pa.LargeStringArray, kept: pa.LargeStringArray, wanted: pa.Array) -> Flags:
    if not len(wanted):
        return np.zeros(len(kept), bool)
    found = is_among(hashes(kept), wanted)
    return found if kept is normalised else found | is_among(hashes(normalised), wanted)


def is_among(hashes: pa.Array, wanted: pa.Array) -> Flags:
    """Which hashes are in ``wanted``; null never is."""
    if not len(wanted):
        return np.zeros(len(hashes), bool)
    found = pc.is_in(hashes, value_set=wanted, skip_nulls=True)
    return np.asarray(found.to_numpy(zero_copy_only=False))


@lru_cache(maxsize=2)
def taken_down_hashes(releases: tuple[Release, ...]) -> pa.Array:
    """The distinct hashes of all texts that the releases list as taken down, sorted.

    Raises UserError if one of these lists is damaged.
    """
    found = [pa.array([], HASH)]
    for release in releases:
        name = shard_name(TAKEN_DOWN.name, 0)
        if name in release_files(release.folder, release.name):
            check_contents(release, [name])
            found.append(read_shard(release.folder, name, ["content_hash"])["content_hash"].combine_chunks())
    return merge_hashes(found)


def merge_hashes(hashes: Sequence[pa.Array]) -> pa.Array:
    """The distinct hashes in some arrays, sorted, without nulls."""
    every = pa.concat_arrays([pa.array([], HASH), *hashes]).drop_null().unique()
    return every.take(pc.sort_indices(every))
