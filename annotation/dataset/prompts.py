"""Prompts as single texts, and families of prompts that are near-duplicates or continuations of each other."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.split import Families, find_families


def prompt_texts(prompts: pa.ListArray) -> pa.LargeStringArray:
    """The turns of each dialogue joined to one text, for comparing prompts.

    System prompts are left out because many prompts share them.
    """
    rows = pc.list_parent_indices(prompts)
    turns = prompts.flatten()
    said = pc.not_equal(turns.field("role"), "system")
    kept = rows.filter(said).to_numpy()
    offsets = np.searchsorted(kept, np.arange(len(prompts) + 1)).astype(np.int64)
    contents = pa.LargeListArray.from_arrays(pa.array(offsets), turns.field("content").filter(said))
    return pc.binary_join(contents, pa.scalar("\n", pa.large_string()))


@dataclass(frozen=True)
class PromptFamilies:
    """``number``: the family of each row, from 0 to ``len(self) - 1``. ``names``: the name of each family, the smallest
    hash of its prompts (32 hex digits). ``prompts``: the number of distinct prompts."""

    number: npt.NDArray[np.int64]
    names: pa.StringArray
    prompts: int

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class SplitProof:
    """The entry of a manifest which proves that no family of prompts is in both splits."""

    prompts: int
    families: int
    families_in_both_splits: int


def prove_apart(splits: Mapping[str, pa.Table], grouped: PromptFamilies) -> SplitProof:
    """Proves that no family is in both splits. Raises AssertionError if one is, which is a bug in this program."""
    train, held_out = (set(pc.unique(splits[name]["prompt_family"]).to_pylist()) for name in ("train", "held_out"))
    shared = len(train & held_out)
    if shared:
        raise AssertionError(f"{shared} families of prompts are in both splits")
    return SplitProof(grouped.prompts, len(grouped), shared)


def prompt_families(texts: pa.LargeStringArray, links: npt.NDArray[np.bool_], families: Families) -> PromptFamilies:
    """The family of each prompt. Equal prompts are compared only once.

    A prompt is a family of its own if ``links`` is false for all its rows: it does not connect other prompts.
    """
    coded = texts.dictionary_encode()
    linking = np.zeros(len(coded.dictionary), bool)
    linking[coded.indices.to_numpy()[links]] = True
    numbers = len(linking) + np.arange(len(linking))
    numbers[linking] = find_families(coded.dictionary.filter(pa.array(linking)), families)
    _, dense = np.unique(numbers, return_inverse=True)
    texts = coded.dictionary.cast(pa.large_binary()).to_pylist()
    digests = [hashlib.blake2b(text, digest_size=16).hexdigest() for text in texts]
    order = np.lexsort((np.array(digests, dtype="S32"), dense))
    firsts = order[np.r_[True, np.diff(dense[order]) > 0]] if len(order) else order
    names = pa.array(digests, pa.string()).take(pa.array(firsts))
    return PromptFamilies(dense[coded.indices.to_numpy()], names, len(digests))
