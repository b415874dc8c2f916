"""The constants of ``gristmill plan``: CPU seconds and shuffled bytes of each stage, in one process.

python -m tests.benchmarks.stages CORPUS [--output FILE]
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from unittest.mock import patch

from curation.engine import stages
from curation.engine.driver import curate
from curation.engine.run import Run
from curation.engine.shuffle import Keyed
from curation.engine.unit_reports import LinkedReport
from curation.job import Execution
from curation.release.folder import WORK, Folder
from curation.release.ledger import Ledger
from curation.reports.forecast import Constants, Stage
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job
from tests.benchmarks.corpora import GRISTMILL
from tests.benchmarks.process import measure

RECIPES = ("fineweb", "none")
"""Of the bench corpus, Gopher and C4 would keep next to nothing."""
BY_TEXT = ("judge", "write")
ORDER = (
    *("judge", "text-keys", "same-text", "bands", "pairs", "signatures"),
    *("compare", "link", "components", "requests", "names", "write"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description="The constants of gristmill plan, measured.")
    parser.add_argument("corpus", type=Path, help="a folder of .jsonl.gz")
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    text = constants(asked.corpus)
    if asked.output:
        asked.output.write_text(text)
    else:
        sys.stdout.write(text)


def constants(corpus: Path) -> str:
    """The constants as TOML; each recipe is run once before it is measured."""
    found = {recipe: [measured(corpus, recipe) for _ in range(2)][-1] for recipe in RECIPES}
    lines = ["# CPU seconds of one core and bytes, as `make bench CONSTANTS=FILE` measured them.", ""]
    lines.append(f"start = {start():.2f}")
    lines.append(f"links = {max(each.links for each in found.values()):.3f}")
    for recipe, each in found.items():
        for stage in each.stages:
            lines += ["", f"[recipes.{recipe}.{stage.name}]"]
            lines += [f"{name} = {getattr(stage, name):.4g}" for name in ("per_gb", "per_million", "shuffled")]
    return "\n".join(lines) + "\n"


def start() -> float:
    """CPU seconds of a command with two workers that reads next to nothing."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in.jsonl").write_text('{"text": "A mill."}\n' * 10)
        command = [GRISTMILL, "curate", "--input", "in.jsonl", "--output", "out", "--workers", "2"]
        return measure(command, cwd=Path(folder)).cpu_seconds


def measured(corpus: Path, recipe: str) -> Constants:
    """The constants of one recipe from one run in this process."""
    cpu: Counter[str] = Counter()
    call = stages.call

    def timed(run: Run, label: str, *more: Any) -> list[Keyed]:
        started = time.process_time()
        found = call(run, label, *more)
        cpu[label] += time.process_time() - started
        return found

    job = make_job([Input(glob=str(corpus / "*.jsonl.gz"))], recipe, [])
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out"
        with patch.object(stages, "call", timed), patch.object(Folder, "release", lambda _: None):
            ledger = curate(job, str(output), Execution(workers=0))
        shuffled, links = _left(output)
    return _constants(ledger, cpu, shuffled, links)


def _left(output: Path) -> tuple[Counter[str], int]:
    """The bytes that each stage handed on, and the links found."""
    shuffled: Counter[str] = Counter()
    for path in (output / WORK / "shuffle").rglob("*"):
        if path.is_file():
            shuffled[path.parent.name] += path.stat().st_size
    folder = Folder(str(output))
    return shuffled, sum(folder.read_json(name, LinkedReport).links for name in folder.names(f"{WORK}/linked-*.json"))


def _constants(ledger: Ledger, cpu: Counter[str], shuffled: Counter[str], links: int) -> Constants:
    documents, text, _ = ledger.total("read")
    return Constants(
        start=0.0,
        links=links / documents,
        stages=tuple(
            Stage(
                name=name,
                per_gb=cpu[name] / text * 1e9 if name in BY_TEXT else 0.0,
                per_million=0.0 if name in BY_TEXT else cpu[name] / documents * 1e6,
                shuffled=shuffled[name] / documents,
            )
            for name in ORDER
            if name in cpu
        ),
    )


if __name__ == "__main__":
    main()
