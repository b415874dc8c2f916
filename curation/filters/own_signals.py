"""The signals of a user's own steps: their names, thresholds and rules."""

import re
from collections.abc import Iterable, Mapping

from curation.filters.rules import Rule
from schemas.errors import UserError
from schemas.settings import shown

Thresholds = Mapping[str, float]
_NAME = re.compile("[a-z][a-z0-9_]{0,62}")


def check_names(stage: str, names: Iterable[str]) -> None:
    """Raises UserError for a name that cannot be the name of a step or a signal, or that is given twice."""
    seen = set[str]()
    for name in (stage, *names):
        if not _NAME.fullmatch(name):
            raise UserError(
                f"step {shown(stage)}: {shown(name)} cannot be a name: begin with a small letter (a-z), and use small "
                "letters, digits and _ only"
            )
    for name in names:
        if name in seen:
            raise UserError(f"step {stage}: the signal {name} is named twice: name it once")
        seen.add(name)


def threshold_rules(least: Thresholds, most: Thresholds) -> tuple[Rule, ...]:
    """The rules ``low_NAME`` and ``high_NAME`` of each signal with a threshold, sorted by signal."""
    rules = []
    for name in sorted({*least, *most}):
        if name in least:
            rules.append(Rule(f"low_{name}", name, at_least=least[name]))
        if name in most:
            rules.append(Rule(f"high_{name}", name, at_most=most[name]))
    return tuple(rules)


def check_thresholds(stage: str, least: Thresholds, most: Thresholds) -> None:
    """Raises UserError for a signal whose minimum is above its maximum."""
    for name in sorted(set(least) & set(most)):
        if least[name] > most[name]:
            raise UserError(
                f"{stage}.min.{name} is {least[name]:g}, above {stage}.max.{name}, which is {most[name]:g}: no "
                "document can meet both, so change one of them"
            )


def check_digest(file: str, found: str, asked: str | None) -> None:
    """Raises UserError if a file does not have the SHA-256 that the recipe asks for."""
    if asked is not None and asked != found:
        raise UserError(
            f"{file} is another file than the recipe asks for (its SHA-256 begins with {found[:16]}, not with "
            f"{asked[:16]}): restore the file, or remove sha256 from the recipe"
        )
