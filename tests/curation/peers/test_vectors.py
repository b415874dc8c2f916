"""Our steps, with a peer's settings, say of the inputs of that peer's own tests what the peer says."""

from pathlib import Path

import pytest

from tests.curation.peers.pages import PAGES
from tests.curation.peers.vectors import Table, compare, read_vectors

TABLES: dict[str, Table] = {"normalise": PAGES}
EXACT = ("dolma", "dclm", "datatrove", "c4 (TFDS)", "ftfy", "data-juicer")
"""Peers whose every vector in scope agrees."""
DIFFERENCES: dict[str, str] = {}
"""Vectors that differ, with the reason."""


@pytest.mark.parametrize("family", TABLES)
def test_a_peers_own_tests_pass_in_its_dialect(family: str, shared: Path) -> None:
    found = compare(read_vectors(shared, [family]), TABLES[family])
    print(f"{family}: {found.summary()}")
    unexplained = {id: told for id, told in found.differ.items() if id not in DIFFERENCES}
    assert not unexplained, "\n".join(f"{id}: {told}" for id, told in unexplained.items())
