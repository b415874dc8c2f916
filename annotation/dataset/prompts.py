"""A prompt as one text, and the families of prompts that are nearly the same."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.split import Families, relate


def prompt_texts(prompts: pa.ListArray) -> pa.LargeStringArray:
    """All turns of each dialogue but the system's, one behind the other: by these, prompts are compared.

    A system prompt is left out because many prompts share it.
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
    """``number``: the family of each row, 0 to ``count - 1``. ``names``: of each family, 32 hex digits: the smallest
    hash of its prompts."""

    number: npt.NDArray[np.int64]
    names: pa.StringArray
    prompts: int

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class SplitProof:
    """That no family of prompts is in both splits, as a manifest says it."""

    prompts: int
    families: int
    families_in_both_splits: int


def prove_apart(splits: Mapping[str, pa.Table], grouped: PromptFamilies) -> SplitProof:
    """Looks for families in both splits. Raises AssertionError where there is one: then the program is wrong."""
    train, held_out = (set(pc.unique(splits[name]["prompt_family"]).to_pylist()) for name in ("train", "held_out"))
    shared = len(train & held_out)
    if shared:
        raise AssertionError(f"{shared} families of prompts are in both splits")
    return SplitProof(grouped.prompts, len(grouped), shared)


def prompt_families(texts: pa.LargeStringArray, links: npt.NDArray[np.bool_], families: Families) -> PromptFamilies:
    """The family of each prompt; each distinct prompt is compared once. Where ``links`` is false, a prompt is a family
    of its own, so that it brings no others together."""
    coded = texts.dictionary_encode()
    linking = np.zeros(len(coded.dictionary), bool)
    linking[coded.indices.to_numpy()[links]] = True
    numbers = len(linking) + np.arange(len(linking))
    numbers[linking] = relate(coded.dictionary.filter(pa.array(linking)), families)
    _, dense = np.unique(numbers, return_inverse=True)
    texts = coded.dictionary.cast(pa.large_binary()).to_pylist()
    digests = [hashlib.blake2b(text, digest_size=16).hexdigest() for text in texts]
    order = np.lexsort((np.array(digests, dtype="S32"), dense))
    firsts = order[np.r_[True, np.diff(dense[order]) > 0]] if len(order) else order
    names = pa.array(digests, pa.string()).take(pa.array(firsts))
    return PromptFamilies(dense[coded.indices.to_numpy()], names, len(digests))
