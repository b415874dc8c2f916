"""Reads job files: TOML to a Job, with ``key=value`` changes to the job and its recipe."""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from curation.job import Job
from curation.recipe import Recipe
from curation.recipes.tables import USES, make_recipe, recipe_table
from curation.sources.inputs import Input
from curation.sources.reading import ReadingSettings
from jobs.benchmark_rows import benchmark_rows
from schemas.errors import UserError
from schemas.settings import build, convert, convert_fields, shown, unknown
from schemas.toml_file import MOST_LEVELS, read_toml, value_of

PLAIN_FIELDS = ("limit", "unit_bytes", "rejects_text", "max_quarantined", "allow_unreadable", "follow_links")
"""Fields of Job that have the same name in a job file and that --set can change."""
JOB_FIELDS = ("recipe", "input", "output", "against", "reading", *PLAIN_FIELDS, "set", "storage", "beam")


def load_recipe(name: str, changes: Iterable[str] = ()) -> Recipe:
    """The named recipe after changes such as ``language.min_score=0.5``, with its lists read."""
    tables: dict[str, Any] = {}
    table = recipe_table(name)
    for key, value in map(parse_change, changes):
        change(tables, table, key, value)
    if tables:
        raise UserError(f"--set {', '.join(tables)} belongs to a job: this command can set only the recipe's settings")
    return _checked(make_recipe(Path(name).stem, table), Path(name).parent)


def load_recipes(names: Sequence[str], changes: Iterable[str] = ()) -> dict[str, Recipe]:
    """The recipes by the names given, each after the changes. Raises UserError for a recipe that is named twice."""
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"--recipe {name} is given twice: compare it with another recipe")
    return {name: load_recipe(name, changes) for name in names}


def _checked(recipe: Recipe, folder: Path) -> Recipe:
    """The recipe, with the functions, models and benchmarks that it names in ``folder``. Raises UserError if one of
    these files cannot be read, or if no document can meet the recipe's settings."""
    recipe.check()
    recipe = recipe.with_files(folder, benchmark_rows)
    recipe.read_lists()
    return recipe


def parse_change(text: str) -> tuple[str, Any]:
    """``key=value`` as (key, value); the value is parsed as TOML, or taken as plain text if it is not TOML.

    >>> parse_change("language.min_score=0.5"), parse_change("keep.policy=longest")
    (('language.min_score', 0.5), ('keep.policy', 'longest'))
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UserError(f"--set {text!r} is not key=value, such as language.min_score=0.5")
    if key.count(".") >= MOST_LEVELS:
        raise UserError(f"--set {shown(key)} names no setting: it has more than {MOST_LEVELS} parts")
    return key.strip(), value_of(value.strip(), f"--set {key}")


def change(job: dict[str, Any], recipe: dict[str, Any], key: str, value: Any) -> None:
    """Changes one setting of a job or recipe, such as ``near.bands``, ``c4_lines.min_words`` or ``limit``."""
    head, _, rest = key.partition(".")
    given = recipe.setdefault("steps", [])
    dedup = recipe.setdefault("dedup", {})
    if not isinstance(given, list) or not isinstance(dedup, dict):
        make_recipe("own", recipe)  # raises the UserError that names the wrong table
    steps = {_stage(entry): entry for entry in given if isinstance(entry, dict) and isinstance(entry.get("use"), str)}
    places: dict[str, tuple[dict[str, Any], str]] = {
        "near": (dedup, "near"),
        "keep": (dedup, "keep"),
        "pieces": (dedup, "pieces"),
        "sites": (recipe, "sites"),
        "dedup": (recipe, "dedup"),
        "normalise": (recipe, "normalise"),
        "languages": (recipe, "languages"),
        "reading": (job, "reading"),
    }
    if head in steps and rest:
        _put(steps, head, rest, value)
    elif head == "url" and rest:
        given.insert(0, {"use": "url", rest: value})
    elif head in USES:
        raise UserError(
            f"--set {key}: the recipe has no step {head}; it has {', '.join(map(str, steps)) or 'no steps'}"
        )
    elif head in places:
        table, name = places[head]
        _put(table, name, rest, value)
    elif head == "signals" and not rest:
        recipe["signals"] = value
    elif head in PLAIN_FIELDS and not rest:
        job[head] = value
    else:
        choices = [*steps, *places, "signals", *PLAIN_FIELDS]
        raise UserError(unknown("--set cannot change", head, [str(choice) for choice in choices]))


def _stage(entry: Mapping[str, Any]) -> str:
    """The name of a step by its table: the name that the user gave it, or else its function or ``use``."""
    named = entry.get("name", entry.get("function"))
    return named if isinstance(named, str) else str(entry["use"])


def _put(table: dict[str, Any], name: str, rest: str, value: Any) -> None:
    """Sets ``table[name]`` if ``rest`` is empty, else the field ``rest`` (dotted) of the table at ``name``."""
    if not rest:
        table[name] = value
        return
    if isinstance(table.get(name), str):  # languages = "fineweb2"
        table[name] = {"file": table[name]}
    if not isinstance(table.get(name), dict):
        table[name] = {}
    first, _, more = rest.partition(".")
    _put(table[name], first, more, value)


def make_job(
    inputs: Sequence[Input],
    recipe: str | Mapping[str, Any],
    changes: Iterable[str],
    table: Mapping[str, Any] | None = None,
    own: Iterable[tuple[str, Any]] = (),
    folder: Path = Path(),
) -> Job:
    """A job from its inputs, a recipe (name, path or table), changes, and the job file's other fields. ``own`` are the
    job file's changes, which apply before those of the command line; ``folder`` is the folder of a recipe's table."""
    job = copy.deepcopy(dict(table or {}))
    name = recipe if isinstance(recipe, str) else "own"
    recipe_copy = recipe_table(recipe) if isinstance(recipe, str) else copy.deepcopy(dict(recipe))
    for key, value in chain(own, map(parse_change, changes)):
        change(job, recipe_copy, key, value)
    reading = build(ReadingSettings, job.pop("reading", {}), "reading")
    against = job.get("against", ())
    if isinstance(against, bool | int | float | Mapping):
        raise UserError(f"against is {shown(against)}: give a list of folders")
    plain = convert_fields(Job, (*PLAIN_FIELDS, "against"), job, "job")
    place = Path(recipe).parent if isinstance(recipe, str) else folder
    made = _checked(make_recipe(Path(name).stem, recipe_copy), place)
    return Job(inputs=tuple(inputs), recipe=made, reading=reading, **plain)


def load_job(path: Path, changes: Iterable[str] = ()) -> tuple[Job, str, tuple[str, ...]]:
    """The job, output folder and Beam options of a job file. Relative paths in the file are relative to the current
    folder. `load_storage` reads the table ``storage``."""
    table = read_toml(path)
    for field in table:
        if field not in JOB_FIELDS:
            raise UserError(unknown(f"{path} has no field", field, JOB_FIELDS))
    for field in ("input", "output"):
        if not table.get(field):
            raise UserError(f"{path} has no {field}: add {field} = ...")
    given = table.pop("input")
    inputs = [_input(entry, path) for entry in (given if isinstance(given, list) else [given])]
    recipe, output = table.pop("recipe", "fineweb"), convert(table.pop("output"), str, f"{path}: output")
    if not isinstance(recipe, str | dict):
        raise UserError(f"{path}: recipe is {shown(recipe)}: give a name, the path of a TOML file, or a table")
    own, beam, _ = (_table(table, name, path) for name in ("set", "beam", "storage"))
    job = make_job(inputs, recipe, changes, table, _dotted_keys(own), path.parent)
    return job, output, beam_options(beam, path)


def parse_storage(text: str) -> tuple[str, Any]:
    """``key=value`` as (key, value). Raises UserError, whose message never contains the value, as it may be a secret.

    >>> parse_storage("anon=true"), parse_storage("s3.key=abc=")
    (('anon', True), ('s3.key', 'abc='))
    """
    key, equals, value = text.partition("=")
    if not equals or not all(key.strip().split(".")):
        raise UserError("--storage is not KEY=VALUE, such as anon=true or s3.endpoint_url=http://localhost:9000")
    return key.strip(), value_of(value, f"--storage {key.strip()}")


def load_storage(path: Path) -> list[tuple[str, Any]]:
    """The file system options in a job file's table ``storage``, by dotted keys."""
    return list(_dotted_keys(_table(read_toml(path), "storage", path)))


def _dotted_keys(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{rest}", inner) for rest, inner in _dotted_keys(value))
        else:
            yield key, value


def _table(table: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    found = table.pop(name, {})
    if not isinstance(found, dict):
        raise UserError(f"{path}: {name} is {shown(found)}: give a table")
    return found


def beam_options(table: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    """The table ``beam`` of a job file as Apache Beam's command line. ``true`` is a flag, and a list repeats an option.

    >>> beam_options({"runner": "FlinkRunner", "parallelism": 4, "experiments": ["a", "b"], "streaming": True}, Path())
    ('--runner=FlinkRunner', '--parallelism=4', '--experiments=a', '--experiments=b', '--streaming')
    """
    words: list[str] = []
    for name, value in table.items():
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, str | int | float) or item is False:
                raise UserError(
                    f"{path}: beam.{name} is {shown(value)}: give a text, a number, a list of them, or true"
                )
            words.append(f"--{name}" if item is True else f"--{name}={item}")
    return tuple(words)


def _input(entry: Any, path: Path) -> Input:
    if isinstance(entry, str):
        return Input(glob=entry)
    if not isinstance(entry, Mapping):
        raise UserError(
            f"{path}: input is {shown(entry)}: give a glob, a list of globs, or [[input]] tables with a glob"
        )
    return build(Input, entry, f"{path}: input")
