"""What cards print, through the trainers' own parsers and loaders: each in an environment of its own.

``make trainers-test`` makes the environments, of the versions in this folder's requirement files, and runs this.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from annotation.dataset.master import Master
from annotation.exports import export
from tests.annotation.exports.cards import blocks, words
from tests.annotation.exports.datasets import MIXED, PROMPT, comparison, dataset

pytestmark = pytest.mark.trainers

HERE = Path(__file__).parent
TEMPLATES = {
    "plain": "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}",
    "trimming": "{% for m in messages %}<|{{ m.role }}|>{{ m.content | trim }}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}",
}
ROWS = (
    *MIXED,
    comparison("g", chosen="g", rejected="Bread </s> with <|im_end|>."),
    comparison("h", prompt=[{"role": "user", "content": "{{idx}} <image> {% x %}?"}]),
    comparison("i", prompt=[*PROMPT, {"role": "assistant", "content": "A grain."}, *PROMPT], split="held_out"),
)
"""The rows that other tests hold trainers to, and some that a trainer would change."""

Row = dict[str, Any]


@pytest.fixture(scope="module")
def masters(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Master]:
    """A dataset with a held-out split, and one without."""
    folder = tmp_path_factory.mktemp("datasets")
    return {True: dataset(folder / "both", ROWS), False: dataset(folder / "one", [comparison("a"), comparison("b")])}


@pytest.fixture(params=TEMPLATES)
def template(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def tokenizer(template: str, tmp_path: Path) -> Path:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    made = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel({"[UNK]": 0, "</s>": 1}, unk_token="[UNK]")),
        eos_token="</s>",
        pad_token="</s>",
        unk_token="[UNK]",
    )
    made.chat_template = TEMPLATES[template]
    made.save_pretrained(str(tmp_path / "tokenizer"))
    return tmp_path / "tokenizer"


def read(trainer: str, script: str, *arguments: str | Path, scratch: Path) -> Any:
    """What a trainer's script prints; it is run without a network."""
    python = Path(sys.prefix) / ".trainers" / trainer / "bin" / "python"
    if not python.exists():
        pytest.fail(f"{trainer} is not installed: make trainers-test installs it")
    offline = dict.fromkeys(("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "AXOLOTL_DO_NOT_TRACK", "DO_NOT_TRACK"), "1")
    done = subprocess.run(
        [python, HERE / script, *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(scratch), "HF_HOME": str(scratch / "hf"), **offline},
        cwd=scratch,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def expected(master: Master, left_out: dict[str, str], split: str) -> list[Row]:
    rows: list[Row] = master.splits[split].to_pylist()
    return [row for row in rows if row["comparison_id"] not in left_out]


def left_out(folder: Path) -> dict[str, str]:
    path = folder / "left_out.jsonl"
    rows = map(json.loads, path.read_text().splitlines() if path.exists() else [])
    return {row["comparison_id"]: row["reason"] for row in rows}


def rendered(messages: list[dict[str, str]], template: str) -> str:
    """A dialogue up to where an answer begins, as the template renders it."""
    if template == "plain":
        return "".join(f"<{each['role']}>{each['content']}</s>" for each in messages) + "<assistant>"
    return "".join(f"<|{each['role']}|>{each['content'].strip()}</s>\n" for each in messages) + "<|assistant|>"


def answer(text: str, template: str) -> str:
    return f"{text}</s>" if template == "plain" else f"{text.strip()}</s>\n"


SPLITS = {"train": "train", "held_out": "test"}


@pytest.mark.parametrize("held_out", [True, False])
@pytest.mark.parametrize("program", [0, 1], ids=["reward", "dpo"])
def test_openrlhf(
    held_out: bool, program: int, masters: dict[bool, Master], template: str, tokenizer: Path, tmp_path: Path
) -> None:
    master = masters[held_out]
    export(master, tmp_path / "out", "openrlhf")
    command = words(blocks(tmp_path / "out")[program])
    found = read("openrlhf", "openrlhf_reads.py", tokenizer, *command[2:], scratch=tmp_path)
    assert found.pop("margin") == (program == 0)
    assert found.keys() == ({"train", "test"} if held_out else {"train"})
    for split, called in SPLITS.items():
        assert [row[:3] for row in found.get(called, [])] == [
            [rendered(row["prompt"], template), *(answer(row[side], template) for side in ("chosen", "rejected"))]
            for row in expected(master, left_out(tmp_path / "out"), split)
        ]
        margins = [row["margin_small"] or 0.0 for row in expected(master, left_out(tmp_path / "out"), split)]
        assert [row[3] for row in found.get(called, [])] == margins


@pytest.mark.parametrize("held_out", [True, False])
def test_llama_factory(held_out: bool, masters: dict[bool, Master], tmp_path: Path) -> None:
    master = masters[held_out]
    export(master, tmp_path / "out", "llama-factory")
    [block] = blocks(tmp_path / "out")
    settings = yaml.safe_load(block) | {"dataset_dir": str(tmp_path / "out")}
    found = read("llama-factory", "llama_factory_reads.py", json.dumps(settings), scratch=tmp_path)
    assert found.keys() == ({"train", "test"} if held_out else {"train"})
    for split, called in SPLITS.items():
        wanted = []
        for row in expected(master, left_out(tmp_path / "out"), split):
            system = [each["content"] for each in row["prompt"][:1] if each["role"] == "system"]
            answers = [{"role": "assistant", "content": row[side]} for side in ("chosen", "rejected")]
            wanted.append([row["prompt"][len(system) :], answers, "".join(system)])
        assert found.get(called, []) == wanted


@pytest.mark.parametrize("held_out", [True, False])
def test_axolotl(held_out: bool, masters: dict[bool, Master], template: str, tokenizer: Path, tmp_path: Path) -> None:
    """With either template each answer comes out whole: those that it would cut are left out."""
    master = masters[held_out]
    export(master, tmp_path / "out", "axolotl")
    [block] = blocks(tmp_path / "out")
    settings = yaml.safe_load(block)
    found = read("axolotl", "axolotl_reads.py", tokenizer, json.dumps(settings), scratch=tmp_path)
    assert found.keys() == ({"train", "test"} if held_out else {"train"})
    for split, called in SPLITS.items():
        assert found.get(called, []) == [
            [rendered(row["prompt"], template), *(f"{row[side]}</s>" for side in ("chosen", "rejected"))]
            for row in expected(master, left_out(tmp_path / "out"), split)
        ]
    if held_out:
        assert set(left_out(tmp_path / "out").values()) == {"edge_space", "in_template"}


NEMO_RL = {
    "data": {
        "shuffle": True,
        "train": {"dataset_name": "HelpSteer3", "split": "train"},
        "validation": {"dataset_name": "HelpSteer3", "split": "validation"},
    }
}
"""What its examples' configs, dpo.yaml and rm.yaml, hold of data."""


@pytest.mark.parametrize("held_out", [True, False])
@pytest.mark.parametrize("program", [0, 1], ids=["dpo", "reward"])
def test_nemo_rl_s_overrides(held_out: bool, program: int, masters: dict[bool, Master], tmp_path: Path) -> None:
    """Hydra applies them, and `datasets` loads the file and the split that they name, as NeMo RL does."""
    from datasets import load_dataset

    export(masters[held_out], tmp_path / "out", "nemo-rl")
    command = words(blocks(tmp_path / "out")[program])
    found = read("hydra", "hydra_reads.py", json.dumps(NEMO_RL), *command[3:], scratch=tmp_path)["data"]
    assert found["shuffle"] is True
    for split, called in (("train", "train"), ("held_out", "validation")):
        if found[called] is None:
            assert (called, held_out) == ("validation", False)
            continue
        assert found[called]["dataset_name"] == "PreferenceDataset"
        rows = load_dataset("json", data_files=found[called]["data_path"], cache_dir=str(tmp_path / "cache"))
        assert len(rows[found[called]["split"]]) == len(expected(masters[held_out], left_out(tmp_path / "out"), split))
