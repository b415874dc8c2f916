"""Reads the recipe file (TOML) of ``gristmill dataset mix``, and opens its datasets."""

from importlib.resources import files
from pathlib import Path

from annotation.dataset.master import Master, load
from annotation.mixing import MixRecipe
from schemas.errors import UserError
from schemas.settings import build
from schemas.toml_file import read_toml

EXAMPLES = ("helpfulness", "safety")


def read_recipe(path: Path) -> MixRecipe:
    """The recipe in a file. Raises UserError if the file cannot be read, is not TOML, or has an invalid setting."""
    table = read_toml(path)
    try:
        return build(MixRecipe, table, "mixture")
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def datasets(recipe: MixRecipe, folder: Path) -> dict[str, Master]:
    """The datasets of all sources, by their name in the recipe: a path relative to ``folder``, that of the recipe."""
    names = dict.fromkeys(name for source in recipe.source for name in source.datasets)
    return {name: load(folder / name) for name in names}


def example(name: str) -> str:
    """The text of a recipe to fill in: one of the two mixes of Llama 2 (3.2.2). Raises UserError for another name."""
    if name not in EXAMPLES:
        raise UserError(f"there is no example {name}: choose {' or '.join(EXAMPLES)}")
    return files("jobs.example").joinpath(f"mix_{name}.toml").read_text(encoding="utf-8")
