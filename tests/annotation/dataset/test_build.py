"""A dataset by hand, and its laws: nothing is lost, nothing leaks, equal campaigns give equal bytes."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from annotation.dataset import Built, build
from annotation.dataset.manifest import Asked
from annotation.journal.bodies import Resolving
from annotation.judgments.policy import Policy
from annotation.judgments.snapshot import Snapshot
from curation.dedup.near import families
from schemas import COMPARISONS, REFUSED, UNRESOLVED
from schemas.balance import LedgerError
from schemas.errors import RunError, UserError
from schemas.records import to_json
from tests.annotation.written import drawn, pair, snapshot, table, vote, votes

WORDS = "Tell me how the {} of an old mill is built and kept in good order through the year"


def asked(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def made(folder: Path, *snapshots: Snapshot) -> Built:
    return build(snapshots, folder, families)


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    with pa.memory_map(str(folder / f"{name}.arrow")) as file:
        found: list[dict[str, Any]] = pa.ipc.open_file(file).read_all().to_pylist()
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def small() -> Snapshot:
    pairs = [
        pair("a"),
        pair("b", split="held_out", second_temperature=None, prompt=asked("A quite different question, about rye")),
        pair("c", prompt=asked("What does a miller do in winter?")),
        pair("g", gold="first"),
    ]
    judged = [
        vote("a", "s2:ny", "mill/a1", first_risks=["illicit"]),
        vote("a", "s1:ny", "mill/a2", first_risks=["illicit", "advice"]),
        vote("a", "f0:yy", "mill/a3"),
        *votes("b", "f3 f3 s0"),
        *votes("c", "f1 s1"),
        *votes("g", "f1 f1 s1"),
    ]
    refused = [{"annotation": "7", "reason": "not_asked", "message": "m", "raw": b"{}"}]
    return replace(snapshot(pairs, judged), refused=table(REFUSED, refused))


def test_a_row_by_hand(small: Snapshot, tmp_path: Path) -> None:
    made(tmp_path / "out", small)
    [row] = rows(tmp_path / "out", "comparisons/train")
    family = row.pop("prompt_family")
    assert len(family) == 32
    assert row == {
        "comparison_id": "mill/a",
        "prompt": asked("Say something about a, and do not spare the details."),
        "chosen": "The second answer to a, which is longer.",
        "rejected": "The first answer to a.",
        "degree": "slightly_better",
        "margin_small": 1 / 3,
        "margin_large": 1.0,
        "chosen_safe": True,
        "rejected_safe": False,
        "safety_bin": "chosen_safe",
        "chosen_risks": [],
        "rejected_risks": ["advice", "illicit"],
        "votes": [
            _vote("mill/a1", True, "better", True, False),
            _vote("mill/a2", True, "slightly_better", True, False),
            _vote("mill/a3", False, "negligibly_better", True, True),
        ],
        "votes_for": 2,
        "votes_against": 1,
        "adjudicated": False,
        "chosen_model": "beta",
        "rejected_model": "alpha",
        "chosen_temperature": 1.0,
        "rejected_temperature": 0.7,
        "source": "mill",
        "weight": 1.0,
        "batch": "batch-1",
        "protocol": "preference",
        "protocol_version": "1",
        "prompt_id": "prompt of a",
        "split": "train",
    }


def _vote(annotator: str, for_chosen: bool, degree: str, chosen: bool | None, rejected: bool | None) -> dict[str, Any]:
    safe = {"chosen_safe": chosen, "rejected_safe": rejected}
    return {"annotator": annotator, "round": "vote", "for_chosen": for_chosen, "degree": degree, **safe}


def test_the_held_out_split_and_what_is_unresolved(small: Snapshot, tmp_path: Path) -> None:
    built = made(tmp_path / "out", small)
    [row] = rows(tmp_path / "out", "comparisons/held_out")
    assert (row["comparison_id"], row["split"], row["rejected_temperature"]) == ("mill/b", "held_out", None)
    assert (row["chosen_safe"], row["safety_bin"], row["chosen_risks"]) == (None, None, [])
    [row] = rows(tmp_path / "out", "unresolved")
    assert (row["pair_id"], row["reason"], row["votes_first"], row["votes_second"]) == ("c", "too_few_votes", 1, 1)
    total = built.ledger.total()
    assert (total.pairs, total.gold_pairs, total.train, total.held_out) == (3, 1, 1, 1)
    assert dict(total.unresolved) == {"too_few_votes": 1}
    judgments = (total.judgments_in_comparisons, total.judgments_in_unresolved, total.judgments_on_gold)
    assert (total.judgments, judgments) == (11, (6, 2, 3))
    assert built.ledger.refused == {"mill": {"not_asked": 1}}


def test_adjudication_replaces_votes_that_are_kept(tmp_path: Path) -> None:
    judged = [*votes("a", "f3 f3 s1"), vote("a", "s0", "mill/a4", round="adjudication")]
    made(tmp_path / "out", snapshot([pair("a")], judged))
    [row] = rows(tmp_path / "out", "comparisons/train")
    assert (row["chosen"][:10], row["degree"], row["adjudicated"]) == ("The second", "negligibly_better", True)
    assert (row["votes_for"], row["votes_against"]) == (1, 0)
    assert [(one["annotator"][-2:], one["round"], one["for_chosen"]) for one in row["votes"]] == [
        ("a1", "vote", False),
        ("a2", "vote", False),
        ("a3", "vote", True),
        ("a4", "adjudication", True),
    ]


def test_arrow_and_parquet_hold_the_same_rows_and_the_manifest_knows_them(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    built = made(folder, drawn(300))
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest == to_json(built.manifest)
    assert sorted(manifest["files"]) == sorted(set(contents(folder)) - {"manifest.json"})
    for name, entry in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == entry["sha256"]
        kind = name.rpartition(".")[2]
        assert kind == "md" or ds.dataset(folder / name, format=kind).count_rows() == entry["rows"]
    for name, written in (
        ("comparisons/train", COMPARISONS),
        ("comparisons/held_out", COMPARISONS),
        ("unresolved", UNRESOLVED),
    ):
        read = pq.read_table(folder / f"{name}.parquet")
        assert read.to_pylist() == rows(folder, name)
        assert read.schema.names == written.columns.names
        assert read.schema.metadata == written.schema.metadata
    ids = [row["comparison_id"] for row in rows(folder, "comparisons/train")]
    assert ids == sorted(ids)
    assert manifest["split"]["families_in_both_splits"] == 0
    assert manifest["ledger"]["train"] + manifest["ledger"]["held_out"] == 300


def test_equal_campaigns_give_equal_bytes(small: Snapshot, tmp_path: Path) -> None:
    other = drawn(200, name="river")
    made(tmp_path / "one", small, other)
    draw = np.random.default_rng(0)

    def shuffled(rows: pa.Table) -> pa.Table:
        order = draw.permutation(len(rows))
        halves = rows.take(order[: len(order) // 2]), rows.take(order[len(order) // 2 :])
        return pa.concat_tables(halves)  # and in two chunks

    def mixed(each: Snapshot) -> Snapshot:
        parts = {name: shuffled(getattr(each, name)) for name in ("pairs", "judgments", "assignments", "refused")}
        return replace(each, revision=99, **parts)

    made(tmp_path / "two", mixed(other), mixed(small))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert not [name for name, content in contents(tmp_path / "one").items() if str(tmp_path).encode() in content]


def near(name: str, *splits: str) -> list[dict[str, Any]]:
    """A pair a split, each with a prompt that is nearly the others'."""
    parts = ("wheel", "roof", "floor", "race")
    prompts = [asked(WORDS.format(part)) for part in parts]
    return [pair(f"{name}{n}", split=split, prompt=prompts[n]) for n, split in enumerate(splits)]


def judged(pairs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for row in pairs for each in votes(row["pair_id"], "f3 f3 f3")]


def test_campaigns_together_keep_a_family_in_one_split(tmp_path: Path) -> None:
    train, held = near("t", "train", "train"), near("h", "held_out")
    alone = pair("z")
    one = snapshot([*train, alone], judged([*train, alone]), name="one")
    two = snapshot(held, judged(held), name="two")
    assert made(tmp_path / "one", one).ledger.total().train == 3
    built = made(tmp_path / "both", one, two)
    total = built.ledger.total()
    assert (total.train, total.held_out, dict(total.unresolved)) == (1, 1, {"near_held_out": 2})
    families_of = {name: {row["prompt_family"] for row in rows(tmp_path / "both", name)} for name in
                   ("comparisons/train", "comparisons/held_out", "unresolved")}  # fmt: skip
    assert families_of["unresolved"] == families_of["comparisons/held_out"]
    assert not families_of["comparisons/train"] & families_of["comparisons/held_out"]


def test_a_held_out_pair_without_a_verdict_keeps_its_family_out_of_training(tmp_path: Path) -> None:
    pairs = [*near("t", "train"), *near("h", "held_out")]
    built = made(tmp_path / "out", snapshot(pairs, judged(pairs[:1])))
    assert dict(built.ledger.total().unresolved) == {"near_held_out": 1, "too_few_votes": 1}


def test_a_pair_in_neither_split_is_unresolved(tmp_path: Path) -> None:
    pairs = near("n", "neither")
    built = made(tmp_path / "out", snapshot(pairs, judged(pairs)))
    assert dict(built.ledger.total().unresolved) == {"near_both_sides": 1}
    assert built.ledger.total().comparisons == 0


def test_a_pair_in_neither_split_joins_no_families(tmp_path: Path) -> None:
    words = [f"word{n}" for n in range(18)]
    chain = [" ".join([*(f"other{k}" for k in range(n)), *words[n:]]) for n in (0, 2, 4)]
    splits = ("train", "neither", "held_out")
    pairs = [pair(f"p{n}", split=split, prompt=asked(chain[n])) for n, split in enumerate(splits)]
    assert families(pa.array(chain)).tolist() == [0, 0, 0]
    total = made(tmp_path / "out", snapshot(pairs, judged(pairs))).ledger.total()
    assert (total.train, total.held_out, dict(total.unresolved)) == (1, 1, {"near_both_sides": 1})


def test_a_batch_of_gold_pairs_alone_is_in_the_ledger(tmp_path: Path) -> None:
    pairs = [pair("a"), pair("g", gold="first", batch="batch-0")]
    built = made(tmp_path / "out", snapshot(pairs, [*votes("a", "f1 f1 f1"), *votes("g", "f1")]))
    [gold, other] = built.manifest.campaigns[0].batches
    assert (gold.asked, gold.ledger["gold_pairs"], gold.ledger["judgments"]) == ((), 1, 1)
    assert other.asked == (Asked(protocol="preference", protocol_version="1", votes=3),)


def test_a_shared_system_prompt_makes_no_family(tmp_path: Path) -> None:
    system = {"role": "system", "content": "You are a careful assistant. " * 30}
    pairs = [
        pair("a", prompt=[system, *asked("What is rye?")]),
        pair("b", prompt=[system, *asked("Who built the first mill?")], split="held_out"),
    ]
    assert made(tmp_path / "out", snapshot(pairs, judged(pairs))).ledger.total().comparisons == 2


def test_the_name_of_a_family_is_that_of_its_smallest_prompt(tmp_path: Path) -> None:
    pairs = near("t", "train", "train", "train")
    made(tmp_path / "out", snapshot(pairs, judged(pairs)))
    digests = [hashlib.blake2b(row["prompt"][0]["content"].encode(), digest_size=16).hexdigest() for row in pairs]
    assert {row["prompt_family"] for row in rows(tmp_path / "out", "comparisons/train")} == {min(digests)}


def test_what_cannot_be_built_is_said(small: Snapshot, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="at least one campaign"):
        made(tmp_path / "out")
    with pytest.raises(UserError, match="two campaigns are named mill"):
        made(tmp_path / "out", small, small)
    assert not list(tmp_path.iterdir())


def test_an_occupied_folder_is_refused(small: Snapshot, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    made(tmp_path / "empty", small)
    before = contents(tmp_path / "empty")
    with pytest.raises(UserError, match="holds a finished dataset"):
        made(tmp_path / "empty", small)
    assert contents(tmp_path / "empty") == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty"):
        made(tmp_path / "other", small)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="is a file"):
        made(tmp_path / "file", small)
    with pytest.raises(UserError, match="cannot be created"):
        made(tmp_path / "file" / "out", small)


def test_a_failure_leaves_nothing_behind(small: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pa, "OSFile", full)
    with pytest.raises(RunError, match="No space left on device"):
        made(tmp_path / "out", small)
    assert not list(tmp_path.iterdir())


def test_a_ledger_that_does_not_add_up_fails(small: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from annotation.dataset.comparisons import CampaignPairs

    whole = CampaignPairs.unresolved_pairs
    monkeypatch.setattr(CampaignPairs, "unresolved_pairs", lambda *given: whole(*given)[:0])
    with pytest.raises(LedgerError, match="3 came in, and 2 went out"):
        made(tmp_path / "out", small)
    assert not list(tmp_path.iterdir())


def test_an_empty_campaign_is_an_empty_dataset(tmp_path: Path) -> None:
    built = made(tmp_path / "out", snapshot([], []))
    assert built.ledger.total().comparisons == 0
    assert pq.read_table(tmp_path / "out" / "comparisons" / "train.parquet").num_rows == 0


def test_unanimity_is_named_in_the_manifest(tmp_path: Path) -> None:
    strict = replace(snapshot([pair("a")], votes("a", "f1 f1 s1")), policy=Policy(use="unanimous"))
    built = made(tmp_path / "out", strict)
    assert built.manifest.campaigns[0].policy == Resolving("unanimous", None)
    assert dict(built.ledger.total().unresolved) == {"no_majority": 1}
