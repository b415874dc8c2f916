"""The commands or settings with which each trainer trains on an export, with the held-out split.

Checked against each trainer's own source in November 2026: TRL 1.16.0; OpenRLHF 0.11.2 (openrlhf/cli/train_rm.py,
train_dpo.py, datasets/utils.py); open-instruct at e6c3044 of August 2026 (reward_modeling.py, dpo_utils.py,
dataset_transformation.py); NeMo RL at 7ea279a of August 2026 (examples/run_dpo.py and run_rm.py, their configs,
data/utils.py); LLaMA-Factory 0.9.5 (data/parser.py, data/loader.py, hparams/data_args.py); axolotl 0.19.0
(utils/data/rl.py, utils/data/shared.py). `make trainers-test` runs the trainers that a package registry offers.
"""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Load:
    """One command, or the settings of one trainer. ``{folder}`` in a text is replaced by the export's folder.

    ``held_out`` is appended if the export has a held-out split, ``alone`` if it has none, ``margin`` if its rows have
    margins. ``title`` says what the command trains; it is empty if a trainer has only one command.
    """

    title: str = ""
    train: str
    held_out: str = ""
    alone: str = ""
    margin: str = ""

    def text(self, folder: str, written: Collection[str], margin: bool) -> str:
        """The complete text for an export with these splits (``train``, ``test``)."""
        parts = [self.train, self.held_out if "test" in written else self.alone, self.margin if margin else ""]
        return "".join(parts).replace("{folder}", folder)


DATASETS = (
    Load(
        train='load_dataset("{folder}", split="train")',
        held_out='\nload_dataset("{folder}", split="test")',
    ),
)

DISK = (Load(train='load_from_disk("{folder}")'),)

HH = (
    Load(
        train='load_dataset("json", data_files="{folder}/train.jsonl", split="train")',
        held_out='\nload_dataset("json", data_files="{folder}/test.jsonl", split="train")',
    ),
)


def _openrlhf(what: str, program: str, margin: str = "") -> Load:
    return Load(
        title=what,
        train=f"python -m openrlhf.cli.{program} --data.dataset {{folder}}/train.parquet --data.prompt_key prompt \\\n"
        "  --data.chosen_key chosen --data.rejected_key rejected --data.apply_chat_template",
        held_out=" \\\n  --eval.dataset {folder}/test.parquet --eval.split train",
        margin=margin,
    )


OPENRLHF = (
    _openrlhf("A reward model", "train_rm", " \\\n  --model.margin_loss_enable"),
    _openrlhf("DPO", "train_dpo"),
)

OPEN_INSTRUCT = (
    Load(
        title="A reward model",
        train="python open_instruct/reward_modeling.py --dataset_mixer_list {folder}/train.parquet 1.0 \\\n"
        "  --dataset_mixer_list_splits train",
        held_out=" \\\n  --dataset_mixer_eval_list {folder}/test.parquet 1.0 --dataset_mixer_eval_list_splits train",
    ),
    Load(
        title="DPO, which has no option for a held-out split",
        train="python open_instruct/dpo.py --mixer_list {folder}/train.parquet 1.0 --mixer_list_splits train",
    ),
)


def _nemo_rl(what: str, program: str) -> Load:
    return Load(
        title=what,
        train=f"uv run examples/{program} data.train.dataset_name=PreferenceDataset \\\n"
        "  +data.train.data_path={folder}/train.jsonl",
        held_out=" \\\n  data.validation.dataset_name=PreferenceDataset \\\n"
        "  +data.validation.data_path={folder}/test.jsonl data.validation.split=train",
        alone=" data.validation=null",
    )


NEMO_RL = (_nemo_rl("DPO", "run_dpo.py"), _nemo_rl("A reward model", "run_rm.py"))

LLAMA_FACTORY = (Load(train="dataset_dir: {folder}\ndataset: train", held_out="\neval_dataset: test"),)

_AXOLOTL = "  - path: {folder}/%s.parquet\n    ds_type: parquet\n    split: train\n    type: chat_template.default"

AXOLOTL = (
    Load(
        train=f"rl: dpo\ndatasets:\n{_AXOLOTL % 'train'}",
        held_out=f"\ntest_datasets:\n{_AXOLOTL % 'test'}",
    ),
)
