"""The known open sets of sets.toml: their origins, the layouts of their rows, and the rules for chosen answers."""

from dataclasses import dataclass
from importlib.resources import files

from annotation.imports.layout import Layout
from schemas.settings import build
from schemas.toml_file import parse_toml


@dataclass(frozen=True, kw_only=True)
class OpenSet:
    """A set, or a form that many sets share. ``layouts``: the first layout whose fields a row has reads the row.

    ``mapped``: the layout is the user's own mapping, so that likely mistakes in it are errors. ``version`` grows
    whenever the same file would give other comparisons. ``rule``: which answer is chosen, and according to whom.
    ``source``: the default name of the comparisons' source.
    """

    name: str
    source: str
    origin: str
    rule: str
    layouts: tuple[Layout, ...]
    version: int = 1
    mapped: bool = False

    @property
    def protocol_version(self) -> str:
        return f"{self.name}-{self.version}"


def _read_sets() -> dict[str, OpenSet]:
    text = files("annotation.imports").joinpath("sets.toml").read_text(encoding="utf-8")
    tables = parse_toml(text, "sets.toml")["set"]
    return {table["name"]: build(OpenSet, table, f"sets.toml: {table['name']}") for table in tables}


SETS = _read_sets()
"""The sets of sets.toml, by name."""
