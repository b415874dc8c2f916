"""Braces stand for what a shell makes of them."""

import shutil
import subprocess

import pytest

from curation.sources.braces import MOST_PATTERNS, expand_braces
from schemas.errors import InputError


@pytest.mark.parametrize(
    "pattern",
    [
        "a", "{a,b}.jsonl", "x{a,b}y{c,d}z", "{a,{b,c}d}e", "{}", "{a}", "{a", "a}", "{a,b", "{,x}", "{1..3}",
        "{08..11}", "{3..1}", "{-1..1}", "{a..3}", "{{a,b}", "p{001..003}.{gz,zst}",
    ],
)  # fmt: skip
def test_braces_expand_as_in_bash(pattern: str) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    told = subprocess.run([bash, "-c", f"printf '%s\\n' {pattern}"], capture_output=True, text=True, check=True)
    assert [each for each in expand_braces(pattern) if each] == [each for each in told.stdout.splitlines() if each]


@pytest.mark.parametrize("pattern", ["{1..999999999}", "{1..1000}{1..1000}", "{0..9}" * 40])
def test_too_many_are_refused_at_once(pattern: str) -> None:
    with pytest.raises(InputError, match=f"more than {MOST_PATTERNS:,} patterns"):
        expand_braces(pattern)
