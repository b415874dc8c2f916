"""A batch is never made with a part of its files left out in silence."""

from pathlib import Path
from typing import Any

import pytest

from annotation.campaign.drops import DROPPED
from annotation.campaign.plan import Planned, plan
from annotation.campaign.settings import Gold
from annotation.journal.bodies import Batch, read
from annotation.journal.fold import fold
from annotation.journal.journal import Journal
from curation.dedup.near import families
from tests.annotation.campaigns import campaign, golden, prompts, write_rows


def answers(*texts: str, model: str = "m{}") -> dict[str, Any]:
    responses = [{"model": model.format(n), "text": text} for n, text in enumerate(texts)]
    return {"prompt": f"{texts}?", "responses": responses}


def test_everything_left_out_is_counted_said_first_and_recorded(tmp_path: Path) -> None:
    twin = {"prompt": "twin?", "responses": [{"model": "m", "text": text} for text in "xy"]}
    rows: list[Any] = [
        *prompts(range(3)),
        answers("alone"),
        answers("same", "same "),
        answers("", "there", "also"),
        answers("x", "x", "y", model="one"),
        *({**twin, "prompt_id": name} for name in "ab"),
        {"prompt": "no responses"},
    ]
    write_rows(tmp_path / "b1.jsonl", rows)
    write_rows(tmp_path / "gold.jsonl", [*golden(range(9)), *golden([1]), {"prompt": "?"}])
    folder, said = campaign(tmp_path, gold=Gold(file="gold.jsonl", share=0.2)), list[tuple[int, Planned]]()
    with Journal(folder.store, create=True) as journal:
        planned = plan(folder, journal, families, lambda planned: said.append((fold(journal).tasks.num_rows, planned)))
        batch = fold(journal).batches["b1"]
        assert said == [(0, planned)], "nothing is written before it is said"
        assert batch.dropped == planned.dropped == plan(folder, journal, families).dropped
    assert batch.dropped == {
        "empty": 1,
        "gold_not_drawn": batch.dropped["gold_not_drawn"],
        "identical": 1,
        "repeated": 1,
        "repeated_gold": 1,
        "repeated_response": 1,
        "single": 1,
        "unusable_gold": 1,
        "unusable_row": 1,
    }
    assert batch.dropped["gold_not_drawn"] == 9 - planned.gold
    assert set(batch.dropped) <= set(DROPPED)


@pytest.mark.parametrize("rows", [[], [{"prompt": "?", "chosen": "same", "rejected": "same"}]])
def test_a_gold_file_without_a_usable_pair_is_counted(tmp_path: Path, rows: list[Any]) -> None:
    write_rows(tmp_path / "b1.jsonl", prompts(range(4)))
    write_rows(tmp_path / "gold.jsonl", rows)
    folder = campaign(tmp_path, gold=Gold(file="gold.jsonl", share=0.2))
    with Journal(folder.store, create=True) as journal:
        dropped = plan(folder, journal, families).dropped
    assert dropped == {"gold_missing": 3} | ({"unusable_gold": 1} if rows else {})


def test_a_batch_of_an_earlier_version_has_no_counts(tmp_path: Path) -> None:
    write_rows(tmp_path / "b1.jsonl", prompts(range(4)))
    folder = campaign(tmp_path)
    with Journal(folder.store, create=True) as journal:
        plan(folder, journal, families)
        body = journal.newest_body("batch", "b1")
    assert body is not None
    assert b"dropped" not in body, "a batch that leaves nothing out is written as before"
    assert read(Batch, body, "b1").dropped == {}
