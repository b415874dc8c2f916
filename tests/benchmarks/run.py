"""``make bench``: the bars of the project as a table, measured on this machine in one run.

    python -m tests.benchmarks.run [--megabytes 300] [--peer PYTHON] [--large 1000] [--constants FILE] [--work DIR]

The gains of kernels over libraries come first (`tests.benchmarks.kernels`) and need nothing else. The bench corpus and
the peer's script lie in ../shared/bench; without that folder nothing more can be measured. ``--peer`` names the Python
of an environment that holds datatrove and spaCy; without it the peer's own columns stay empty.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.benchmarks import contamination, evaluations, intervals, knowing, main_text, removal, skew, team
from tests.benchmarks.corpora import GRISTMILL, SHARED, make_corpus
from tests.benchmarks.forecasts import CALIBRATION_MEGABYTES, foretold
from tests.benchmarks.gate import latencies
from tests.benchmarks.kernels import gains
from tests.benchmarks.process import Measured, measure, seconds
from tests.benchmarks.stages import constants
from tests.benchmarks.truth import quality

PEER_MEGABYTES = 40
SKEWED_DOCUMENTS = 200_000
BUDGET = "1.5GB"
Row = tuple[str, str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description="The bars of the project, measured.")
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--large", type=int, default=0, help="also the bars of full size, at so many MB (1000)")
    parser.add_argument("--peer", help="Python of an environment with datatrove[processing,io] and spacy")
    parser.add_argument("--work", type=Path, help="keep the corpora here")
    parser.add_argument("--constants", type=Path, help="write the constants of gristmill plan to this file")
    asked = parser.parse_args()
    Console().print(gains())
    if not (SHARED / "bench").is_dir():
        sys.exit(f"bench: {SHARED / 'bench'} is missing: the corpus maker and the peer's script lie there")
    with tempfile.TemporaryDirectory() as temporary:
        work = asked.work or Path(temporary)
        table = Table("bar", "measured", "asked", title="Gristmill's bars", title_justify="left")
        for row in bars(asked, work):
            table.add_row(*row)
        Console().print(table)
        if asked.constants:
            asked.constants.write_text(constants(make_corpus(work, CALIBRATION_MEGABYTES)[0]))


def bars(asked: argparse.Namespace, work: Path) -> Iterator[Row]:
    corpus, size = make_corpus(work, asked.megabytes)
    peer = race(asked.peer, work) if asked.peer else None
    for recipe, peers in (("fineweb", ("filter", "minhash")), ("none", ("minhash",))):
        out = work / f"out-{recipe}"
        rate = size / 1e6 / sorted(timed(corpus, out, recipe) for _ in range(3))[1]
        yield f"1. {recipe}, {asked.megabytes} MB", f"{rate:.1f} MB/s", ""
        if peer:
            peers_seconds = sum(took for step, took in peer.items() if step.startswith(peers) and "kept" not in step)
            yield f"1. the peer, {PEER_MEGABYTES} MB", f"{PEER_MEGABYTES / peers_seconds:.3f} MB/s", ""
            yield "1. ratio", f"{rate / (PEER_MEGABYTES / peers_seconds):.0f} times", "100 times"
        run = curate(corpus, out, recipe)
        yield f"2. peak memory, {recipe}, {asked.megabytes} MB", f"{run.peak_bytes / 1e9:.2f} GB", "2.5 GB"
    yield "1. exact verification, as fast as signatures", f"{verification(corpus, work):.2f} times", "0.85 times"
    yield from known_duplicates(work / "out-none", corpus)
    for unit in ("substring", "line"):
        run = curate(corpus, work / "out-pieces", "none", *pieces_alone(unit))
        yield f"18. duplicate pieces, {unit}, two cores", f"{size / 1e6 / run.seconds:.1f} MB/s", "15 MB/s"
    if asked.large:
        large, _ = make_corpus(work, asked.large)
        run = curate(large, work / "out-large", "fineweb", "--workers", "2")
        yield f"2. peak memory, fineweb, {asked.large} MB", f"{run.peak_bytes / 1e9:.2f} GB", "3 GB"
        yield from growth(asked, work, run, large)
        yield from memory_budget(work, asked.large)
        yield from large_pieces(work, 3 * asked.large)
        yield from forecasts(work, asked.large)
        yield from skewed(work)
    yield from start_up(work)
    yield from ((f"13. {name}", measured, asked) for name, measured, asked in team.bars(work / "team"))
    for request, measured, asked_for in latencies(work / "gate"):
        yield f"14. the gate adds, 95th percentile, {request}", measured, asked_for
    rows = (*intervals.speed(), *(intervals.full() if asked.large else ()))
    yield from ((f"15. {name}", measured, asked_for) for name, measured, asked_for in rows)
    yield from ((f"16. {name}", measured, asked_for) for name, measured, asked_for in evaluations.bars(work / "report"))
    yield from ((f"17. {name}", measured, asked_for) for name, measured, asked_for in main_text.bars())
    yield from (
        (f"18. {name}", measured, asked_for) for name, measured, asked_for in removal.bars(corpus, work / "lists")
    )
    yield from (
        (f"20. {name}", measured, asked_for)
        for name, measured, asked_for in knowing.bars(work / "out-none", work / "knowing")
    )
    rows = contamination.bars(work / "contamination", asked.megabytes)
    yield from ((f"20. {name}", measured, asked_for) for name, measured, asked_for in rows)


def verification(corpus: Path, work: Path) -> float:
    """CPU time of the earlier rules for near-duplicates, against that of the default: the median of three rounds."""
    before = ("--set", "near.verify=signature", "--set", "near.survivor=0")
    rounds = [[curate(corpus, work / "out-turn", "fineweb", *each).cpu_seconds for each in (before, ())] for _ in "123"]
    return median(one / other for one, other in rounds)


def growth(asked: argparse.Namespace, work: Path, run: Measured, large: Path) -> Iterator[Row]:
    """CPU time a byte against that of a smaller corpus, and two workers against one: the median of three rounds."""
    corpus, _ = make_corpus(work, asked.megabytes)
    small = curate(corpus, work / "out-small", "fineweb", "--workers", "2")
    times = run.cpu_seconds / asked.large / (small.cpu_seconds / asked.megabytes)
    yield f"8. CPU seconds a MB, {asked.large} MB against {asked.megabytes}", f"{times:.2f} times", "1.2 times"
    took = [[curate(large, work / "out-turn", "fineweb", "--workers", each).seconds for each in "12"] for _ in range(3)]
    faster = median(one / two for one, two in took)
    yield f"9. two workers against one, {asked.large} MB", f"{faster:.2f} times", "1.7 times"


def memory_budget(work: Path, megabytes: int) -> Iterator[Row]:
    """Two corpora of that size in one run, which holds less memory than they have bytes."""
    corpora = [make_corpus(work, megabytes, seed)[0] for seed in (1, 2)]
    inputs = [part for corpus in corpora for part in ("--input", corpus / "*.jsonl.gz")]
    out = work / "out-budget"
    shutil.rmtree(out, ignore_errors=True)
    run = measure([GRISTMILL, "curate", *inputs, "--output", out, "--memory", BUDGET])
    yield f"10. memory, {2 * megabytes} MB, --memory {BUDGET}", f"{run.peak_proportional_bytes / 1e9:.2f} GB", BUDGET


def pieces_alone(unit: str) -> list[str]:
    """The options by which pieces are cut and no documents are removed."""
    changes = ("near=false", "dedup.exact=false", f"pieces.unit={unit}")
    return ["--workers", "2", *(part for change in changes for part in ("--set", change))]


def large_pieces(work: Path, megabytes: int) -> Iterator[Row]:
    corpus, _ = make_corpus(work, megabytes)
    for unit in ("substring", "line"):
        run = curate(corpus, work / "out-pieces", "none", *pieces_alone(unit), "--memory", BUDGET)
        yield f"18. memory, pieces, {unit}, {megabytes} MB", f"{run.peak_proportional_bytes / 1e9:.2f} GB", BUDGET
        yield f"18. duplicate pieces, {unit}, {megabytes} MB", f"{megabytes / run.seconds:.1f} MB/s", "15 MB/s"


def forecasts(work: Path, megabytes: int) -> Iterator[Row]:
    for size, ratio in foretold(work, (10, 100, megabytes)).items():
        yield f"11. foretold by gristmill plan, {size} MB", f"{ratio:.2f} times", "0.7 to 1.3 times"


def skewed(work: Path) -> Iterator[Row]:
    for name, _, times, _ in skew.race(work / "skew", SKEWED_DOCUMENTS):
        asked = "" if name == "even" else f"{skew.most_times(name)} times"
        yield f"12. {name}, against an even corpus", f"{times:.2f} times", asked


def command(corpus: Path, out: Path, recipe: str) -> list[str | Path]:
    shutil.rmtree(out, ignore_errors=True)
    return [GRISTMILL, "curate", "--input", corpus / "*.jsonl.gz", "--output", out, "--recipe", recipe]


def timed(corpus: Path, out: Path, recipe: str) -> float:
    return seconds(command(corpus, out, recipe), runs=1)


def curate(corpus: Path, out: Path, recipe: str, *options: str) -> Measured:
    return measure([*command(corpus, out, recipe), *options])


def race(python: str, work: Path) -> dict[str, float]:
    """The peer's seconds by step."""
    corpus, _ = make_corpus(work, PEER_MEGABYTES)
    script = SHARED / "bench" / "peer_datatrove.py"
    run = subprocess.run(
        [python, script, corpus, work / "peer"],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    steps: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return steps


def known_duplicates(out: Path, corpus: Path) -> Iterator[Row]:
    found = quality(out, corpus / "truth.jsonl")
    yield "3. exact recall", f"{found.exact_recall:.4f}", "1"
    yield "3. near recall, Jaccard at least 0.9", f"{found.near_recall_09:.4f}", "0.99"
    yield "3. near recall, Jaccard at least 0.8", f"{found.near_recall_08:.4f}", "0.93"
    yield "3. planted pairs under 0.5 in one component", f"{found.dissimilar_joined:.2%}", "at most 2%"
    yield "3. unplanted documents lost", f"{found.unplanted_lost:.3%}", "at most 0.1%"


def start_up(work: Path) -> Iterator[Row]:
    yield "7. gristmill --help", f"{seconds([GRISTMILL, '--help']):.2f} s", "0.5 s"
    ten = work / "ten.jsonl"
    ten.write_text("".join(json.dumps({"text": f"Document {n} of ten. " * 20}) + "\n" for n in range(10)))
    taken = []
    for number in range(3):
        out = work / f"out-ten-{number}"
        shutil.rmtree(out, ignore_errors=True)
        taken.append(seconds([GRISTMILL, "curate", "--input", ten, "--output", out], runs=1))
    yield "7. gristmill curate on ten documents", f"{sorted(taken)[1]:.2f} s", "3 s"


if __name__ == "__main__":
    main()
