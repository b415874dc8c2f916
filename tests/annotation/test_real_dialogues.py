"""Real dialogues of Anthropic's HH (MIT), pairs whose better response is known, from a file to a dataset."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from annotation.dataset import build
from curation.dedup.near import families
from tests.annotation.campaigns import Desk, desk

ROLES = {"Human": "user", "Assistant": "assistant"}


def messages(dialogue: str) -> list[dict[str, str]]:
    parts = re.split(r"\n\n(Human|Assistant): ?", dialogue)[1:]
    return [{"role": ROLES[who], "content": said} for who, said in zip(parts[::2], parts[1::2], strict=True)]


@pytest.fixture(scope="module")
def rows(real_dialogues: Path) -> list[dict[str, Any]]:
    """Rows of a responses file; the better response comes from the model ``better``."""
    out = []
    for number, line in enumerate(gzip.decompress(real_dialogues.read_bytes()).splitlines()):
        row = json.loads(line)
        chosen, rejected = messages(row["chosen"]), messages(row["rejected"])
        if chosen[:-1] != rejected[:-1]:  # some differ earlier, too: no responses to one prompt
            continue
        answers = [
            {"model": "better", "text": chosen[-1]["content"]},
            {"model": "worse", "text": rejected[-1]["content"]},
        ]
        out.append({"prompt_id": f"hh{number:03}", "messages": chosen[:-1], "responses": answers})
    return out


def answer_all(at: Desk) -> None:
    """Everybody recognises the better response, on whatever side it stands."""
    first = dict(zip(*(at.record.pairs[name].to_pylist() for name in ("pair_id", "first_model")), strict=True))
    for task in at.tasks():
        left = (first[task["pair_id"]] == "better") != task["swapped"]
        at.answer(task, "a_better" if left else "b_slightly_better")


def test_what_is_known_to_be_better_comes_out_as_chosen(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    assert len(rows) >= 200
    with desk(tmp_path, rows=rows, votes=3) as at:
        pairs = at.record.pairs
        answer_all(at)
        build([at.load()], tmp_path / "out", families)
    empty = [row["prompt_id"] for row in rows if not all(answer["text"].strip() for answer in row["responses"])]
    expected = {row["prompt_id"]: row for row in rows if row["prompt_id"] not in empty}
    assert pairs.num_rows == len(expected)
    tables = [pq.read_table(path) for path in sorted((tmp_path / "out" / "comparisons").glob("*.parquet"))]
    out = [row for table in tables for row in table.to_pylist()]
    assert {row["prompt_id"] for row in out} == set(expected)
    for row in out:
        known = expected[row["prompt_id"]]
        assert row["prompt"] == known["messages"]
        assert [row["chosen"], row["rejected"]] == [answer["text"] for answer in known["responses"]]
        assert row["chosen_model"] == "better"
        assert row["votes_for"] == 3


def test_sides_and_models_are_balanced(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    with desk(tmp_path, rows=rows, votes=3) as at:
        for person in ("mill/a1", "mill/a2", "mill/a3"):
            swapped = [task["swapped"] for task in at.tasks(person)]
            assert abs(2 * sum(swapped) - len(swapped)) <= 1
        held_out = pc.sum(pc.equal(at.record.pairs["split"], "held_out")).as_py()
    assert 0 < held_out <= len(rows) // 10


def test_no_held_out_dialogue_is_near_one_of_training(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    with desk(tmp_path, rows=rows, votes=3) as at:
        pairs = at.record.pairs.to_pylist()
    words = [set(re.findall(r"\w+", " ".join(m["content"] for m in pair["prompt"]).lower())) for pair in pairs]
    held = np.array([pair["split"] == "held_out" for pair in pairs])
    assert held.any()
    for i in np.flatnonzero(held):
        for j in np.flatnonzero(~held):
            assert len(words[i] & words[j]) / max(len(words[i] | words[j]), 1) < 0.8
