"""The command ``gristmill languages``."""

from collections.abc import Sequence

from curation.filters.language import Language
from curation.recipes.published import Published, published, read_data_file
from jobs.terminal import has_reader, say
from schemas.errors import UserError

COLUMNS = ("settings", "label", "words", "in force")


def run(names: Sequence[str], file: str, identifier: str, in_force: bool) -> None:
    """Prints a line for each language with published settings: the identifier's labels for it, what splits its texts
    into words, and whether its settings are in force; and on standard error how many are."""
    rows = list(published(read_data_file(file)[0], Language(identifier=identifier, languages=())))
    for name in names:
        if not any(_is_wanted(each, [name]) for each in rows):
            raise UserError(
                f"{file} has no settings for {name!r}: give a label of {identifier} such as 'de', or a name such as "
                "'deu_Latn'; gristmill languages lists all"
            )
    shown = [each for each in rows if _is_wanted(each, names) and (each.is_in_force or not in_force)]
    for cells in (COLUMNS, *((each.name, " ".join(each.labels), each.splitter, _state(each)) for each in shown)):
        print("{:<10} {:<8} {:<10} {}".format(*cells))
        if not has_reader():
            return
    count = sum(each.is_in_force for each in rows)
    say(f"{file}: {count:,} of {len(rows):,} settings are in force with {identifier}", err=True)
    absent = sorted({package for each in rows if each.labels for package in each.missing})
    if absent:
        say(f"{file}: others need {', '.join(absent)}: pip install 'gristmill[languages]'", err=True)


def _is_wanted(each: Published, names: Sequence[str]) -> bool:
    return not names or any(name in (each.name, *each.labels) for name in names)


def _state(each: Published) -> str:
    if not each.labels:
        return "no: the identifier does not know it"
    return f"no: needs {' and '.join(each.missing)}" if each.missing else "yes"
