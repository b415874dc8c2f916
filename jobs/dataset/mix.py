"""The command ``gristmill dataset mix``."""

from pathlib import Path

import click

from annotation.mixing import mix
from annotation.mixing.card import HEAD, list_short, row
from curation.dedup.near import alike_to_any, families
from jobs.dataset.mix_file import datasets, example, read_recipe
from jobs.tables import Row, print_table
from jobs.terminal import say
from schemas.errors import UserError


def run(path: Path | None, output: Path | None, name: str | None) -> None:
    if name is not None:
        click.echo(example(name), nl=False)
        return
    if path is None or output is None:
        raise UserError("a mixture needs a recipe and --output DIR; --example helpfulness prints a recipe")
    recipe = read_recipe(path)
    mixed = mix(recipe, datasets(recipe, path.parent), output, families, alike_to_any)
    say(f"{output}: {mixed.rows['train']:,} comparisons to train on, {mixed.rows['held_out']:,} held out")
    print_table(HEAD, [Row(row(each, mixed.yields)) for each in mixed.yields])
    for sentence in list_short(recipe, mixed.yields):
        say(sentence)
    proof = mixed.manifest.split
    say(f"{proof.pairs_compared:,} pairs of prompts compared, {proof.matches_found:,} of them alike")
