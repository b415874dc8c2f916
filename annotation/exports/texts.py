"""Counts texts of comparisons that tokenizers or chat templates change."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from annotation.dataset.columns import flags
from annotation.exports.dialogues import roles
from annotation.exports.layouts import Comparisons

CONTROL = (
    *("<|im_start|>", "<|im_end|>", "<|im_sep|>", "<|endoftext|>", "<|endofprompt|>"),
    *("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|eom_id|>"),
    *("<s>", "</s>", "<bos>", "<eos>", "<pad>", "<unk>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"),
    *("<start_of_turn>", "<end_of_turn>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>"),
    *("<|start|>", "<|channel|>", "<|message|>", "<|return|>", "<think>", "</think>"),
    *("<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>", "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>"),
    *("<\uff5cbegin\u2581of\u2581sentence\uff5c>", "<\uff5cend\u2581of\u2581sentence\uff5c>"),
    *("<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>"),
)
"""Control tokens of the chat templates of ChatML and Qwen, Llama 2 and 3, Mistral, Gemma, Phi, gpt-oss, Cohere and
DeepSeek, and of reasoning models."""

_ANY = "|".join(re.escape(token) for token in CONTROL)

Flags = npt.NDArray[np.bool_]
Holds = Callable[[pa.Array], pa.Array]
"""A function from texts to booleans: whether each text holds something."""


@dataclass
class Hazards:
    """Numbers of comparisons. ``control``: with any control token in a text; ``tokens``: by token; ``edges``: with an
    answer that begins or ends with white space."""

    control: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    edges: int = 0

    def add(self, other: "Hazards") -> None:
        self.control += other.control
        self.tokens += other.tokens
        self.edges += other.edges

    def describe(self) -> list[str]:
        """A sentence for each kind of hazard that was found."""
        out = []
        if self.control:
            each = ", ".join(f"`{token}` {count:,}" for token, count in self.tokens.most_common())
            out.append(
                f"{_comparisons(self.control, 'holds', 'hold')} control tokens of chat templates in texts ({each}): a "
                "tokenizer that has such a token reads the text as the token."
            )
        if self.edges:
            out.append(
                f"{_comparisons(self.edges, 'has', 'have')} an answer that begins or ends with white space: a chat "
                "template that trims messages, as those of Llama 3 and Gemma do, trains without it."
            )
        return out


def find_hazards(rows: Comparisons) -> Hazards:
    """The hazards in these comparisons."""
    control = any_text(rows, partial(pc.match_substring_regex, pattern=_ANY))
    tokens: Counter[str] = Counter()
    if control.any():
        found = Comparisons(rows.table.filter(pa.array(control)).combine_chunks(), None)
        for token in CONTROL:
            count = int(any_text(found, partial(pc.match_substring, pattern=token)).sum())
            if count:
                tokens[token] = count
    return Hazards(int(control.sum()), tokens, int(edge_space(rows).sum()))


def any_text(rows: Comparisons, holds: Holds, role: str | None = None) -> Flags:
    """Whether ``holds`` is true for a message before the answers, or for an answer, of each comparison.

    ``role``: look only at messages of this role, and at no answers.
    """
    bounds, named = roles(rows["prompt"])
    found = flags(holds(rows["prompt"].flatten().field("content")))
    if role is not None:
        found &= flags(pc.equal(named, role))
    out = np.zeros(len(bounds) - 1, bool)
    out[np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))[found]] = True
    if role is None:
        for which in ("chosen", "rejected"):
            out |= flags(holds(rows[which]))
    return out


def edge_space(rows: Comparisons) -> Flags:
    """The comparisons with an answer that begins or ends with white space."""
    parts = [flags(pc.not_equal(pc.utf8_trim_whitespace(rows[which]), rows[which])) for which in ("chosen", "rejected")]
    return np.logical_or(*parts)


def _comparisons(count: int, one: str, several: str) -> str:
    return f"1 comparison {one}" if count == 1 else f"{count:,} comparisons {several}"
