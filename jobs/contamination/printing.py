"""Prints what a search for benchmarks found."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.dataset import markdown
from curation.benchmarks import decon, ngrams
from curation.benchmarks.settings import WIDTH
from curation.contamination.gathering import SAMPLES_FILE
from curation.contamination.manifest import ContaminationManifest
from curation.contamination.scores import Scores
from curation.contamination.search import SUBSETS_FILE
from curation.contamination.subsets import CLEAN, DIRTY, EVIDENCE
from curation.contamination.subsets import SUBSETS as SUBSET_NAMES
from curation.contamination.tables import SUBSETS
from curation.release.folder import Folder
from curation.release.shards import read_shard
from jobs.tables import Row, print_table
from jobs.terminal import say

Subsets = Sequence[Mapping[str, Any]]


def print_search(found: ContaminationManifest, output: str, samples: pa.Table, scores: Sequence[Scores]) -> None:
    """Prints a row for each benchmark and L or N, and with scores the mean scores of its subsets below it; then what a
    reader of the table must know."""
    definition = found.settings["definition"]
    evidence = bool(scores) and definition == "llama2"
    names = {"llama2": ("L", *SUBSET_NAMES), "decon": decon.SUBSETS}.get(definition, ("N", *ngrams.SUBSETS))
    columns = ("samples", *names, *(["evidence"] if evidence else []))
    shown = [row for subsets in _read_subsets(output) for row in _rows(definition, subsets, evidence)]
    print_table(columns, [Row((*row.cells, *[""] * (len(columns) - len(row.cells))), row.style) for row in shown])
    if definition == "llama2":
        say(
            f"clean: under {CLEAN:.0%} of the tokens contaminated; not clean: all others; dirty: {DIRTY:.0%} or more; "
            "not dirty: all others"
        )
    if evidence:
        say(f"Z: against the mean of all samples; evidence: Z above {EVIDENCE:g} or below -{EVIDENCE:g} in each subset")
    for sentence in (*_unscored(samples, scores), *_short(definition, output)):
        say(sentence)
    read = found.read
    what = "contaminate a sample" if definition == "decon" else "share a passage with a sample"
    say(f"{output}: {read['contaminated']:,} of {markdown.count(read['documents'], 'document')} {what}")


def _read_subsets(output: str) -> Iterator[Subsets]:
    groups: defaultdict[tuple[str, str | None, int], list[Mapping[str, Any]]] = defaultdict(list)
    for row in read_shard(Folder(output), SUBSETS_FILE, SUBSETS.columns.names).to_pylist():
        groups[row["benchmark"], row["scores"], row["length"]].append(row)
    yield from groups.values()


def _rows(definition: str, subsets: Subsets, evidence: bool) -> Iterator[Row]:
    benchmark, scores, length = (subsets[0][name] for name in ("benchmark", "scores", "length"))
    counts = [f"{each['samples']:,}" for each in subsets]
    size, none = ((), ()) if definition == "decon" else ((str(length),), ("",))
    if scores is None:
        yield Row((benchmark, *size, *counts))
        return
    verdict = [("yes" if subsets[0]["evident"] else "no")] if evidence else []
    yield Row((f"{benchmark}, {scores}", *size, *counts, *verdict))
    means = [each["mean"] for each in subsets]
    overall = next(each["expected"] for each in subsets if each["expected"] is not None)
    form = ".1%" if all(0 <= mean <= 1 for mean in (*means, overall) if mean is not None) else ",.4g"
    yield Row((f"  mean score, all {overall:{form}}", *none, *[_number(mean, form) for mean in means]), "dim")
    yield Row(("  Z", *none, *[_number(each["z"], "+.2f") for each in subsets]), "dim")


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _unscored(samples: pa.Table, scores: Sequence[Scores]) -> Iterator[str]:
    """A sentence for each file of scores that lacks samples of a benchmark."""
    benchmarks = samples["benchmark"].to_numpy(zero_copy_only=False)
    for each in scores:
        lacks = np.isnan(each.values)
        for benchmark in dict.fromkeys(benchmarks.tolist()):
            own = benchmarks == benchmark
            if (left := int(lacks[own].sum())) and left < own.sum():
                whole = markdown.count(int(own.sum()), "sample")
                yield f"{each.name} lacks the scores of {left:,} of {whole} of {benchmark}, and counts only the others"


def _short(definition: str, output: str) -> Iterator[str]:
    """A sentence for each benchmark with samples that are too short to match anything."""
    if definition == "decon":
        return
    held = "tokens" if definition == "llama2" else "ngrams"
    table = read_shard(Folder(output), SAMPLES_FILE, ["benchmark", held])
    short = pc.less_equal(table[held], WIDTH if definition == "llama2" else 0)
    what = f"{WIDTH} tokens or fewer" if definition == "llama2" else "fewer words than an n-gram"
    for benchmark, number in Counter(table["benchmark"].filter(short).to_pylist()).items():
        have = "has" if number == 1 else "have"
        yield f"{benchmark}: {markdown.count(number, 'sample')} {have} {what}: no text can match (clean)"
