"""Chooses the held-out prompts of a new batch, always complete families of similar prompts."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from annotation.campaign.pairing import seeded_key
from annotation.campaign.responses import Messages

Families = Callable[[pa.Array], npt.NDArray[np.int64]]
"""Gives each text the number of its family, a chain of equal or nearly equal texts; texts may have any length."""

MAX_HELD_OUT = 1000
"""Maximum of held-out pairs in a batch (Llama 2, 3.2.1: 1,000 of each batch)."""


@dataclass(frozen=True)
class OldPrompt:
    """A prompt of an earlier batch, as text, and its split."""

    text: str
    split: str


def prompt_text(messages: Messages) -> str:
    """The text by which prompts are compared: all turns but the system message, which many prompts share."""
    return "\n".join(content for role, content in messages if role != "system")


def quota(pairs: int) -> int:
    """Maximum of held-out pairs in a batch of ``pairs``: 1,000 or a tenth of the batch, whichever is smaller."""
    return min(MAX_HELD_OUT, pairs // 10)


def find_families(texts: pa.LargeStringArray, families: Families) -> npt.NDArray[np.int64]:
    """The family number of each prompt: near-duplicates by ``families``, and dialogues that continue each other.

    Texts come from ``prompt_text``. A continuation contains the earlier prompt, and often a response to it. The number
    of a family is the smallest that ``families`` gives to any of its prompts.
    """
    numbers = families(texts)
    ends = numbers[np.array(list(_continuations(texts.to_pylist())), np.int64).reshape(-1, 2)]
    size = int(numbers.max(initial=-1)) + 1
    links = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(size, size))
    _, component = connected_components(links, directed=False)
    _, smallest = np.unique(component, return_index=True)
    joined: npt.NDArray[np.int64] = smallest[component][numbers]
    return joined


def _continuations(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yields the indices (beginning, continuation) of each text that continues another, with its longest beginning."""
    lines = [f"{text}\n" for text in texts]
    beginnings: list[int] = []
    for row in sorted(range(len(lines)), key=lines.__getitem__):  # texts with the same beginning are neighbours
        while beginnings and not lines[row].startswith(lines[beginnings[-1]]):
            beginnings.pop()
        if beginnings:
            yield beginnings[-1], row
        beginnings.append(row)


def assign_splits(
    prompts: Mapping[str, str], weights: Mapping[str, int], earlier: Sequence[OldPrompt], families: Families, seed: int
) -> dict[str, str]:
    """The split of each new prompt (id to text): ``train``, ``held_out`` or ``neither``.

    ``weights``: the number of pairs of each prompt. A prompt gets the split of its family; a known prompt keeps its
    split. A new prompt that links families of both splits is in ``neither``, and does not join the two families for
    later prompts. New families are considered in the order of a seeded hash: each that fits into the quota is held out.
    """
    ids = list(prompts)
    earlier = [old for old in earlier if old.split != "neither"]
    known = {old.text: old.split for old in earlier}
    texts = [*(old.text for old in earlier), *prompts.values()]
    numbers = find_families(pa.array(texts, pa.large_string()), families).tolist()
    taken: dict[int, set[str]] = {}
    for number, old in zip(numbers, earlier, strict=False):
        taken.setdefault(number, set()).add(old.split)
    members: dict[int, list[str]] = {}
    for number, prompt in zip(numbers[len(earlier) :], ids, strict=True):
        members.setdefault(number, []).append(prompt)
    out: dict[str, str] = {}
    left = quota(sum(weights.values()))
    fresh = []
    for number, inside in members.items():
        found = taken.get(number)
        if found:
            split = min(found) if len(found) == 1 else "neither"
            out.update((prompt, known.get(prompts[prompt], split)) for prompt in inside)
            left -= sum(weights[prompt] for prompt in inside if out[prompt] == "held_out")
        else:
            name = min(hashlib.blake2b(prompts[prompt].encode(), digest_size=16).hexdigest() for prompt in inside)
            key = seeded_key(seed, "side", name)  # "side" is part of the draw of stored batches: do not rename it
            fresh.append((key, inside))
    for _, inside in sorted(fresh):
        weight = sum(weights[prompt] for prompt in inside)
        held = weight <= left
        left -= weight if held else 0
        out.update(dict.fromkeys(inside, "held_out" if held else "train"))
    return out
