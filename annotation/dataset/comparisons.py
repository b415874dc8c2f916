"""Turns the resolved pairs of a campaign into rows of the dataset."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from annotation.judgments.resolve import resolve
from annotation.judgments.snapshot import Snapshot
from schemas import COMPARISONS, DEGREES

SMALL = (1.0, 2 / 3, 1 / 3, 0.0)
LARGE = (3.0, 2.0, 1.0, 0.0)
"""Margins in the order of DEGREES (Llama 2, table 27)."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CampaignPairs:
    """The pairs of one campaign without its gold pairs, sorted by id, with the outcome of each pair.

    ``reason`` says why the votes do not resolve a pair; it is null if they do, and only then has ``outcome`` a chosen
    response. Responses are long, so they are copied only once: ``pairs`` has no responses; the first response of its
    row ``k`` is ``responses[order[k]]``, the second response is half of ``len(responses)`` further on.
    """

    snapshot: Snapshot
    pairs: pa.Table
    reason: pa.Array
    outcome: pa.Table
    responses: pa.LargeStringArray
    order: npt.NDArray[np.uint64]

    @classmethod
    def of(cls, snapshot: Snapshot) -> "CampaignPairs":
        resolution = resolve(snapshot)
        asked = pc.is_null(snapshot.pairs["gold"]).to_numpy()
        order = pc.sort_indices(snapshot.pairs["pair_id"]).to_numpy()
        order = order[asked[order]]
        pairs = snapshot.pairs.drop_columns(["first", "second"]).take(pa.array(order)).combine_chunks()
        if pairs["split"].null_count:
            raise ValueError(f"campaign {snapshot.name}: {pairs['split'].null_count} pairs have no split")
        outcome = pa.concat_tables([resolution.resolved, resolution.unresolved], promote_options="default")
        outcome = outcome.take(pc.index_in(pairs["pair_id"], value_set=outcome["pair_id"])).combine_chunks()
        chunks = [chunk for name in ("first", "second") for chunk in snapshot.pairs[name].chunks]
        responses = pa.concat_arrays([pa.array([], pa.large_string()), *chunks])
        return cls(snapshot, pairs, outcome["reason"].combine_chunks(), outcome, responses, order)

    def comparisons(self, kept: Flags, families: pa.Array, split: pa.Array) -> pa.Table:
        """The rows of COMPARISONS for the kept pairs. ``families`` and ``split`` have a value for every pair."""
        chosen = pa.array(np.flatnonzero(kept))
        pairs, outcome = self.pairs.take(chosen), self.outcome.take(chosen)
        first = pc.equal(outcome["chosen"], "first").combine_chunks()

        def both(rows: pa.Table, name: str) -> tuple[pa.Array, pa.Array]:
            of_first, of_second = (rows[which + name].combine_chunks() for which in ("first", "second"))
            return pc.if_else(first, of_first, of_second), pc.if_else(first, of_second, of_first)

        left = self.order[chosen.to_numpy()]
        right = left + len(self.responses) // 2
        is_left = first.to_numpy(zero_copy_only=False)
        models, temperatures = (both(pairs, name) for name in ("_model", "_temperature"))
        safe, risks = both(outcome, "_safe"), both(outcome, "_risks")
        votes_for, votes_against = (
            pc.if_else(first, outcome[f"votes_{one}"], outcome[f"votes_{other}"]).combine_chunks()
            for one, other in (("first", "second"), ("second", "first"))
        )
        degree = pc.index_in(outcome["degree"], value_set=pa.array(DEGREES)).to_numpy()
        name = pa.scalar(self.snapshot.name)
        columns = {
            "comparison_id": pc.binary_join_element_wise(name, pairs["pair_id"].combine_chunks(), "/"),
            "chosen": self.responses.take(pa.array(np.where(is_left, left, right))),
            "rejected": self.responses.take(pa.array(np.where(is_left, right, left))),
            "degree": outcome["degree"].combine_chunks(),
            "margin_small": pa.array(np.take(SMALL, degree)),
            "margin_large": pa.array(np.take(LARGE, degree)),
            "chosen_safe": _zero_nulls(safe[0]),
            "rejected_safe": _zero_nulls(safe[1]),
            "safety_bin": _bins(*safe),
            "chosen_risks": risks[0],
            "rejected_risks": risks[1],
            "votes": self._votes(pairs["pair_id"], first),
            "votes_for": votes_for,
            "votes_against": votes_against,
            "adjudicated": outcome["adjudicated"].combine_chunks(),
            "chosen_model": models[0],
            "rejected_model": models[1],
            "chosen_temperature": _zero_nulls(temperatures[0]),
            "rejected_temperature": _zero_nulls(temperatures[1]),
            "source": pa.repeat(name, len(pairs)),
            "weight": pa.repeat(pa.scalar(1.0), len(pairs)),
            "prompt_family": families.take(chosen),
            "split": split.take(chosen),
            **{
                key: pairs[key].combine_chunks()
                for key in ("prompt", "batch", "protocol", "protocol_version", "prompt_id")
            },
        }
        batch = COMPARISONS.batch(columns, len(pairs))
        COMPARISONS.check(batch)
        return pa.Table.from_batches([batch])

    def _votes(self, pair_ids: pa.ChunkedArray, first: pa.Array) -> pa.Array:
        """All votes on each of these pairs, sorted by round and annotator."""
        judgments = self.snapshot.judgments
        place = pc.index_in(judgments["pair_id"], value_set=pair_ids)
        judgments = judgments.append_column("place", place).filter(pc.is_valid(place))
        adjudicates = pc.equal(judgments["round"], "adjudication")
        judgments = judgments.append_column("last", adjudicates)
        keys = [("place", "ascending"), ("last", "ascending"), ("annotator", "ascending"), ("uid", "ascending")]
        judgments = judgments.take(pc.sort_indices(judgments, sort_keys=keys)).combine_chunks()
        place = judgments["place"].combine_chunks()
        offsets = np.searchsorted(place.to_numpy(), np.arange(len(pair_ids) + 1)).astype(np.int32)
        first_chosen = first.take(place)
        for_chosen = pc.equal(pc.equal(judgments["prefers"].combine_chunks(), "first"), first_chosen)
        safe = [judgments[f"{which}_safe"].combine_chunks() for which in ("first", "second")]
        kind = COMPARISONS.columns.field("votes").type
        struct = pa.StructArray.from_arrays(
            [
                judgments["annotator"].combine_chunks(),
                judgments["round"].combine_chunks(),
                for_chosen,
                judgments["degree"].combine_chunks(),
                _zero_nulls(pc.if_else(first_chosen, safe[0], safe[1])),
                _zero_nulls(pc.if_else(first_chosen, safe[1], safe[0])),
            ],
            fields=list(kind.value_type),
        )
        return pa.ListArray.from_arrays(pa.array(offsets), struct, type=kind)

    def unresolved_pairs(self, reasons: pa.Array, families: pa.Array) -> pa.Table:
        """The rows of UNRESOLVED for pairs with a reason. ``reasons`` has a value per pair; null: resolved."""
        rows = self.pairs.select(["pair_id", "batch", "prompt_id"])
        rows = rows.append_column("campaign", pa.repeat(pa.scalar(self.snapshot.name), len(rows)))
        rows = rows.append_column("prompt_family", families).append_column("reason", reasons)
        for name in ("votes_first", "votes_second"):
            rows = rows.append_column(name, self.outcome[name])
        return rows.filter(pc.is_valid(reasons))


def _bins(chosen: pa.Array, rejected: pa.Array) -> pa.Array:
    """The safety bin of each pair, one of Llama 2's three; null if the safety of a response is unknown."""
    known = pc.and_(chosen.is_valid(), rejected.is_valid())
    both = pc.equal(chosen, rejected)
    name = pc.if_else(both, pc.if_else(chosen, "both_safe", "both_unsafe"), "chosen_safe")
    return pc.if_else(known, name, pa.scalar(None, pa.string()))


def _zero_nulls(column: pa.Array) -> pa.Array:
    """The same column with zeros in the memory behind its nulls, so that equal columns have equal bytes."""
    missing = column.is_null().to_numpy(zero_copy_only=False)
    if not missing.any():
        return column
    zero = pa.scalar(0).cast(column.type)
    return pa.array(column.fill_null(zero).to_numpy(zero_copy_only=False), column.type, mask=missing)
