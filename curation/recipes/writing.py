"""Writes a recipe as the text of a TOML file, with the settings that are not the default."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

from curation.dedup.settings import Dedup
from curation.recipe import Recipe
from curation.recipes.languages import languages_table
from curation.rewrites.normalise import Normalise


def recipe_text(recipe: Recipe) -> str:
    """The TOML text from which `make_recipe` makes an equal recipe."""
    lines = list[str]()
    if recipe.signals is not True:
        lines.append(f"signals = {_value(recipe.signals)}")
    normalise = False if recipe.normalise is None else _changed(recipe.normalise, Normalise())
    if normalise != {}:
        lines.append(f"normalise = {_value(normalise)}")
    for step in recipe.steps:
        lines += ["", "[[steps]]", f'use = "{step.use}"']
        lines += [f"{name} = {_value(value)}" for name, value in _settings_of(step).items() if name != "use"]
    if recipe.sites is not None:
        lines += _table("sites", _settings_of(recipe.sites))
    dedup = _changed(recipe.dedup, Dedup())
    for name in ("near", "pieces"):
        if name in dedup and dedup[name] is None:
            dedup[name] = False
    lines += _table("dedup", dedup)
    if recipe.languages:
        languages = languages_table(recipe.steps, recipe.languages, recipe.language_file)
        lines += _table("languages", languages)
    return "\n".join(lines).strip() + "\n"


def _table(name: str, table: Mapping[str, Any]) -> Iterator[str]:
    if table:
        yield from ("", f"[{name}]")
        yield from (f"{_key(key)} = {_value(value)}" for key, value in table.items())


def _settings_of(step: Any) -> dict[str, Any]:
    """The settings of a step, or of sites, that have no default, or not the default."""
    found = {}
    for field in dataclasses.fields(step):
        value = getattr(step, field.name)
        if not field.init:
            continue
        factory = field.default_factory
        usual = field.default if factory is dataclasses.MISSING else factory()
        if value != usual:
            found[field.name] = _changed(value, usual) if dataclasses.is_dataclass(usual) else value
    return found


def _changed(value: Any, usual: Any) -> dict[str, Any]:
    """The fields of a dataclass that differ from those of ``usual``; fields that are dataclasses have all theirs."""
    return {
        field.name: getattr(value, field.name)
        for field in dataclasses.fields(value)
        if field.init and getattr(value, field.name) != getattr(usual, field.name)
    }


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else _value(name)


def _value(value: Any) -> str:
    """A value as TOML; None is written as the text "none", which recipes read as None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
    if value is None:
        return '"none"'
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{_key(name)} = {_value(each)}" for name, each in value.items()) + " }" if value else "{}"
        )
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return repr(value)
