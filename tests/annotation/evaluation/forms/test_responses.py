"""Responses in the forms of other tools are read as if they had Gristmill's own form."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from annotation.evaluation.outputs import Outputs, read_outputs
from schemas.errors import UserError
from tests.annotation.campaigns import write_rows


def files(path: Path, **contents: list[Any]) -> list[Path]:
    """Files of JSON lines, whose names have __ for / ."""
    made = []
    for name, rows in contents.items():
        place = path / (name.replace("__", "/") + ".jsonl")
        place.parent.mkdir(parents=True, exist_ok=True)
        write_rows(place, rows)
        made.append(place)
    return made


def texts(outputs: Outputs) -> dict[str, dict[str, str]]:
    """The responses of each model by the text of the prompt."""
    return {
        model: {outputs.questions[key].messages[-1][1]: text for key, text in held.items()}
        for model, held in outputs.models.items()
    }


def test_outputs_of_alpaca_eval(tmp_path: Path) -> None:
    rows = [
        {"instruction": f"Question {n}?", "output": f"{name} {n}", "generator": name, "dataset": "koala"}
        for name in ("rye-7b", "oats-7b")
        for n in range(2)
    ]
    (tmp_path / "model_outputs.json").write_text(json.dumps(rows))
    found = read_outputs([tmp_path / "model_outputs.json"])
    assert texts(found) == {name: {f"Question {n}?": f"{name} {n}" for n in range(2)} for name in ("oats-7b", "rye-7b")}
    assert {question.category for question in found.questions.values()} == {"koala"}
    assert found.unanswered == []


def answer(uid: str, model: str, content: Any, *before: Mapping[str, str]) -> dict[str, Any]:
    user = {"role": "user", "content": f"Question {uid}?"}
    turns = [*before, user, {"role": "assistant", "content": content}]
    return {"uid": uid, "ans_id": "x", "model": model, "messages": turns, "tstamp": 1.0, "metadata": {}}


def test_questions_and_answers_of_arena_hard(tmp_path: Path) -> None:
    system = {"role": "system", "content": "You are a helpful assistant."}
    made = files(
        tmp_path,
        question=[{"uid": f"q{n}", "category": "hard_prompt", "prompt": f"Question q{n}?"} for n in range(3)],
        model_answer__rye=[answer(f"q{n}", "rye", {"answer": f"rye {n}"}, system) for n in range(3)],
        model_answer__oats=[answer(f"q{n}", "oats", f"oats {n}") for n in range(2)],
    )
    found = read_outputs(made)
    assert found.models == {"oats": {"q0": "oats 0", "q1": "oats 1"}, "rye": {f"q{n}": f"rye {n}" for n in range(3)}}
    assert found.unanswered == [("oats", "q2")]
    assert found.questions["q0"].category == "hard_prompt"
    assert read_outputs(made[::-1]) == found
    assert texts(read_outputs(made[1:])) == texts(found)


def sample(doc: int, text: Any, arguments: Any, **more: Any) -> dict[str, Any]:
    return {"doc_id": doc, "doc": {}, "target": "4", "arguments": arguments, "resps": [[text]], **more}


def test_samples_of_lm_eval(tmp_path: Path) -> None:
    """The folder names the model; arguments are a list, or a table of one; a chat is JSON in a text."""
    chat = json.dumps([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2 + 2?"}])
    rows = [
        sample(0, "It is 4.", [["2 + 2?", {"until": ["\n"]}]], filtered_resps=["4"], filter="strict"),
        sample(0, "It is 4.", [["2 + 2?", {"until": ["\n"]}]], filtered_resps=["4"], filter="flexible"),
        sample(1, "5", {"gen_args_0": {"arg_0": "2 + 3?", "arg_1": {}}}),
        sample(2, "4", {"gen_args_0": {"arg_0": [chat]}}),
    ]
    made = files(tmp_path, **{"rye-7b__samples_gsm8k_cot_2026-01-01T00-00-00.123": rows})
    found = read_outputs(made)
    assert found.models == {"rye-7b": {"gsm8k_cot/0": "It is 4.", "gsm8k_cot/1": "5", "gsm8k_cot/2": "4"}}
    assert found.questions["gsm8k_cot/1"].messages == (("user", "2 + 3?"),)
    assert found.questions["gsm8k_cot/2"].messages == (("system", "Be brief."), ("user", "2 + 2?"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (sample(0, [-1.5, False], [["2 + 2?", " 4"]]), "no text of a model"),
        (sample(0, "4", []), "no arguments"),
        ({**sample(0, "4", [["2 + 2?", {}]]), "resps": [], "filtered_resps": []}, "no text of a model"),
        ({"uid": "q", "model": "rye", "messages": [{"role": "assistant", "content": "x"}]}, "no prompt before"),
        ({"instruction": "?", "output": "x", "generator": None}, "neither a prompt nor a model|model is missing|holds"),
        ({"doc_id": 0}, "prompt_id is missing"),
    ],
)
def test_a_row_that_holds_no_response_is_named(row: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        read_outputs(files(tmp_path, samples_x=[row]))


def test_another_text_for_the_same_sample_is_an_error(tmp_path: Path) -> None:
    rows = [sample(0, "4", [["2 + 2?", {}]]), sample(0, "5", [["2 + 2?", {}]])]
    with pytest.raises(UserError, match="answers the prompt 'x/0' again"):
        read_outputs(files(tmp_path, samples_x=rows))
