"""Our steps, with a peer's settings, say of the inputs of that peer's own tests what the peer says."""

from pathlib import Path

import pytest

from tests.curation.peers.gopher import GOPHER
from tests.curation.peers.line_steps import C4, LINES
from tests.curation.peers.page_steps import CHARACTERS, CODE, LANGUAGE, LENGTH, LISTS, NORMALISE, URL
from tests.curation.peers.vectors import Comparison, Table, compare, read_vectors

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
AGREE, OUT_OF_SCOPE = 476, 99
"""Numbers of vectors of the families in the tables."""
OTHER_FAMILIES = {
    "decontamination": "compares documents with benchmarks",
    "exact": "removes duplicates; tests/curation/dedup",
    "html": "extracts the text of HTML",
    "minhash": "removes duplicates; tests/curation/dedup",
    "model": "scores documents by a model that is not there",
    "other": "reads a number that a step before wrote into the page",
    "pii": "replaces personal information; tests/curation/rewrites/test_redact.py",
    "reading": "reads a file; tests/curation/sources",
    "sentence_line_dedup": "removes duplicates within documents, which no recipe does",
    "simhash": "removes duplicates by another signature",
    "substring": "removes duplicates within documents, which no recipe does",
}
"""Families that are about something else than judging or rewriting a document by itself."""


@pytest.fixture(scope="module")
def compared(shared: Path) -> dict[str, Comparison]:
    """What came of the vectors of each family that are in a table."""
    return {
        family: compare((each for each in read_vectors(shared, [family]) if (each.peer, each.function) in table), table)
        for family, table in TABLES.items()
    }


@pytest.mark.parametrize("family", TABLES)
def test_a_peers_own_tests_pass_in_its_dialect(family: str, compared: dict[str, Comparison]) -> None:
    found = compared[family]
    unexplained = {id: told for id, told in found.differ.items() if id not in DIFFERENCES}
    assert not unexplained, "\n".join(f"{id}: {told}" for id, told in unexplained.items())
    assert found.agree


def test_each_difference_is_still_one(compared: dict[str, Comparison]) -> None:
    assert sorted(id for found in compared.values() for id in found.differ) == sorted(DIFFERENCES)


def test_what_is_out_of_scope_is_so_by_name(shared: Path, compared: dict[str, Comparison]) -> None:
    """Every vector has a place: it agrees, it differs for a reason, or it is out of scope for a reason."""
    for vector in read_vectors(shared):
        assert vector.family in OTHER_FAMILIES or (vector.peer, vector.function) in TABLES[vector.family], vector
    agree, out = (sum(len(getattr(found, name)) for found in compared.values()) for name in ("agree", "out_of_scope"))
    assert (agree, out) == (AGREE, OUT_OF_SCOPE)
