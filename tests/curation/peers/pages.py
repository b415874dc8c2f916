"""How our steps express what the peers' steps over whole pages do."""

from collections.abc import Mapping
from typing import Any

from curation.rewrites.normalise import Normalise
from tests.curation.peers.vectors import Table, Vector, rewritten


def _repaired(vector: Vector) -> Mapping[str, Any] | str:
    if vector.params["expect"] == "fail":
        return "ftfy's own test says that ftfy cannot repair this text"
    return {"text": rewritten(Normalise(nfc=False, control_characters=False), vector.text)}


def _cleaned(vector: Vector) -> Mapping[str, Any]:
    return {"text": rewritten(Normalise(), vector.text)}


PAGES: Table = {
    ("ftfy", "fix_encoding"): _repaired,
    ("datatrove", "FTFYFormatter"): _cleaned,
    ("data-juicer", "FixUnicodeMapper"): _cleaned,
    ("data-juicer", "RemoveSpecificCharsMapper"): "deletes single symbols from within lines, which no corpus asks for",
}
