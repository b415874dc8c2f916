"""Computes a verdict for each pair, or the reason why the pair has no verdict. The order of votes does not matter."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from annotation.judgments.deciding import Deciding
from annotation.judgments.measuring import measured
from annotation.judgments.snapshot import Snapshot
from annotation.protocols import PROTOCOLS
from schemas import DEGREES

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

FAILURES = ("too_few_votes", "tied", "no_majority", "unsafe_chosen")
"""Reasons why a pair is unresolved; if several apply, the first is reported.

``too_few_votes``: fewer votes than the policy needs. ``tied``: both responses have the same number of votes.
``no_majority``: the policy is ``unanimous``, and the votes disagree. ``unsafe_chosen``: the preferred response is
unsafe and the other is safe, by the votes; an adjudicator should decide."""

_RESPONSES = ("first", "second")
_RISKS = pa.list_(pa.field("risk", pa.string(), nullable=False))
_STRENGTHS = DEGREES[::-1]


@dataclass(frozen=True)
class Resolution:
    """The verdicts. Each pair that is not gold is in one of the two tables; both keep the order of the pairs.

    ``resolved``: pair_id, chosen (``first`` or ``second``), degree, first_safe, second_safe (null if no vote says),
    first_risks, second_risks, votes_first, votes_second, adjudicated.
    ``unresolved``: pair_id, reason (one of FAILURES), votes_first, votes_second, adjudicated.

    ``votes_first`` and ``votes_second`` count the votes that decide: adjudicating votes if ``adjudicated``, else all.
    The tables of a campaign that measures models have the columns of `measured` instead.
    """

    resolved: pa.Table
    unresolved: pa.Table


def resolve(snapshot: Snapshot) -> Resolution:
    """The verdict on each pair, by the campaign's policy.

    The degree of a verdict is the median degree of the votes for the winner; of two middle degrees, the weaker. A
    response is safe if more votes call it safe than unsafe, otherwise unsafe. An unsafe response has each risk that at
    least half of its "unsafe" votes name.

    Raises ValueError if a judgment names an unknown pair, or a pair occurs twice.
    """
    protocol = PROTOCOLS[snapshot.protocol]
    if not protocol.trains:
        return Resolution(*measured(snapshot, protocol.scale))
    deciding = Deciding.of(snapshot)
    pairs, votes = deciding.pairs, _Votes.of(deciding)
    first, second = votes.tally()
    winner = np.where(second > first, 1, 0)
    safe, asked, risks = votes.safety()
    failure = np.full(len(pairs), -1)
    chosen_unsafe = asked.all(axis=1) & ~_select(safe, winner) & _select(safe, 1 - winner)
    failure[chosen_unsafe] = FAILURES.index("unsafe_chosen")
    if snapshot.policy.use == "unanimous":
        failure[(np.minimum(first, second) > 0) & ~votes.adjudicated] = FAILURES.index("no_majority")
    failure[first == second] = FAILURES.index("tied")
    failure[first + second < deciding.needed(snapshot.policy)] = FAILURES.index("too_few_votes")
    counted = {
        "votes_first": pa.array(first, pa.int32()),
        "votes_second": pa.array(second, pa.int32()),
        "adjudicated": pa.array(votes.adjudicated),
    }
    degree = votes.median_strength(winner)
    resolved = pa.table(
        {
            "pair_id": pairs["pair_id"],
            "chosen": pa.array(_RESPONSES).take(pa.array(winner)),
            "degree": pa.array(_STRENGTHS).take(pa.array(degree)),
            "first_safe": pa.array(safe[:, 0], mask=~asked[:, 0]),
            "second_safe": pa.array(safe[:, 1], mask=~asked[:, 1]),
            "first_risks": risks[0],
            "second_risks": risks[1],
            **counted,
        }
    )
    reasons = pa.array(FAILURES).take(pa.array(failure, mask=failure < 0))
    unresolved = pa.table({"pair_id": pairs["pair_id"], "reason": reasons, **counted})
    failed = pa.array(failure >= 0)
    return Resolution(resolved.filter(pc.invert(failed)), unresolved.filter(failed))


@dataclass(frozen=True)
class _Votes:
    """The votes that decide, as columns: index of the pair, preferred response (0 first, 1 second), strength (0 to 3).

    ``pairs`` is the number of pairs, ``adjudicated`` has an entry for each pair.
    """

    pairs: int
    adjudicated: Flags
    pair: Ints
    preferred: Ints
    strength: Ints
    table: pa.Table

    @classmethod
    def of(cls, votes: Deciding) -> "_Votes":
        return cls(
            len(votes.pairs),
            votes.adjudicated,
            votes.pair,
            _index(votes.judgments["prefers"], _RESPONSES),
            _index(votes.judgments["degree"], _STRENGTHS),
            votes.judgments,
        )

    def tally(self) -> tuple[Ints, Ints]:
        """The numbers of votes for the first and for the second response of each pair."""
        counts = np.bincount(2 * self.pair + self.preferred, minlength=2 * self.pairs).reshape(-1, 2)
        return counts[:, 0], counts[:, 1]

    def median_strength(self, winner: Ints) -> Ints:
        """The lower median of the strengths of the votes for each pair's winner; 0 if the winner has no votes."""
        levels = len(DEGREES)
        for_winner = self.preferred == winner[self.pair]
        cells = self.pair[for_winner] * levels + self.strength[for_winner]
        below = np.bincount(cells, minlength=self.pairs * levels).reshape(-1, levels).cumsum(axis=1)
        strength: Ints = np.argmax(2 * below >= below[:, -1:], axis=1)
        return strength

    def safety(self) -> tuple[Flags, Flags, tuple[pa.Array, pa.Array]]:
        """(safe, asked, risks). ``safe`` and ``asked`` have shape (pairs, 2), a column for each response; ``risks``
        holds a list array for each response."""
        parts = [self._safety_of(name) for name in _RESPONSES]
        safe, asked = (np.column_stack([part[k] for part in parts]) for k in (0, 1))
        return safe, asked, (parts[0][2], parts[1][2])

    def _safety_of(self, name: str) -> tuple[Flags, Flags, pa.Array]:
        flag = self.table[f"{name}_safe"].combine_chunks()
        has_flag = flag.is_valid().to_numpy(zero_copy_only=False)
        says_safe = flag.fill_null(False).to_numpy(zero_copy_only=False)
        ayes = np.bincount(self.pair[has_flag & says_safe], minlength=self.pairs)
        noes = np.bincount(self.pair[has_flag & ~says_safe], minlength=self.pairs)
        safe = ayes > noes
        asked = ayes + noes > 0
        return (
            safe,
            asked,
            self._risks(self.table[f"{name}_risks"].combine_chunks(), has_flag & ~says_safe, noes, ~safe),
        )

    def _risks(self, column: pa.ListArray, counts: Flags, noes: Ints, unsafe: Flags) -> pa.Array:
        """The risks of each unsafe response that at least half of its unsafe votes (``noes``) name, sorted by name."""
        names = pc.unique(column.flatten()).sort()
        voter = pc.list_parent_indices(column).to_numpy()
        kind = pc.index_in(column.flatten(), value_set=names).to_numpy(zero_copy_only=False)
        named = np.unique(voter[counts[voter]] * max(len(names), 1) + kind[counts[voter]])
        cells = self.pair[named // max(len(names), 1)] * max(len(names), 1) + named % max(len(names), 1)
        cell, voices = np.unique(cells, return_counts=True)
        pair, kind = np.divmod(cell, max(len(names), 1))
        enough = (2 * voices >= noes[pair]) & unsafe[pair]
        offsets = np.zeros(self.pairs + 1, np.int32)
        np.cumsum(np.bincount(pair[enough], minlength=self.pairs), out=offsets[1:])
        return pa.ListArray.from_arrays(pa.array(offsets), names.take(pa.array(kind[enough])), type=_RISKS)


def _index(column: pa.ChunkedArray, names: tuple[str, ...]) -> Ints:
    """The index of each value in ``names``."""
    return pc.index_in(column, value_set=pa.array(names)).to_numpy().astype(np.int64)  # type: ignore[no-any-return]


def _select(values: Flags, column: Ints) -> Flags:
    """values[i, column[i]] for each row i."""
    selected: Flags = np.take_along_axis(values, column[:, None], axis=1)[:, 0]
    return selected
