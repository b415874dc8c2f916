"""Which prompts are held out: decided once, when a batch is made, for whole families of prompts."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from annotation.campaign.pairing import seeded
from annotation.campaign.responses import Messages

Families = Callable[[pa.Array], npt.NDArray[np.int64]]
"""Texts to the number of each one's family: the same or nearly the same text, however long the chain."""

MOST = 1000
"""Held-out comparisons a batch at most (Llama 2, 3.2.1: 1,000 of each batch)."""


@dataclass(frozen=True)
class Placed:
    """A prompt of an earlier batch, and its side."""

    text: str
    side: str


def prompt_text(messages: Messages) -> str:
    """What is compared: all turns, one after the other, but the system's, which many prompts share."""
    return "\n".join(content for role, content in messages if role != "system")


def quota(pairs: int) -> int:
    """How many pairs of a batch are held out at most: 1,000 or a tenth of it, the smaller."""
    return min(MOST, pairs // 10)


def related(texts: pa.LargeStringArray, families: Families) -> npt.NDArray[np.int64]:
    """The family of each prompt: near-duplicates (``families``), and a dialogue with those that go on where it ends.

    Texts are those of ``prompt_text``. What goes on holds the earlier prompt, and often one of the responses to it.
    """
    numbers = families(texts)
    whole = [f"{text}\n" for text in texts.to_pylist()]
    root = np.arange(numbers.max(initial=-1) + 1)
    beginnings: list[int] = []
    for row in sorted(range(len(whole)), key=whole.__getitem__):  # what begins alike comes one behind the other
        while beginnings and not whole[row].startswith(whole[beginnings[-1]]):
            beginnings.pop()
        if beginnings:
            one, other = sorted((_root(root, numbers[row]), _root(root, numbers[beginnings[-1]])))
            root[other] = one
        beginnings.append(row)
    return np.array([_root(root, number) for number in range(len(root))], np.int64)[numbers]


def _root(root: npt.NDArray[np.int64], number: int) -> int:
    while root[number] != number:
        root[number] = root[root[number]]
        number = root[number]
    return int(number)


def sides(
    prompts: Mapping[str, str], weights: Mapping[str, int], earlier: Sequence[Placed], families: Families, seed: int
) -> dict[str, str]:
    """A side for each new prompt (id to text): ``train``, ``held_out`` or ``neither``.

    ``weights``: the pairs of each prompt. A prompt takes the side of its family, and the same prompt the same side. One
    that is close to both sides (it links two families that were apart) can be on none; that brings no others together.
    New families are held out in the order of a seeded hash, as long as they fit into the quota.
    """
    ids = list(prompts)
    earlier = [each for each in earlier if each.side != "neither"]
    known = {each.text: each.side for each in earlier}
    texts = [*(each.text for each in earlier), *(prompts[each] for each in ids)]
    numbers = related(pa.array(texts, pa.large_string()), families).tolist()
    taken: dict[int, set[str]] = {}
    for number, placed in zip(numbers, earlier, strict=False):
        taken.setdefault(number, set()).add(placed.side)
    members: dict[int, list[str]] = {}
    for number, prompt in zip(numbers[len(earlier) :], ids, strict=True):
        members.setdefault(number, []).append(prompt)
    out: dict[str, str] = {}
    left = quota(sum(weights.values()))
    fresh = []
    for number, inside in members.items():
        found = taken.get(number)
        if found:
            side = min(found) if len(found) == 1 else "neither"
            out.update((prompt, known.get(prompts[prompt], side)) for prompt in inside)
            left -= sum(weights[prompt] for prompt in inside if out[prompt] == "held_out")
        else:
            name = min(hashlib.blake2b(prompts[prompt].encode(), digest_size=16).hexdigest() for prompt in inside)
            fresh.append((seeded(seed, "side", name), inside))
    for _, inside in sorted(fresh):
        weight = sum(weights[prompt] for prompt in inside)
        held = weight <= left
        left -= weight if held else 0
        out.update(dict.fromkeys(inside, "held_out" if held else "train"))
    return out
