"""The command ``gristmill dataset mix``."""

from pathlib import Path

import click
from rich.table import Table

from annotation.mixing import mix
from annotation.mixing.card import HEAD, row, short
from curation.dedup.near import alike_to_any, families
from jobs.consoles import console
from jobs.dataset.mix_file import datasets, example, read_recipe
from jobs.terminal import say
from schemas.errors import UserError
from schemas.visible import visible


def run(path: Path | None, output: Path | None, name: str | None) -> None:
    if name is not None:
        click.echo(example(name), nl=False)
        return
    if path is None or output is None:
        raise UserError("a mixture needs a recipe and --output DIR; --example helpfulness prints a recipe")
    recipe = read_recipe(path)
    mixed = mix(recipe, datasets(recipe, path.parent), output, families, alike_to_any)
    say(f"{output}: {mixed.rows['train']:,} comparisons to train on, {mixed.rows['held_out']:,} held out")
    table = Table(box=None, pad_edge=False)
    for place, title in enumerate(HEAD):
        table.add_column(title, justify="right" if place else "left")
    for each in mixed.given:
        table.add_row(*map(visible, row(each, mixed.given)))
    console().print(table)
    for sentence in short(recipe, mixed.given):
        say(sentence)
    proof = mixed.manifest["split"]
    say(f"{proof['pairs_compared']:,} pairs of prompts compared, {proof['matches_found']:,} near a held-out one left")
