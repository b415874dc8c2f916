"""Finds rules that can never fire: valid settings that are probably mistakes."""

from collections.abc import Iterator

from curation.recipe import Filter, Recipe


def dead_rules(recipe: Recipe) -> Iterator[str]:
    """A sentence for each rule of the recipe that can never fire, and for each step without a rule."""
    ranges = {column.name: (column.metadata or {}).get(b"range") for column in recipe.signals_schema()}
    for step in recipe.steps:
        if not isinstance(step, Filter):
            continue
        if not step.rules():
            yield f"the step {step.use} has no rule left and removes nothing"
        for rule in step.rules():
            known = ranges.get(rule.signal)
            if known is None:
                continue
            low, high = (float(bound) if bound else None for bound in known.decode().split(".."))
            if rule.at_least is not None and low is not None and rule.at_least <= low:
                yield f"{step.use}: {rule.reason} can never fire, since {rule.signal} is never under {rule.at_least:g}"
            if rule.at_most is not None and high is not None and rule.at_most >= high:
                yield f"{step.use}: {rule.reason} can never fire, since {rule.signal} is never over {rule.at_most:g}"
