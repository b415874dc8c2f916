"""Assigns pairs to annotators by the seed, and draws sides and order of tasks by the campaign's secret."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

from annotation.campaign.pairing import seeded_key


def spread(
    pairs: Iterable[str],
    people: Sequence[str],
    votes: int,
    seed: int,
    loads: Mapping[str, int] | None = None,
    drawn_by: Callable[[str], str] = str,
) -> dict[str, tuple[str, ...]]:
    """Assigns ``votes`` different people to each pair; the numbers of tasks of any two people differ by at most one.

    ``loads``: the number of tasks that each person already has. Pairs are assigned in the order of a seeded hash, each
    to the people with the fewest tasks. Another seeded hash breaks ties, so that everybody shares pairs with everybody.
    ``drawn_by`` gives the text to hash for a pair, which must not depend on models, since the seed can be guessed.

    >>> spread(["p", "q"], ["ann", "bob"], 1, seed=1)
    {'p': ('ann',), 'q': ('bob',)}
    """
    load = {person: (loads or {}).get(person, 0) for person in people}
    out = {}
    names = {pair: drawn_by(pair) for pair in pairs}
    for pair in sorted(names, key=lambda pair: seeded_key(seed, "pair", names[pair])):
        ranked = sorted(people, key=lambda person: (load[person], seeded_key(seed, "person", names[pair], person)))
        chosen = tuple(sorted(ranked[:votes]))
        for person in chosen:
            load[person] += 1
        out[pair] = chosen
    return out


def choose_swaps(tasks: Mapping[str, str], secret: str) -> dict[str, bool]:
    """Whether each task shows the first response on the right (as B).

    ``tasks``: uid to stratum (the models of the pair). Sides alternate in the order of (stratum, keyed hash), so that
    the numbers of left and right differ by at most one, in total and for every two models. The key of the
    hash is not the seed, since an annotator who guessed the seed and the models could check the guess.
    """
    ranked = sorted(tasks, key=lambda uid: (tasks[uid], _keyed_hash(secret, "side", uid)))
    start = bool(tasks) and _keyed_hash(secret, "start", *ranked[:1])[0] % 2 == 1
    return {uid: (place % 2 == 1) != start for place, uid in enumerate(ranked)}


def shuffle(uids: Iterable[str], secret: str) -> list[str]:
    """The tasks in the order of a keyed hash, independent of the hash for sides, so that the order reveals no sides."""
    return sorted(uids, key=lambda uid: _keyed_hash(secret, "order", uid))


def _keyed_hash(secret: str, *words: str) -> bytes:
    return hashlib.blake2b("\0".join(words).encode(), key=bytes.fromhex(secret), digest_size=16).digest()


def gold_share(tasks: int, share: float, available: int) -> int:
    """The rounded number of gold pairs that, added to ``tasks``, are ``share`` of all tasks; at most ``available``.

    >>> gold_share(90, 0.1, 40)
    10
    """
    return min(available, round(tasks * share / (1 - share)))
