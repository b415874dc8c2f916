"""Refuses input files in unsupported formats before a run begins."""

from collections.abc import Iterable

from curation.sources.formats import detect
from curation.sources.inputs import InputFile
from curation.sources.places import is_local, local_path, readable
from schemas.errors import InputError
from schemas.wording import and_more

SHOWN_FILES = 3
_UNKNOWN = "unknown"


def check_formats(files: Iterable[InputFile]) -> None:
    """Raises InputError if local files are in an unsupported format, by their first bytes. Remote files are inspected
    only when they are read, and then quarantined."""
    refused: dict[str, list[str]] = {}
    for file in files:
        if what := _refusal(file):
            refused.setdefault(what, []).append(readable(file.path))
    if not refused:
        return
    listed = "; ".join(f"{and_more(names[:SHOWN_FILES], len(names))} ({what})" for what, names in refused.items())
    single = sum(map(len, refused.values())) == 1
    them, file_is = ("it", "an input file is") if single else ("them", "input files are")
    hint = f", or say how to read {them}: --format text" if _UNKNOWN in refused else ""
    raise InputError(
        f"{file_is} in a format that gristmill does not read: {listed}. Leave {them} out, with a glob such as "
        f"'DIR/**/*.jsonl'{hint}"
    )


def _refusal(file: InputFile) -> str:
    """The format of a file that is not read; empty for a file that is read."""
    if file.format is not None or not file.size or not is_local(file.path):
        return ""
    try:
        found = detect(file.path, file.name)
    except OSError:
        return ""  # the run reports this error
    if found.kind == "foreign":
        return found.what
    if found.kind == "zip" and found.compression is None:
        from curation.sources.zipped import is_encrypted

        return "an encrypted zip file" if is_encrypted(local_path(file.path)) else ""
    return _UNKNOWN if found.kind == "unknown" else ""
