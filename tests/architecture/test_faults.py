"""What hides a fault, or ties the project to one machine."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, files, modules, parsed

LEAK = re.compile(
    r"(?<![A-Za-z0-9.])/(?:work|farm|root)/"  # folders of the machine that this was written on
    r"|--(?:extra-)?index-url|https?://[^\s\"]*/simple\b|https?://(?:pypi|files\.pythonhosted)\.",
)


def _broad(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(one, ast.Name) and one.id in ("Exception", "BaseException") for one in caught)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


@pytest.mark.parametrize("path", modules(), ids=str)
def test_no_error_is_caught_without_a_name(path: Path) -> None:
    handlers = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.ExceptHandler)]
    assert not [f"{path}:{one.lineno}" for one in handlers if _broad(one) and not _raises_again(one)]


def test_broad_handlers_are_seen() -> None:
    handlers = [node for node in ast.walk(ast.parse(_HANDLERS)) if isinstance(node, ast.ExceptHandler)]
    assert [_broad(one) and not _raises_again(one) for one in handlers] == [True, True, False, False]


# Code that the test below must find fault with; nobody runs it.
_HANDLERS = """
try: pass
except (OSError, Exception): pass
try: pass
except: pass
try: pass
except BaseException:
    raise
try: pass
except OSError: pass
"""
"""Two that hide an error and two that do not, which the test has to tell apart."""


def test_nothing_names_this_machine_or_a_registry() -> None:
    found = []
    for path in files():
        text = (ROOT / path).read_bytes().decode("utf-8", "replace")
        found += [f"{path}: {match.group()}" for match in LEAK.finditer(text)]
    assert not found


def test_leaks_are_seen() -> None:
    assert LEAK.search("open('/" + "work/main/x')")
    assert LEAK.search("pip install --" + "index-url x")
    assert not LEAK.search("a/framework/x, https://mill.example/work/")


def test_no_suppression_without_its_rule() -> None:
    # The pattern finds suppressions without a rule; here stands none.
    loose = re.compile(r"# type: ignore(?!\[)|# noqa(?!: [A-Z])")
    assert not [
        f"{path}:{number}"
        for path in modules()
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1)
        if loose.search(line) and "re.compile" not in line
    ]
