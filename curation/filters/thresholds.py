"""Which settings of a filter are thresholds: they decide about signals, and change nothing that is measured."""

import dataclasses
from typing import Any, TypeVar

from curation.filters.c4 import C4Pages
from curation.filters.fasttext import Fasttext
from curation.filters.function import Function
from curation.filters.language import Language
from curation.filters.rights import Rights

Step = TypeVar("Step")

_NAMED_OTHERWISE: dict[type[Any], tuple[str, ...]] = {
    Language: ("languages",),
    C4Pages: ("lorem_ipsum", "curly_brackets"),
    Rights: ("licences",),
}
"""The thresholds whose names do not begin with ``min_`` or ``max_``."""


def thresholds(step: Any) -> tuple[str, ...]:
    """The names of a step's settings that are thresholds.

    >>> thresholds(C4Pages())
    ('min_sentences', 'lorem_ipsum', 'curly_brackets')
    """
    if isinstance(step, Function | Fasttext):
        return ("min", "max")
    others = _NAMED_OTHERWISE.get(type(step), ())
    names = [field.name for field in dataclasses.fields(step) if field.init]
    return tuple(name for name in names if name.startswith(("min_", "max_")) or name in others)


def without_thresholds(step: Step) -> Step:
    """The step with the same thresholds as every other step of its kind: equal for two steps that measure the same."""
    if isinstance(step, Function):
        return dataclasses.replace(step, min={}, max={}, measures=tuple(sorted(step.names)))
    if isinstance(step, Fasttext):
        return dataclasses.replace(step, min={}, max={})
    usual = {
        field.name: field.default
        for field in dataclasses.fields(step)  # type: ignore[arg-type]
        if field.name in thresholds(step)
    }
    return dataclasses.replace(step, **usual)  # type: ignore[type-var]
