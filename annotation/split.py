"""Which prompts are held out: decided once, when a batch is made, for whole families of prompts."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from annotation.pairing import seeded
from annotation.responses import Messages

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


def sides(
    prompts: Mapping[str, str], weights: Mapping[str, int], earlier: Sequence[Placed], families: Families, seed: int
) -> dict[str, str]:
    """A side for each new prompt (id to text): ``train``, ``held_out`` or ``neither``.

    ``weights``: the pairs of each prompt. A prompt takes the side of its family. One that is close to both sides (it
    links two families that were apart) can be on none. New families are held out in the order of a seeded hash, as long
    as they fit into the quota.
    """
    ids = list(prompts)
    texts = [*(each.text for each in earlier), *(prompts[each] for each in ids)]
    numbers = families(pa.array(texts, pa.large_string())).tolist()
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
        found = taken.get(number, set()) - {"neither"}
        if found:
            side = found.pop() if len(found) == 1 else "neither"
            out.update(dict.fromkeys(inside, side))
            left -= sum(weights[prompt] for prompt in inside) if side == "held_out" else 0
        else:
            name = min(hashlib.blake2b(prompts[prompt].encode(), digest_size=16).hexdigest() for prompt in inside)
            fresh.append((seeded(seed, "side", name), inside))
    for _, inside in sorted(fresh):
        weight = sum(weights[prompt] for prompt in inside)
        held = weight <= left
        left -= weight if held else 0
        out.update(dict.fromkeys(inside, "held_out" if held else "train"))
    return out
