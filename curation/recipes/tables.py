"""Makes recipes of tables: of the built-in recipes, of TOML files, and of manifests."""

import copy
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from curation.dedup.settings import Dedup
from curation.recipe import OWN_STEPS, STEPS, LanguageSettings, Recipe, Step
from curation.recipes import RECIPE_NAMES
from curation.recipes.dialect import more_fields, with_definition
from curation.recipes.languages import merge_languages
from curation.rewrites.normalise import Normalise
from curation.sites.settings import Sites
from schemas.errors import UserError
from schemas.settings import build, convert, shown, unknown
from schemas.toml_file import parse_toml, read_toml

RECIPE_FIELDS = ("signals", "normalise", "steps", "sites", "dedup", "languages")
USES: dict[str, type[Step]] = {step.use: step for step in (*STEPS, *OWN_STEPS)}
"""The steps by name, as in ``use``."""


def recipe_table(name: str) -> dict[str, Any]:
    """The table of a recipe, by its name or by the path of a TOML file."""
    if name in RECIPE_NAMES:
        return parse_toml(files("curation.recipes").joinpath(f"{name}.toml").read_text(encoding="utf-8"), name)
    path = Path(name)
    if path.suffix == ".toml" or path.exists():
        return read_toml(path)
    raise UserError(unknown("there is no recipe", name, [*RECIPE_NAMES, "the path of a TOML file"]))


def make_recipe(name: str, table: Mapping[str, Any]) -> Recipe:
    """The recipe of a table. Raises UserError for an invalid table."""
    for field in table:
        if field not in RECIPE_FIELDS:
            if field in Dedup.__dataclass_fields__:
                raise UserError(f"recipe {name} has {field} outside of the table dedup: write it as dedup.{field}")
            raise UserError(unknown(f"recipe {name} has no field", field, RECIPE_FIELDS))
    normalise, steps = table.get("normalise", {}), table.get("steps", [])
    if not isinstance(steps, list):
        raise UserError(f"steps of recipe {name} is {shown(steps)}: give a [[steps]] table for each step")
    made = tuple(_step(entry, number) for number, entry in enumerate(steps, 1))
    languages, file = tuple[LanguageSettings, ...](), None
    if table.get("languages"):
        made, languages, file = merge_languages(table["languages"], made, steps)
    return Recipe(
        name=name,
        normalise=None if normalise is False else build(Normalise, {} if normalise is True else normalise, "normalise"),
        signals=_signals(table.get("signals", True)),
        steps=made,
        dedup=build(Dedup, _dedup(table.get("dedup", {})), "dedup"),
        sites=build(Sites, table["sites"], "sites") if table.get("sites") not in (None, False) else None,
        languages=languages,
        language_file=file,
    )


def recipe_of(table: Mapping[str, Any], place: str = "the manifest") -> Recipe:
    """The recipe in the manifest at ``place``. Raises UserError for a recipe that cannot be used."""
    try:
        return make_recipe(table["name"], table_of_manifest(table))
    except UserError as error:
        raise UserError(f"{place} holds a recipe that cannot be used: {error}") from error


def table_of_manifest(table: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe in a manifest as the table of a recipe file, with all settings."""
    fields = copy.deepcopy({name: value for name, value in table.items() if name != "name"})
    if "dedup" in fields:
        fields["dedup"] = with_earlier_settings(fields["dedup"])
    if fields["normalise"] is None:
        fields["normalise"] = False
    return fields


def with_earlier_settings(dedup: Mapping[str, Any]) -> Mapping[str, Any]:
    """The table ``dedup`` of a manifest, with the settings that versions had before they were settings: near-duplicates
    were verified by their signatures, and no similarity to a survivor was asked for."""
    near = dedup.get("near")
    if not isinstance(near, Mapping) or "verify" in near:
        return dedup
    return {**dedup, "near": {**near, "verify": "signature", "survivor": 0.0}}


def _dedup(table: Any) -> Any:
    """Replaces ``near = false`` (no removal of near-duplicates) and ``pieces = false`` by None, and ``near = true`` by
    the defaults."""
    if not isinstance(table, Mapping):
        return table
    result = dict(table)
    if isinstance(result.get("near"), bool):
        result["near"] = {} if result["near"] else None
    if result.get("pieces") is False:
        result["pieces"] = None
    return result


def _signals(given: Any) -> bool | tuple[str, ...]:
    if isinstance(given, bool):
        return given
    if not isinstance(given, str | list | tuple):
        raise UserError(f"signals is {shown(given)}: give true, false or a list of names")
    names: tuple[str, ...] = convert(given, tuple[str, ...], "signals")
    return names


def _step(entry: Mapping[str, Any], number: int) -> Step:
    if not isinstance(entry, Mapping) or "use" not in entry:
        raise UserError(f"step {number} of the recipe does not say what to use: choose from {', '.join(USES)}")
    if not isinstance(entry["use"], str) or entry["use"] not in USES:
        raise UserError(unknown(f"step {number} of the recipe uses", str(entry["use"]), list(USES)))
    use = entry["use"]
    return build(USES[use], with_definition(use, entry, use), use, more_fields(use))
