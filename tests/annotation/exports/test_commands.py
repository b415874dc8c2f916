"""What a card prints is what the trainers' sources accept, in the versions that are named here."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from annotation.dataset.master import Master
from annotation.exports import export
from tests.annotation.exports.cards import blocks, words
from tests.annotation.exports.datasets import MIXED, comparison, dataset

OPENRLHF = {
    "--data.dataset": "path",
    "--data.prompt_key": "prompt",
    "--data.chosen_key": "chosen",
    "--data.rejected_key": "rejected",
    "--data.apply_chat_template": None,
    "--eval.dataset": "path",
    "--eval.split": "train",
}
"""Options of openrlhf/cli/train_rm.py and train_dpo.py, OpenRLHF 0.11.2, with the only value that is right where there
is one: `datasets` calls the rows of any single file train."""

OPEN_INSTRUCT = {
    "open_instruct/reward_modeling.py": {
        "--dataset_mixer_list": ["path", "1.0"],
        "--dataset_mixer_list_splits": ["train"],
        "--dataset_mixer_eval_list": ["path", "1.0"],
        "--dataset_mixer_eval_list_splits": ["train"],
    },
    "open_instruct/dpo.py": {"--mixer_list": ["path", "1.0"], "--mixer_list_splits": ["train"]},
}
"""Fields of the dataclasses that open-instruct parses its options into, at e6c3044 (20 August 2026): Args of
reward_modeling.py, and DatasetConfig of olmo_core_utils.py, of which DPOExperimentConfig of dpo_utils.py is one."""

NEMO_RL: dict[str, Any] = {"train": {"dataset_name", "split"}, "validation": {"dataset_name", "split"}}
"""Keys of `data` in examples/configs/dpo.yaml and rm.yaml of NeMo RL at 7ea279a (22 August 2026): Hydra takes these
without a plus sign, and others only with one. The split of the validation set there is `validation`."""


@pytest.fixture(scope="module")
def masters(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Master]:
    """A dataset with a held-out split, and one without."""
    folder = tmp_path_factory.mktemp("datasets")
    return {True: dataset(folder / "both"), False: dataset(folder / "one", [comparison("a")])}


def options(command: list[str]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for word in command:
        if word.startswith("--"):
            assert word not in out
            out[word] = []
        elif out:
            out[list(out)[-1]].append(word)
    return out


@pytest.mark.parametrize("held_out", [True, False])
@pytest.mark.parametrize("margin", ["small", "none"])
def test_openrlhf(held_out: bool, margin: str, masters: dict[bool, Master], tmp_path: Path) -> None:
    export(masters[held_out], tmp_path / "out", "openrlhf", margin)
    reward, dpo = map(words, blocks(tmp_path / "out"))
    assert [reward[:3], dpo[:3]] == [["python", "-m", f"openrlhf.cli.train_{each}"] for each in ("rm", "dpo")]
    for command in (reward, dpo):
        given = options(command[3:])
        expected = {name: value for name, value in OPENRLHF.items() if held_out or not name.startswith("--eval")}
        if command is reward and margin == "small":
            assert given.pop("--model.margin_loss_enable") == []
        assert given.keys() == expected.keys()
        for name, value in expected.items():
            if value == "path":
                assert Path(given[name][0]).is_file()
            else:
                assert given[name] == ([value] if value else [])


@pytest.mark.parametrize("held_out", [True, False])
def test_open_instruct(held_out: bool, masters: dict[bool, Master], tmp_path: Path) -> None:
    export(masters[held_out], tmp_path / "out", "open-instruct")
    for command in map(words, blocks(tmp_path / "out")):
        accepted = OPEN_INSTRUCT[command[1]]
        given = options(command[2:])
        assert given.keys() == {name for name in accepted if held_out or "eval" not in name}
        for name, values in given.items():
            assert [("path" if Path(value).is_file() else value) for value in values] == accepted[name]


@pytest.mark.parametrize("held_out", [True, False])
def test_nemo_rl(held_out: bool, masters: dict[bool, Master], tmp_path: Path) -> None:
    export(masters[held_out], tmp_path / "out", "nemo-rl")
    commands = [words(block) for block in blocks(tmp_path / "out")]
    assert [command[:3] for command in commands] == [
        ["uv", "run", "examples/run_dpo.py"],
        ["uv", "run", "examples/run_rm.py"],
    ]
    for command in commands:
        given = dict(word.split("=", 1) for word in command[3:])
        for name in given:
            found = re.fullmatch(r"(\+?)data\.(train|validation)(?:\.(\w+))?", name)
            assert found is not None
            plus, split, key = found.groups()
            assert bool(plus) == (key is not None and key not in NEMO_RL[split])
        assert given["data.train.dataset_name"] == "PreferenceDataset"
        assert Path(given["+data.train.data_path"]).name == "train.jsonl"
        if held_out:
            assert given["data.validation.split"] == "train", "a file of its own has no split named validation"
            assert given["data.validation.dataset_name"] == "PreferenceDataset"
            assert Path(given["+data.validation.data_path"]).is_file()
        else:
            assert given["data.validation"] == "null"


@pytest.mark.parametrize("held_out", [True, False])
def test_settings_in_yaml(held_out: bool, masters: dict[bool, Master], tmp_path: Path) -> None:
    """LLaMA-Factory 0.9.5 (hparams/data_args.py) and axolotl 0.19.0 (utils/schemas/datasets.py, config.py)."""
    export(masters[held_out], tmp_path / "factory", "llama-factory")
    [block] = blocks(tmp_path / "factory")
    expected = {"dataset_dir": "DIR", "dataset": "train"}
    assert yaml.safe_load(block.replace(f"{tmp_path}", "")) == expected | ({"eval_dataset": "test"} if held_out else {})
    export(masters[held_out], tmp_path / "axolotl", "axolotl")
    [block] = blocks(tmp_path / "axolotl")
    settings = yaml.safe_load(block)
    assert settings["rl"] == "dpo"
    assert settings.keys() == {"rl", "datasets"} | ({"test_datasets"} if held_out else set())
    for name in settings.keys() - {"rl"}:
        [entry] = settings[name]
        assert Path(entry.pop("path")).is_file()
        assert entry == {"ds_type": "parquet", "split": "train", "type": "chat_template.default"}


@pytest.mark.parametrize("form", ["trl-reward", "trl-dpo", "trl-kto", "hh"])
def test_both_splits_load_as_the_card_says(form: str, masters: dict[bool, Master], tmp_path: Path) -> None:
    from datasets import load_dataset

    export(masters[True], tmp_path / "out", form)
    [block] = blocks(tmp_path / "out")
    cache = str(tmp_path / "cache")
    counts = []
    for line in block.replace('"DIR"', f'"{tmp_path / "out"}"').splitlines():
        counts.append(len(eval(line, {"load_dataset": lambda *args, **kw: load_dataset(*args, **kw, cache_dir=cache)})))
    each = 2 if form == "trl-kto" else 1
    left_out = {"trl-reward": 0, "hh": 1}.get(form, 0)  # one has a system's message
    held_out = sum(row["split"] == "held_out" for row in MIXED)
    assert counts == [(len(MIXED) - held_out - left_out) * each, held_out * each]
