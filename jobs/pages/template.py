"""Templates of pages of HTML that need nothing else: one style, and every value escaped."""

from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, FunctionLoader, StrictUndefined

from annotation.dataset import markdown
from schemas.visible import visible_lines


def environment(package: str) -> Environment:
    """The templates of a package and those of this one: ``page.html.j2`` to extend, ``macros.html.j2`` to import.

    Every value is escaped, and its hidden characters become visible.
    """
    made = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible_lines(value) if type(value) is str else value,
        loader=ChoiceLoader([_loader(package), _loader(__package__)]),
    )
    made.filters |= {"counted": markdown.count, "words": lambda name: name.replace("_", " ")}
    return made


def _loader(package: str) -> FunctionLoader:
    def load(name: str) -> str | None:
        path = files(package).joinpath(name)
        return path.read_text(encoding="utf-8") if path.is_file() else None

    return FunctionLoader(load)
