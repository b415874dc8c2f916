"""CONTRIBUTING.md names tests and files that are there."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, files, parsed

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TESTS = sorted(set(re.findall(r"`(tests/[^`]+\.py)::(\w+)`", PAGE)))
LAWS = re.findall(r"^(\d+)\. \*\*", PAGE, re.MULTILINE)
QUESTIONS = re.findall(r"^\| (Where [^|]+\?) \| ([^|]+) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("path", "name"), TESTS)
def test_a_law_is_held_by_a_test(path: str, name: str) -> None:
    module = parsed(Path(path))
    assert name in {node.name for node in module.body if isinstance(node, ast.FunctionDef)}


def test_every_law_names_a_test() -> None:
    _, _, laws = PAGE.partition("\n## Laws\n")
    parts = re.split(r"^\d+\. \*\*", laws.partition("\n## ")[0], flags=re.MULTILINE)[1:]
    assert [str(number) for number in range(1, len(parts) + 1)] == LAWS
    assert len(LAWS) >= 7
    assert not [part.partition(".")[0] for part in parts if "::test_" not in part]


@pytest.mark.parametrize(("question", "answer"), QUESTIONS)
def test_an_answer_is_a_file(question: str, answer: str) -> None:
    named = re.findall(r"`([^`]+)`", answer)
    assert named, question
    assert not [name for name in named if Path(name) not in files()]


def test_there_are_a_dozen_questions() -> None:
    assert len(QUESTIONS) >= 12
