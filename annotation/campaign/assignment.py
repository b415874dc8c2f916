"""The seed decides who judges which pair; the campaign's secret decides side and order."""

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
    """``votes`` different people for each pair, so that nobody has more than one task above another.

    ``loads``: the tasks that each person has already. Pairs come in the order of a seeded hash, and each goes to those
    with the least to do, ties by a seeded hash, so that everybody meets everybody. ``drawn_by``: what is hashed for a
    pair; it must not depend on models, since anybody may guess the seed.

    >>> spread(["p", "q"], ["ann", "bob"], 1, seed=1)
    {'p': ('ann',), 'q': ('bob',)}
    """
    load = {person: (loads or {}).get(person, 0) for person in people}
    out = {}
    names = {pair: drawn_by(pair) for pair in pairs}
    for pair in sorted(names, key=lambda each: seeded_key(seed, "pair", names[each])):
        ranked = sorted(people, key=lambda person: (load[person], seeded_key(seed, "person", names[pair], person)))
        chosen = tuple(sorted(ranked[:votes]))
        for person in chosen:
            load[person] += 1
        out[pair] = chosen
    return out


def choose_swaps(tasks: Mapping[str, str], secret: str) -> dict[str, bool]:
    """Which tasks show the first response on the right (as B).

    ``tasks``: uid to stratum (the models of the pair). Sides alternate in the order of (stratum, keyed hash), so that
    in all, and for every two models that are compared, left and right differ by one at most. A seed would not do for
    the hash: who guesses it, and the models, could make the same order and see that it fits.
    """
    ranked = sorted(tasks, key=lambda uid: (tasks[uid], _keyed_hash(secret, "side", uid)))
    start = bool(tasks) and _keyed_hash(secret, "start", *ranked[:1])[0] % 2 == 1
    return {uid: (place % 2 == 1) != start for place, uid in enumerate(ranked)}


def shuffle(uids: Iterable[str], secret: str) -> list[str]:
    """The order in which tasks are shown; its hash differs from that of the sides, which the order must not reveal."""
    return sorted(uids, key=lambda uid: _keyed_hash(secret, "order", uid))


def _keyed_hash(secret: str, *words: str) -> bytes:
    return hashlib.blake2b("\0".join(words).encode(), key=bytes.fromhex(secret), digest_size=16).digest()


def gold_share(tasks: int, share: float, available: int) -> int:
    """Number of gold pairs to add to ``tasks`` so that they are ``share`` of all tasks, at most ``available``; rounded.

    >>> gold_share(90, 0.1, 40)
    10
    """
    return min(available, round(tasks * share / (1 - share)))
