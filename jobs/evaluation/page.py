"""An evaluation's report as one page of HTML that needs nothing else, with equal bytes for an equal report."""

from collections.abc import Iterable

from annotation.dataset import markdown
from annotation.evaluation.reported import Report
from annotation.evaluation.sources import Source
from jobs.evaluation.sections import sections
from jobs.pages.template import environment

FILE = "report.html"
SHOWN = 400
"""The most rows of a table; the files beside the page have all."""
VOTERS = {"people": "Votes of people", "judge": "Verdicts of a judge", "imported": "Imported judgments"}


def render(report: Report) -> str:
    """The page. All text of others is escaped."""
    text: str = (
        environment(__package__)
        .get_template("evaluation.html.j2")
        .render(
            title=_title(report),
            sources=report.sources,
            sections=sections(report),
            cards=list(_cards(report)),
            shown=SHOWN,
            files=files(report),
        )
    )
    return f"<!doctype html>\n{text}\n"


def files(report: Report) -> list[str]:
    """The names of the sections, each of which is a file of CSV, in the order of the numbers."""
    return list(dict.fromkeys(each.number.section for each in report.numbers))


def _title(report: Report) -> str:
    names = models(report.sources)
    shown = names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} other models"]
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else "".join(shown)


def models(sources: Iterable[Source]) -> list[str]:
    """The names of all models, sorted."""
    columns = [
        column
        for each in sources
        for column in (each.votes["model"], each.votes["opponent"], each.rated["model"], each.graded["model"])
    ]
    return sorted({name for column in columns for name in column.unique().to_pylist()})


def _cards(report: Report) -> Iterable[tuple[str, str, str]]:
    """The figures at the top: name, value, and a note."""
    yield "Models", f"{len(models(report.sources)):,}", ""
    for source in report.sources:
        rows = next((rows for rows in (source.votes, source.rated) if len(rows)), source.graded)
        note = f"{source.name}, {markdown.count(len(rows['prompt_id'].unique()), 'prompt')}"
        yield _card(source), f"{source.given or source.graded_responses:,}", note


def _card(source: Source) -> str:
    if len(source.graded) and not len(source.votes):
        return "Graded responses"
    if len(source.rated):
        return "Safety verdicts" if source.counted == "verdicts" else "Safety ratings"
    return "Verdicts of people" if (source.voters, source.counted) == ("people", "verdicts") else VOTERS[source.voters]
