"""The trainers' formats, as one table.

The sources, read in November 2026: TRL 1.16 (its dataset formats and the reward, DPO and KTO
trainers), datasets 5.2, OpenRLHF 0.11.2 (datasets/reward_dataset.py), open-instruct (dataset_transformation.py), NeMo
RL (guides/dpo.md), LLaMA-Factory 0.9.5 (data/converter.py, data/template.py), axolotl 0.19.0
(prompt_strategies/dpo/chat_template.py), and Anthropic's hh-rlhf.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from annotation.exports import commands, layouts, readback, texts, unfit
from annotation.exports.commands import Load
from annotation.exports.layouts import Columns, Comparisons
from annotation.exports.readback import Read
from annotation.exports.unfit import Unfit

MARGINS = ("small", "large", "none")

BESIDE = ("comparison_id", "margin", "weight", "chosen_safe", "rejected_safe")
"""The columns beside the dialogue, if the format has a place for them."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """The format in which one trainer reads comparisons.

    ``write`` builds the columns, ``read`` parses a row as the trainer reads it. ``carries``: the columns of BESIDE that
    the files hold; ``used``: the columns of these that the trainer itself uses. ``halves``: a comparison is two rows,
    each with one answer. ``unfit``: tests for rows that the trainer would skip, fail at or change, by reason.
    ``loader``: the package of the extra `trainer` that reads the format. ``load``: how a user loads it; ``note``: what
    a user should know about the trainer. ``templates``: the trainer renders dialogues by a chat template.
    """

    name: str
    trainer: str
    file: Literal["parquet", "jsonl", "disk"] = "parquet"
    write: Callable[[Comparisons], Columns]
    read: Read
    carries: tuple[str, ...] = BESIDE
    used: tuple[str, ...] = ()
    halves: bool = False
    unfit: Unfit = field(default_factory=dict)
    loader: Literal["trl", "datasets"] | None = None
    load: tuple[Load, ...]
    note: str = ""
    templates: bool = True

    @property
    def lost(self) -> tuple[str, ...]:
        """The columns of BESIDE that the format cannot hold."""
        return tuple(name for name in BESIDE if name not in self.carries)


_ALL = (
    Format(
        name="trl-reward",
        trainer="TRL's RewardTrainer",
        write=layouts.whole_dialogues,
        read=readback.whole_dialogues,
        used=("margin",),
        loader="trl",
        load=commands.DATASETS,
        note="Rows longer than max_length tokens are left out of the training by TRL.",
    ),
    Format(
        name="trl-dpo",
        trainer="TRL's DPOTrainer",
        write=layouts.answers,
        read=readback.answers,
        unfit={"no_prompt": unfit.no_prompt},
        loader="trl",
        load=commands.DATASETS,
    ),
    Format(
        name="trl-kto",
        trainer="TRL's KTOTrainer",
        write=layouts.label_answers,
        read=readback.read_labelled,
        halves=True,
        carries=("comparison_id", "weight", "chosen_safe", "rejected_safe"),
        unfit={"no_prompt": unfit.no_prompt},
        loader="trl",
        load=commands.DATASETS,
        note="Each comparison is two rows, some way apart: good and bad answers by turns; `safe` is the answer's flag.",
    ),
    Format(
        name="openrlhf",
        trainer="OpenRLHF",
        write=layouts.answers,
        read=readback.answers,
        used=("margin",),
        unfit={"no_prompt": unfit.no_prompt},
        load=commands.OPENRLHF,
        note="The reward model reads the margin by its option `--model.margin_loss_enable`, DPO does not.",
    ),
    Format(
        name="open-instruct",
        trainer="open-instruct",
        write=layouts.whole_dialogues,
        read=readback.whole_dialogues,
        unfit={"no_prompt": unfit.no_prompt},
        load=commands.OPEN_INSTRUCT,
        note="`1.0` is the whole file; `1` would be one row.",
    ),
    Format(
        name="nemo-rl",
        trainer="NeMo RL",
        file="jsonl",
        write=layouts.rank_answers,
        read=readback.read_ranked,
        carries=(),
        unfit={"no_prompt": unfit.no_prompt},
        load=commands.NEMO_RL,
    ),
    Format(
        name="llama-factory",
        trainer="LLaMA-Factory",
        write=layouts.single_messages("conversations"),
        read=readback.single_messages("conversations"),
        unfit={
            "not_alternating": unfit.not_alternating,
            "media_mark": unfit.media_marks,
            "turn_number": unfit.turn_number,
        },
        load=commands.LLAMA_FACTORY,
        note="LLaMA-Factory skips dialogues in which user and assistant do not alternate, from a user's turn to a "
        "user's turn. It takes `<image>`, `<video>` and `<audio>` in a text for the place of a file, and `{{idx}}` in "
        "a user's message for the number of the turn: comparisons with these are left out.",
    ),
    Format(
        name="axolotl",
        trainer="axolotl",
        write=layouts.single_messages("messages"),
        read=readback.single_messages("messages"),
        unfit={"no_prompt": unfit.no_prompt, "edge_space": texts.edge_space, "in_template": unfit.in_template},
        load=commands.AXOLOTL,
        note="axolotl looks for an answer's text in what the chat template renders. A template that trims messages "
        "cuts an answer that begins or ends with white space to one character (`edge_space`); an answer such as `g`, "
        f"which also stands in axolotl's own message `{unfit.DUMMY}` or in the template, is found there "
        "(`in_template`). Both kinds are left out. A template that renders more before an answer than those of ChatML, "
        "Qwen, Llama, Gemma, Mistral and Phi, such as today's date, may hide others.",
    ),
    Format(
        name="hf",
        trainer="datasets",
        file="disk",
        write=layouts.everything,
        read=readback.everything,
        used=BESIDE,
        loader="datasets",
        load=commands.DISK,
        templates=False,
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
        load=commands.HH,
        templates=False,
    ),
)

FORMATS: Mapping[str, Format] = {each.name: each for each in _ALL}
