"""Snapshots of campaigns, written down as short tables; or large ones, drawn from a seed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from annotation.judgments.policy import Policy
from annotation.judgments.snapshot import Snapshot
from schemas import ASSIGNMENTS, DEGREES, JUDGMENTS, PAIRS, REFUSED, Table

SIDES = {"f": "first", "s": "second"}


def table(kind: Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    columns = {name: [row.get(name) for row in rows] for name in kind.columns.names}
    return pa.Table.from_batches([kind.batch(columns)])


def pair(pair_id: str, **changes: Any) -> dict[str, Any]:
    """A row of PAIRS; a gold one has neither models nor a split."""
    gold = "gold" in changes
    row = {
        "pair_id": pair_id,
        "batch": "batch-1",
        "prompt_id": f"prompt of {pair_id}",
        "prompt": [{"role": "user", "content": f"Say something about {pair_id}, and do not spare the details."}],
        "first": f"The first answer to {pair_id}.",
        "second": f"The second answer to {pair_id}, which is longer.",
        "first_model": None if gold else "alpha",
        "second_model": None if gold else "beta",
        "first_temperature": None if gold else 0.7,
        "second_temperature": None if gold else 1.0,
        "split": None if gold else "train",
        "protocol": "preference",
        "protocol_version": "1",
        "votes": 3,
    }
    return {**row, **changes}


def vote(pair_id: str, word: str, annotator: str = "mill/a1", **changes: Any) -> dict[str, Any]:
    """A row of JUDGMENTS: ``f3`` is first, significantly better; ``s0`` is second, negligibly better.

    Safety follows a colon, first then second: ``f3:yn`` calls the first response safe and the second unsafe.
    """
    verdict, _, safety = word.partition(":")
    row = {
        "uid": f"{pair_id} {annotator}",
        "pair_id": pair_id,
        "batch": "batch-1",
        "annotator": annotator,
        "round": "vote",
        "swapped": False,
        "prefers": SIDES[verdict[0]],
        "degree": DEGREES[3 - int(verdict[1])],
        "first_safe": {"y": True, "n": False}[safety[0]] if safety else None,
        "second_safe": {"y": True, "n": False}[safety[1]] if safety else None,
        "first_risks": [],
        "second_risks": [],
        "seconds": 30.0,
    }
    return {**row, **changes}


def votes(pair_id: str, words: str, **changes: Any) -> list[dict[str, Any]]:
    """One vote a word, each by another annotator."""
    return [vote(pair_id, word, f"mill/a{n}", **changes) for n, word in enumerate(words.split(), 1)]


def snapshot(
    pairs: Sequence[Mapping[str, Any]], judgments: Sequence[Mapping[str, Any]], name: str = "mill", **changes: Any
) -> Snapshot:
    """A campaign of those rows; every judgment has its assignment, done."""
    assignments = [{**row, "state": "done"} for row in judgments]
    parts: dict[str, Any] = {
        "name": name,
        "protocol": "preference",
        "protocol_version": "1",
        "votes": 3,
        "policy": Policy(),
        "pairs": table(PAIRS, pairs),
        "assignments": table(ASSIGNMENTS, assignments),
        "judgments": table(JUDGMENTS, judgments),
        "refused": table(REFUSED, []),
        "revision": 1,
    }
    return Snapshot(**{**parts, **changes})


WORDS = np.array([f"w{n:x}" for n in range(20_000)], dtype=object)


def drawn(count: int, name: str = "mill", response_words: int = 60, seed: int = 1) -> Snapshot:
    """``count`` pairs with three votes each over ``count // 2`` prompts of 10 to 60 words; words by Zipf's law."""
    draw = np.random.default_rng(seed)
    prompts = [_text(draw, int(size)) for size in draw.integers(10, 60, max(count // 2, 1))]
    bank = [_text(draw, response_words) for _ in range(1000)]
    ids = [f"{n:08x}" for n in draw.permutation(count)]
    chosen = draw.integers(0, len(prompts), count)
    swap = draw.random(count) < 0.5
    pairs = PAIRS.batch(
        {
            "pair_id": ids,
            "batch": [f"batch-{n % 5}" for n in range(count)],
            "prompt_id": [f"p{n}" for n in chosen],
            "prompt": [[{"role": "user", "content": prompts[n]}] for n in chosen],
            "first": [f"{n} {bank[n % 1000]}" for n in range(count)],
            "second": [f"{n} {bank[(n + 7) % 1000]}" for n in range(count)],
            "first_model": np.where(swap, "alpha", "beta").tolist(),
            "second_model": np.where(swap, "beta", "gamma").tolist(),
            "first_temperature": [0.7] * count,
            "second_temperature": [1.0] * count,
            "split": np.where(chosen % 10 == 0, "held_out", "train").tolist(),
            "protocol": ["preference"] * count,
            "protocol_version": ["1"] * count,
            "votes": [3] * count,
        }
    )
    truth = draw.normal(0, 2, count)
    felt = np.clip(np.round(np.repeat(truth, 3) + draw.normal(0, 1, 3 * count)), -4, 3).astype(int)
    who = np.tile(np.arange(3), count)
    empty = [[]] * (3 * count)
    judgments = JUDGMENTS.batch(
        {
            "uid": [f"t{n}" for n in range(3 * count)],
            "pair_id": np.repeat(np.array(ids, object), 3).tolist(),
            "batch": np.repeat(np.array(pairs["batch"].to_pylist(), object), 3).tolist(),
            "annotator": [f"{name}/a{n + 1}" for n in who],
            "round": ["vote"] * (3 * count),
            "swapped": (draw.random(3 * count) < 0.5).tolist(),
            "prefers": np.where(felt < 0, "first", "second").tolist(),
            "degree": np.array(DEGREES, object)[3 - np.where(felt < 0, -felt - 1, felt)].tolist(),
            "first_risks": empty,
            "second_risks": empty,
            "seconds": draw.lognormal(3, 0.6, 3 * count),
        }
    )
    assignments = ASSIGNMENTS.batch(
        {**{k: judgments[k] for k in ASSIGNMENTS.columns.names if k != "state"}, "state": ["done"] * (3 * count)}
    )
    return replace(
        snapshot([], [], name=name),
        pairs=pa.Table.from_batches([pairs]),
        judgments=pa.Table.from_batches([judgments]),
        assignments=pa.Table.from_batches([assignments]),
    )


def _text(draw: np.random.Generator, size: int) -> str:
    return " ".join(WORDS[np.minimum(draw.zipf(1.3, size) - 1, len(WORDS) - 1)])
