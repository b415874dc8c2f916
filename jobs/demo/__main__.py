"""``make demo``: runs all of Gristmill on real text; with globs as arguments, only curation of those files."""

import json
import shlex
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

from annotation.journal.journal import Journal
from annotation.server import lifecycle
from annotation.server.connection import connection
from annotation.server.home import Home
from annotation.server.ports import is_free
from annotation.studio.client import Studio
from annotation.studio.people import Invitation, invite
from jobs.campaign.campaign_file import read_campaign
from jobs.demo.annotators import LEFT_FOR_THE_READER, label
from jobs.demo.judge import MODEL, endpoint
from jobs.demo.packages import write_packages
from jobs.demo.pages import write_pages
from jobs.demo.questions import write_models, write_questions

HERE = Path("build", "demo")
STUDIO = Path("build", "studio")


def main(globs: list[str]) -> None:
    if HERE.exists():
        shutil.rmtree(HERE)
    if globs:
        curate(globs)
        return
    say("Gathering the licences, readmes, descriptions and docstrings of the installed packages")
    curate(make_input(HERE / "input"))
    reader = compare(HERE / "docstrings")
    evaluate(HERE / "models")
    say(f"""
{LEFT_FOR_THE_READER} pairs wait for you: 1 to 8 say which response is better and by how much, Ctrl+Enter submits.
  link      {reader.links[0]}
  email     {reader.email}
  password  {reader.password}
Then:
  .venv/bin/gristmill campaign pull {HERE / "docstrings"} --home {STUDIO}
  .venv/bin/gristmill campaign status {HERE / "docstrings"}
To look at the evaluation, open {HERE / "evaluation" / "report.html"} in a browser.
Label Studio keeps running. To stop it:
  .venv/bin/gristmill studio stop --home {STUDIO}""")


def curate(globs: list[str]) -> None:
    """Curates the files and explains some removals."""
    corpus = HERE / "corpus"
    inputs = [word for glob in globs for word in ("--input", glob)]
    gristmill("curate", *inputs, "--output", corpus)
    for reason in reasons_to_explain(corpus):
        gristmill("explain", corpus, "--sample", "1", "--reason", reason)


def compare(campaign: Path) -> Invitation:
    """Has three simulated annotators compare real texts in a real Label Studio, and leaves two pairs to the reader."""
    home = ("--home", STUDIO)
    gristmill("studio", "start", *home, *a_free_port())
    gristmill("campaign", "new", campaign)
    say("\nQuestions about Python's standard library, answered by the docstrings of its functions")
    write_questions(campaign)
    gristmill("campaign", "push", campaign, *home)
    gristmill("campaign", "invite", campaign, *home)
    say("\nThree simulated annotators answer through Label Studio's API; the first annotator leaves two pairs to you")
    reader = label_and_pull(campaign, LEFT_FOR_THE_READER)
    gristmill("campaign", "status", campaign)
    gristmill("campaign", "resolve", campaign)
    gristmill("dataset", "build", campaign, "--output", HERE / "comparisons")
    return reader


def evaluate(campaign: Path) -> None:
    """Has the same people and a judge compare three models that are rules over docstrings, and writes the report."""
    home = ("--home", STUDIO)
    gristmill("campaign", "new", campaign, "--protocol", "evaluation")
    say("\nThe same questions, answered by three models: opening, docstring and signature")
    write_models(campaign)
    gristmill("campaign", "push", campaign, *home)
    say("\nThe three annotators say which model is better, or neither")
    label_and_pull(campaign)
    gristmill("evaluation", "results", campaign)
    say("\nA judge that prefers the answer with more words is asked about the same pairs, in both orders")
    judged = HERE / "judged"
    with endpoint() as url:
        gristmill("judge", campaign, "--model", MODEL, "--base-url", url, "--output", judged)
    gristmill("evaluation", "report", campaign, judged, "--output", HERE / "evaluation")


def label_and_pull(campaign: Path, left: int = 0) -> Invitation:
    """Answers all tasks as the simulated annotators, but for ``left`` tasks of the first annotator, who is returned."""
    folder = read_campaign(campaign)
    with Studio(connection(STUDIO)) as studio:
        with Journal(folder.store) as journal:
            first, *_ = invite(journal, studio, folder.campaign.annotators)
        label(folder, studio, left)
    gristmill("campaign", "pull", campaign, "--home", STUDIO)
    return first


def make_input(folder: Path) -> list[str]:
    """Writes the demo's own input into the folder; returns its globs."""
    (folder / "packages").mkdir(parents=True)
    write_packages(folder / "packages")
    write_pages(folder / "crawl" / "mill.warc.gz")
    return [f"{folder}/packages/*.jsonl.gz", f"crawl={folder}/crawl/*.warc.gz"]


def reasons_to_explain(corpus: Path) -> list[str]:
    """The most frequent reason of a filter, and the reasons of exact and near-duplicates, if they occurred."""
    rejected = json.loads((corpus / "manifest.json").read_bytes())["ledger"]["rejected"]
    counts: dict[tuple[str, str], int] = {}
    for entry in rejected:
        place = (entry["stage"], entry["reason"])
        counts[place] = counts.get(place, 0) + entry["documents"]
    by_count = sorted(counts, key=lambda place: (-counts[place], place))
    filters = [reason for stage, reason in by_count if stage not in ("url", "exact", "near")][:1]
    return filters + [reason for wanted in ("exact", "near") for stage, reason in by_count if stage == wanted]


def a_free_port() -> list[str]:
    """The option --port with the first free port from the studio's own up; empty if the studio runs."""
    found = lifecycle.status(STUDIO)
    if found.pid or found.gate_pid:
        return []
    return ["--port", str(next(filter(is_free, count(Home(STUDIO).server.port))))]


def say(sentence: str) -> None:
    print(sentence, flush=True)


def gristmill(*words: str | Path) -> None:
    """Prints the command and runs it; if it fails, ends with its exit code."""
    written = [str(word) for word in words]
    say(f"\n$ gristmill {shlex.join(written)}")
    done = subprocess.run([str(Path(sys.executable).with_name("gristmill")), *written], check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main(sys.argv[1:])
