"""The command ``gristmill report``."""

from pathlib import Path

from annotation.dataset import markdown
from curation.release.lookup import Lookup
from curation.reports.corpus_report import corpus_report, figures_of
from jobs.corpus.report_page import MARK, render
from jobs.pages.page_file import write_page
from jobs.terminal import say
from schemas.errors import UserError
from schemas.sizes import readable


def run(corpus: str, against: str | None, output: Path) -> None:
    """Writes a page about a finished folder, beside another one if ``against`` names it.

    Raises UserError for a page inside the folder, which would no longer be as its manifest says.
    """
    if Path(corpus).resolve() in output.resolve().parents:
        raise UserError(
            f"{output} is inside the corpus, whose manifest names all of its files: choose another --output"
        )
    report = corpus_report(corpus)
    other = None if against is None else figures_of(Lookup(against))
    page = render(report, other)
    write_page(output, page, mark=MARK, kind="page of gristmill report", option="--output")
    about = markdown.count(report.figures.ledger.total("read")[0], "document")
    if other is not None:
        say(f"A: {corpus} (release {report.figures.name}), B: {against} (release {other.name})")
    say(f"{output}: {readable(len(page.encode()))} about {about}")
