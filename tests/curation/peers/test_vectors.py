"""Our steps, with a peer's settings, say of the inputs of that peer's own tests what the peer says."""

from pathlib import Path

import pytest

from tests.curation.peers.gopher import GOPHER
from tests.curation.peers.line_steps import C4, LINES
from tests.curation.peers.page_steps import CHARACTERS, CODE, LANGUAGE, LENGTH, LISTS, NORMALISE, URL
from tests.curation.peers.vectors import Table, compare, read_vectors

TABLES: dict[str, Table] = {
    "c4": C4,
    "code": CODE,
    "language": LANGUAGE,
    "length": LENGTH,
    "lines": LINES,
    "lists": LISTS,
    "normalise": NORMALISE,
    "quality": {**CHARACTERS, **GOPHER},
    "repetition": GOPHER,
    "url": URL,
}
CHANGED_LATER = "the recorded text is that of a later call on the same page, which it changed; the test asserts ours"
DIFFERENCES = {
    "v0693": CHANGED_LATER,
    "v0701": CHANGED_LATER,
    "v0702": CHANGED_LATER,
    "v0795": CHANGED_LATER,
    "v0801": CHANGED_LATER,
    "v0863": "no 2-gram occurs twice, and NeMo Curator takes any of them, by the order of a set; ours takes the first",
}
"""Vectors that differ, with the reason."""


@pytest.mark.parametrize("family", TABLES)
def test_a_peers_own_tests_pass_in_its_dialect(family: str, shared: Path) -> None:
    table = TABLES[family]
    vectors = [each for each in read_vectors(shared, [family]) if (each.peer, each.function) in table]
    found = compare(vectors, table)
    print(f"{family}: {found.summary()}")
    unexplained = {id: told for id, told in found.differ.items() if id not in DIFFERENCES}
    assert not unexplained, "\n".join(f"{id}: {told}" for id, told in unexplained.items())
