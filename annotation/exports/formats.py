"""The trainers' formats, as one table.

What each trainer reads was looked up in November 2026: TRL 1.16 (its dataset formats and the reward, DPO and KTO
trainers), datasets 5.2, OpenRLHF (datasets/reward_dataset.py), open-instruct (dataset_transformation.py), NeMo RL 0.6
(guides/dpo.md), LLaMA-Factory (data/README.md, data/converter.py), axolotl (prompt_strategies/dpo/chat_template.py),
and Anthropic's hh-rlhf.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from annotation.exports import layouts, readback, unfit
from annotation.exports.layouts import Columns, Rows
from annotation.exports.readback import Read
from annotation.exports.unfit import Unfit

MARGINS = ("small", "large", "none")

BESIDE = ("comparison_id", "margin", "weight", "chosen_safe", "rejected_safe")
"""What stands beside the dialogue where there is room for it."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """How one trainer wants comparisons.

    ``write`` makes the columns of the dialogue, ``read`` takes a row of the trainer's apart; ``carries``: what of
    BESIDE has a place in its files, and ``used``: what of that the trainer makes use of by itself. ``halves``: a
    comparison is two rows, an answer each. ``unfit`` names
    rows that the trainer would skip, stop at or change. ``loader``: the package of the extra `trainer` that reads it.
    ``load`` says how a user loads it, ``note`` what to know of the trainer.
    """

    name: str
    trainer: str
    file: Literal["parquet", "jsonl", "disk"] = "parquet"
    write: Callable[[Rows], Columns]
    read: Read
    carries: tuple[str, ...] = BESIDE
    used: tuple[str, ...] = ()
    halves: bool = False
    unfit: Unfit = field(default_factory=dict)
    loader: Literal["trl", "datasets"] | None = None
    load: str
    note: str = ""

    @property
    def lost(self) -> tuple[str, ...]:
        """What the format has no place for."""
        return tuple(name for name in BESIDE if name not in self.carries)


_TRL = 'load_dataset("{folder}", split="train")'

_ALL = (
    Format(
        name="trl-reward",
        trainer="TRL's RewardTrainer",
        write=layouts.whole_dialogues,
        read=readback.whole_dialogues,
        used=("margin",),
        loader="trl",
        load=_TRL,
        note="Rows longer than max_length tokens are left out of the training by TRL.",
    ),
    Format(
        name="trl-dpo",
        trainer="TRL's DPOTrainer",
        write=layouts.answers,
        read=readback.answers,
        unfit={"no_prompt": unfit.no_prompt},
        loader="trl",
        load=_TRL,
    ),
    Format(
        name="trl-kto",
        trainer="TRL's KTOTrainer",
        write=layouts.labelled,
        read=readback.labelled,
        halves=True,
        carries=("comparison_id", "weight", "chosen_safe", "rejected_safe"),
        unfit={"no_prompt": unfit.no_prompt},
        loader="trl",
        load=_TRL,
        note="Each comparison is two rows, some way apart: good and bad answers by turns; `safe` is the answer's flag.",
    ),
    Format(
        name="openrlhf",
        trainer="OpenRLHF",
        write=layouts.answers,
        read=readback.answers,
        used=("margin",),
        unfit={"no_prompt": unfit.no_prompt},
        load="--dataset {folder}/train.parquet --prompt_key prompt --chosen_key chosen --rejected_key rejected "
        "--apply_chat_template",
        note="The reward model reads the margin (its option for a margin loss), DPO does not.",
    ),
    Format(
        name="open-instruct",
        trainer="open-instruct",
        write=layouts.whole_dialogues,
        read=readback.whole_dialogues,
        load="--dataset_mixer_list {folder}/train.parquet 1.0",
    ),
    Format(
        name="nemo-rl",
        trainer="NeMo RL",
        file="jsonl",
        write=layouts.ranked,
        read=readback.ranked,
        carries=(),
        unfit={"no_prompt": unfit.no_prompt},
        load="data.train.dataset_name=PreferenceDataset data.train.data_path={folder}/train.jsonl",
    ),
    Format(
        name="llama-factory",
        trainer="LLaMA-Factory",
        write=layouts.single_messages("conversations"),
        read=readback.single_messages("conversations"),
        unfit={"not_alternating": unfit.not_alternating},
        load="dataset_dir: {folder}\ndataset: train\neval_dataset: test",
        note="LLaMA-Factory skips dialogues that do not go from the user's turn to the user's turn by turns.",
    ),
    Format(
        name="axolotl",
        trainer="axolotl",
        write=layouts.single_messages("messages"),
        read=readback.single_messages("messages"),
        unfit={"no_prompt": unfit.no_prompt},
        load="rl: dpo\ndatasets:\n  - path: {folder}/train.parquet\n    ds_type: parquet\n    split: train\n"
        "    type: chat_template.default",
        note="axolotl looks for an answer's text in what the chat template renders: one that trims messages cuts "
        "answers that begin or end with white space to one character.",
    ),
    Format(
        name="hf",
        trainer="datasets",
        file="disk",
        write=layouts.everything,
        read=readback.everything,
        used=BESIDE,
        loader="datasets",
        load='load_from_disk("{folder}")',
        note="All columns of the master, the votes and the models too.",
    ),
    Format(
        name="hh",
        trainer="readers of Anthropic's HH",
        file="jsonl",
        write=layouts.texts,
        read=readback.texts,
        carries=(),
        unfit={"not_in_hh": unfit.not_in_hh},
        loader="datasets",
        load='load_dataset("json", data_files="{folder}/train.jsonl")',
    ),
)

FORMATS: Mapping[str, Format] = {each.name: each for each in _ALL}
