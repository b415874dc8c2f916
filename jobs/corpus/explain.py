"""The command ``gristmill explain``."""

import os

import click

from curation.contamination.explanation import explain_search, read_search
from curation.contamination.manifest import ContaminationManifest
from curation.release.lookup import Lookup
from curation.reports.explain import explain
from jobs.terminal import say
from schemas.errors import UserError


def run(folder: str, doc_id: str | None, sample: int | None, reason: str | None, diff: bool) -> None:
    """Prints the explanations of one document, or of a sample of removals."""
    if (doc_id is None) == (sample is None):
        raise UserError("say which document to explain: a DOC_ID, or --sample N (with --reason NAME)")
    doc_id, reason = _utf8(doc_id), _utf8(reason)
    search = read_search(folder) if doc_id is not None else None
    if search is not None:
        _explain_search(folder, search, str(doc_id))
        return
    lookup = Lookup(folder)
    if sample is not None:
        rows = lookup.sample(sample, reason)
        if not rows:
            reasons = lookup.reasons() if reason else ()
            hint = f" for {reason}: its reasons are {', '.join(reasons)}" if reasons else ""
            raise UserError(f"{folder} has no removed documents{hint}")
    else:
        rows = lookup.find(str(doc_id))
        if not rows:
            raise UserError(
                f"{folder} has no document {doc_id!r}: check the id; a record that could not be read is in quarantine/"
            )
    for number, row in enumerate(rows):
        if number:
            click.echo()
        for line in explain(lookup, row, diff):
            say(line)


def _explain_search(folder: str, search: ContaminationManifest, name: str) -> None:
    found = list(explain_search(folder, search, name))
    if not found:
        raise UserError(f"{folder} has no sample and no contaminated document {name!r}: check the id")
    for number, lines in enumerate(found):
        if number:
            click.echo()
        for line in lines:
            say(line)


def _utf8(given: str | None) -> str | None:
    """A command-line argument as UTF-8, in any locale. Raises UserError if it is not UTF-8."""
    try:
        return None if given is None else os.fsencode(given).decode()
    except UnicodeError as error:
        raise UserError(f"{given!r} is not UTF-8: ids and reasons are UTF-8, copy them from the corpus") from error
