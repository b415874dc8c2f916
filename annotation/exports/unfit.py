"""Tests for comparisons that a trainer would skip, fail at or change. Exports leave them out and list their ids."""

from collections.abc import Callable, Mapping
from functools import cache, partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.exports.dialogues import alternates, roles
from annotation.exports.layouts import Comparisons
from annotation.exports.texts import Flags, any_text

Unfit = Mapping[str, Callable[[Comparisons], Flags]]
"""For each reason, a function that says which comparisons to leave out."""


def no_prompt(rows: Comparisons) -> Flags:
    """A comparison without a message before the answers."""
    return pc.equal(pc.list_value_length(rows["prompt"]), 0).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def not_alternating(rows: Comparisons) -> Flags:
    """Turns other than user, assistant, ..., user, after an optional system message."""
    return ~alternates(rows["prompt"])


def media_marks(rows: Comparisons) -> Flags:
    """A text with a mark that LLaMA-Factory replaces by media. An image model fails at the mark, because the row has no
    media."""
    return any_text(rows, partial(pc.match_substring_regex, pattern="<image>|<video>|<audio>"))


def turn_number(rows: Comparisons) -> Flags:
    """A user message with the mark that LLaMA-Factory replaces by the number of the turn."""
    return any_text(rows, partial(pc.match_substring, pattern="{{idx}}"), role="user")


DUMMY = "[[dummy_message]]"
"""The user message after which axolotl renders an answer, to find the answer in the rendered text."""

_CHATML = f"<|im_start|>user\n{DUMMY}<|im_end|>\n<|im_start|>assistant\n"
_RENDERED = (
    _CHATML,
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n",
    "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n",
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
    f"Today Date: 26 Jul 2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n{DUMMY}<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    f"<bos><start_of_turn>user\n{DUMMY}<end_of_turn>\n<start_of_turn>model\n",
    f"<s>[INST] {DUMMY} [/INST]",
    f"<|system|>\n<|end|>\n<|user|>\n{DUMMY}<|end|>\n<|assistant|>\n",
)
"""The text that the templates of ChatML, Qwen, Llama 3, Gemma, Mistral and Phi render before the answer to DUMMY."""


@cache
def _find_hidden() -> pa.Array:
    """Every substring of a text that a template renders before an answer."""
    parts = {text[k:end] for text in _RENDERED for k in range(len(text)) for end in range(k, len(text) + 1)}
    return pa.array(sorted(parts), pa.large_string())


def in_template(rows: Comparisons) -> Flags:
    """An answer that also stands in what common chat templates render before it: axolotl takes the first place."""
    parts = [pc.is_in(rows[which], value_set=_find_hidden()) for which in ("chosen", "rejected")]
    return pc.or_(*parts).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def not_in_hh(rows: Comparisons) -> Flags:
    """A dialogue that HH's text cannot hold: roles other than user and assistant, or its marks in a message."""
    bounds, named = roles(rows["prompt"])
    known = pc.is_in(named, value_set=pa.array(["user", "assistant"])).to_numpy(zero_copy_only=False)
    out = any_text(rows, _has_marks)
    out[np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))[~known]] = True
    return out


def _has_marks(texts: pa.Array) -> pa.Array:
    return pc.or_(pc.match_substring(texts, "\n\nHuman: "), pc.match_substring(texts, "\n\nAssistant: "))
