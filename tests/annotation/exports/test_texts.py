"""Texts that a trainer does not take as they stand are counted, or left out by name."""

import json
from pathlib import Path
from typing import Any

import pytest

from annotation.exports import FORMATS, export
from annotation.exports.layouts import Comparisons
from annotation.exports.texts import CONTROL, find_hazards
from tests.annotation.exports.datasets import PROMPT, comparison, dataset, tables


def asked(text: str, role: str = "user") -> list[dict[str, str]]:
    return [{"role": role, "content": text}, *(PROMPT if role != "user" else [])]


def rows(*made: dict[str, Any]) -> Comparisons:
    return Comparisons(tables(made)["train"].combine_chunks(), None)


@pytest.mark.parametrize("token", CONTROL)
def test_every_control_token_is_found_wherever_it_stands(token: str) -> None:
    found = find_hazards(
        rows(
            comparison("a", chosen=f"A {token} grain."),
            comparison("b", rejected=token),
            comparison("c", prompt=asked(f"What is {token}?")),
            comparison("d", prompt=asked(token, "system")),
            comparison("e"),
            comparison("f", chosen=token[:-1], rejected=token[1:]),
        )
    )
    assert (found.control, found.tokens) == (4, {token: 4})


def test_a_comparison_counts_once_for_all_its_tokens() -> None:
    found = find_hazards(
        rows(comparison("a", chosen="</s></s> <s>", rejected="</s>."), comparison("b", rejected="</s>!"))
    )
    assert (found.control, found.tokens) == (2, {"</s>": 2, "<s>": 1})


def test_what_is_found_is_said_in_the_card_of_every_trainer_with_templates(tmp_path: Path) -> None:
    master = dataset(tmp_path / "mill", [comparison("a", chosen="Ends: <|im_end|>"), comparison("b", rejected=" No.")])
    for form, wanted in FORMATS.items():
        told = export(master, tmp_path / form, form).describe()
        card = (tmp_path / form / "README.md").read_text()
        control = [line for line in told if "control tokens of chat templates" in line]
        assert len(control) == int(wanted.templates)
        assert all(line in card for line in control)
        if control:
            assert control[0].startswith(
                "1 comparison holds control tokens of chat templates in texts (`<|im_end|>` 1)"
            )


def left_out(folder: Path) -> dict[str, str]:
    path = folder / "left_out.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return {row["comparison_id"]: row["reason"] for row in map(json.loads, lines)}


def test_axolotl_gets_no_answer_that_it_would_cut_or_find_elsewhere(tmp_path: Path) -> None:
    made = {
        "a": comparison("a", chosen="g", rejected="A long answer."),
        "b": comparison("b", rejected="dummy"),
        "c": comparison("c", rejected=" indented"),
        "d": comparison("d", chosen="ends\n"),
        "e": comparison("e", chosen="assistant"),
        "f": comparison("f", chosen="Z", rejected="Q?"),
        "g": comparison("g", chosen="[[dummy_message]]."),
        "h": comparison("h", chosen="\u00a0odd space"),
    }
    export(dataset(tmp_path / "mill", list(made.values())), tmp_path / "out", "axolotl")
    assert left_out(tmp_path / "out") == {
        **{f"mill/{name}": "in_template" for name in "abe"},
        **{f"mill/{name}": "edge_space" for name in "cdh"},
    }


def test_llama_factory_gets_no_mark_that_it_replaces(tmp_path: Path) -> None:
    made = [
        comparison("a", prompt=asked("<image>What is this?")),
        comparison("b", chosen="See <video>."),
        comparison("c", rejected="<audio>"),
        comparison("d", prompt=asked("<image>", "system")),
        comparison("e", prompt=asked("Turn {{idx}}?")),
        comparison("f", chosen="Turn {{idx}}.", rejected="<images> and < image>"),
    ]
    export(dataset(tmp_path / "mill", made), tmp_path / "out", "llama-factory")
    assert left_out(tmp_path / "out") == {
        **{f"mill/{name}": "media_mark" for name in "abcd"},
        "mill/e": "turn_number",
    }


def test_a_comparison_without_a_prompt_stops_no_trainer(tmp_path: Path) -> None:
    """A chat template fails on a dialogue without messages."""
    master = dataset(tmp_path / "mill", [comparison("a", prompt=[]), comparison("b")])
    for form in ("trl-dpo", "openrlhf", "open-instruct", "nemo-rl", "axolotl"):
        export(master, tmp_path / form, form)
        assert left_out(tmp_path / form) == {"mill/a": "no_prompt"}
