"""Each format by hand, what it leaves out, and that the same dataset gives the same bytes."""

import json
import string
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.dataset.master import Master
from annotation.exports import FORMATS, export
from annotation.exports.comparing import compare
from annotation.exports.export import prepare
from schemas.errors import UserError
from tests.annotation.exports.datasets import LONG, PROMPT, comparison, dataset, tables

CHOSEN = {"role": "assistant", "content": "  indented\n"}
REJECTED = {"role": "assistant", "content": "A cereal, says"}
BESIDE = {"comparison_id": "mill/b", "margin": 2 / 3, "weight": 1.0, "chosen_safe": None, "rejected_safe": None}

EXPECTED: dict[str, dict[str, Any]] = {
    "trl-reward": {"chosen": [*LONG, CHOSEN], "rejected": [*LONG, REJECTED], **BESIDE},
    "trl-dpo": {"prompt": LONG, "chosen": [CHOSEN], "rejected": [REJECTED], **BESIDE},
    "openrlhf": {"prompt": LONG, "chosen": [CHOSEN], "rejected": [REJECTED], **BESIDE},
    "open-instruct": {"chosen": [*LONG, CHOSEN], "rejected": [*LONG, REJECTED], **BESIDE},
    "llama-factory": {"conversations": LONG, "chosen": CHOSEN, "rejected": REJECTED, **BESIDE},
    "axolotl": {
        "messages": PROMPT,
        "chosen": {"role": "assistant", "content": "A cereal"},
        "rejected": {"role": "assistant", "content": "A cereal, says c."},
        **BESIDE,
        "comparison_id": "mill/c",
        "margin": 0.0,
        "weight": 0.5,
    },
    "nemo-rl": {
        "context": LONG,
        "completions": [{"rank": 0, "completion": [CHOSEN]}, {"rank": 1, "completion": [REJECTED]}],
    },
}
"""The second row of the training split, as the trainers' documentation wants it (of axolotl's, the second that is not
left out)."""


@pytest.fixture(scope="module")
def mill(tmp_path_factory: pytest.TempPathFactory) -> Master:
    return dataset(tmp_path_factory.mktemp("datasets") / "mill")


def rows(folder: Path, split: str = "train") -> list[dict[str, Any]]:
    for path in (folder / f"{split}.parquet", folder / f"{split}.jsonl", folder / split):
        if path.suffix == ".parquet" and path.exists():
            return list(pq.read_table(path).to_pylist())
        if path.suffix == ".jsonl" and path.exists():
            return [orjson.loads(line) for line in path.read_bytes().splitlines()]
    with pa.OSFile(str(path / "data-00000-of-00001.arrow")) as source:
        return list(pa.ipc.open_stream(source).read_all().to_pylist())


@pytest.mark.parametrize("form", EXPECTED)
def test_a_row_by_hand(mill: Master, form: str, tmp_path: Path) -> None:
    export(mill, tmp_path / "out", form)
    assert rows(tmp_path / "out")[1] == EXPECTED[form]


def test_kto_has_a_row_for_each_answer(mill: Master, tmp_path: Path) -> None:
    export(mill, tmp_path / "out", "trl-kto")
    found = rows(tmp_path / "out")
    assert [row["label"] for row in found] == [True, False] * 5
    beside = {"comparison_id": "mill/b", "weight": 1.0, "safe": None}
    good, bad = (row for row in found if row["comparison_id"] == "mill/b")
    good, bad = (good, bad) if good["label"] else (bad, good)
    assert good == {"prompt": LONG, "completion": [CHOSEN], "label": True, **beside}
    assert bad == {"prompt": LONG, "completion": [REJECTED], "label": False, **beside}
    safe = {(row["comparison_id"], row["label"]): row["safe"] for row in found}
    assert [safe["mill/a", True], safe["mill/a", False], safe["mill/d", False]] == [True, False, True]


@pytest.mark.parametrize("each", [1, 3, 6])
def test_kto_s_neighbours_are_of_other_prompts(each: int, tmp_path: Path) -> None:
    """TRL makes a batch's pairs for the divergence by rotating its answers by one; both labels are in each batch."""
    made = [
        comparison(f"{prompt:03}-{n}", prompt=[{"role": "user", "content": f"Prompt {prompt}?"}], chosen=f"c{n}")
        for prompt in range(30)
        for n in range(each)
    ]
    export(dataset(tmp_path / "mill", made), tmp_path / "out", "trl-kto")
    found = rows(tmp_path / "out")
    for size in (4, 8, 16):
        for start in range(0, len(found) - size + 1, size):
            batch = found[start : start + size]
            assert {row["label"] for row in batch} == {True, False}
            rotated = [batch[-1], *batch[:-1]]
            assert all(row["prompt"] != other["prompt"] for row, other in zip(batch, rotated, strict=True))


def test_hh_has_one_text_a_side(mill: Master, tmp_path: Path) -> None:
    export(mill, tmp_path / "out", "hh")
    asked = "\n\nHuman: What is rye?\n\nAssistant: "
    assert rows(tmp_path / "out")[0] == {"chosen": f"{asked}A cereal, says a.", "rejected": f"{asked}Bread, says a."}


def test_hf_has_all_columns_of_the_dataset(mill: Master, tmp_path: Path) -> None:
    export(mill, tmp_path / "out", "hf", "none")
    assert rows(tmp_path / "out") == mill.splits["train"].to_pylist()


@pytest.mark.parametrize(("margin", "expected"), [("small", [1, 2 / 3, 0, 0, 1 / 3]), ("large", [3, 2, 0, 0, 1])])
def test_margins_are_those_of_llama_2_in_every_row(
    mill: Master, margin: str, expected: list[float], tmp_path: Path
) -> None:
    """Table 27 of the paper; a comparison without a degree has margin 0, which changes nothing in the loss."""
    for form in ("trl-reward", "openrlhf"):
        export(mill, tmp_path / form, form, margin)
        assert pq.read_table(tmp_path / form / "train.parquet")["margin"].to_pylist() == expected
        assert pq.read_schema(tmp_path / form / "train.parquet").field("margin").type == pa.float64()


def test_without_margins_there_is_no_such_column(mill: Master, tmp_path: Path) -> None:
    export(mill, tmp_path / "out", "trl-reward", "none")
    assert "margin" not in pq.read_schema(tmp_path / "out" / "train.parquet").names


def test_the_held_out_split_is_called_test(mill: Master, tmp_path: Path) -> None:
    for form in ("trl-dpo", "nemo-rl", "hf"):
        export(mill, tmp_path / form, form)
        assert len(rows(tmp_path / form, "test")) == 1


def test_what_a_trainer_would_skip_is_left_out_by_name(mill: Master, tmp_path: Path) -> None:
    exported = export(mill, tmp_path / "out", "llama-factory")
    assert exported.splits["train"].left_out == {"not_alternating": ("mill/e",)}
    assert [json.loads(line) for line in (tmp_path / "out" / "left_out.jsonl").read_text().splitlines()] == [
        {"comparison_id": "mill/e", "split": "train", "reason": "not_alternating"}
    ]
    entries = json.loads((tmp_path / "out" / "dataset_info.json").read_text())
    assert entries["train"]["file_name"] == "train.parquet"
    assert entries["train"]["ranking"] is True


EDGES = (
    "1 comparison has an answer that begins or ends with white space: a chat template that trims messages, "
    "as those of Llama 3 and Gemma do, trains without it."
)


def test_what_a_format_cannot_carry_is_said_once(mill: Master, tmp_path: Path) -> None:
    said = {form: export(mill, tmp_path / form, form).describe() for form in FORMATS}
    assert said["nemo-rl"] == [
        "The format has no place for comparison_id, margin, weight, chosen_safe and rejected_safe: "
        "only the dataset has them.",
        EDGES,
    ]
    assert said["trl-kto"][-2:] == [
        "The format has no place for margin: only the dataset has it.",
        EDGES,
    ]
    assert said["trl-dpo"][0].startswith("TRL's DPOTrainer does not use comparison_id, margin, weight")
    assert said["trl-reward"][0] == "TRL's RewardTrainer uses margin."
    assert said["trl-reward"][1:] == [
        "TRL's RewardTrainer does not use comparison_id, weight, chosen_safe and rejected_safe: "
        "columns for code of your own.",
        "1 comparison has no degree: the margin is 0 there, as in the loss without one.",
        EDGES,
    ]
    for form, sentences in said.items():
        text = (tmp_path / form / "README.md").read_text()
        assert all(text.count(sentence) == 1 for sentence in sentences)


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_dataset_gives_the_same_bytes_anywhere(mill: Master, form: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        export(mill, tmp_path / name / "out", form)
    first, second = (
        {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "one", tmp_path / "two")
    )
    assert first == second


def test_a_split_without_rows_has_no_file(tmp_path: Path) -> None:
    only = dataset(tmp_path / "only", [comparison("a")])
    for form in FORMATS:
        export(only, tmp_path / form, form)
        assert not list((tmp_path / form).glob("test*"))


def test_what_cannot_be_exported_is_said(mill: Master, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no format trl: choose one of trl-reward, "):
        export(mill, tmp_path / "out", "trl")
    with pytest.raises(UserError, match="there is no margin huge: choose one of small, large, none"):
        export(mill, tmp_path / "out", "trl-reward", "huge")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(UserError, match="is not empty"):
        export(mill, tmp_path / "full", "trl-dpo")


TEXT = st.text(st.sampled_from(string.ascii_lowercase + " \n\u2028\U0001f33e"), max_size=12)
DIALOGUE = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system"]), "content": TEXT}), max_size=5
)


@given(st.lists(st.tuples(DIALOGUE, TEXT, TEXT, st.sampled_from([None, "better", "negligibly_better"])), max_size=6))
def test_every_comparison_is_in_the_rows_or_left_out(drawn: list[Any]) -> None:
    """Whatever the dialogues are: what is written says what the dataset says, and the rest is named."""
    made = [
        comparison(f"{place:03}", prompt=prompt, chosen=chosen, rejected=f"{chosen}{rejected}.", degree=degree)
        for place, (prompt, chosen, rejected, degree) in enumerate(drawn)
    ]
    comparisons = tables(made)["train"]
    for form, wanted in FORMATS.items():
        kept, split = prepare(comparisons, wanted, "large")
        found = pa.table(wanted.write(kept)).to_pylist()
        compared = compare("train", kept, found, wanted)
        assert (compared.faults, compared.rows) == ([], split.rows), form
        left = [each for ids in split.left_out.values() for each in ids]
        assert sorted(left + kept["comparison_id"].to_pylist()) == [row["comparison_id"] for row in made]
