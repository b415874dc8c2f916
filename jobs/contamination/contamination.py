"""The command ``gristmill contamination``: reads benchmarks and scores, searches, and prints a table."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.rows.reading import digest
from curation.benchmarks import decon, ngrams
from curation.benchmarks.files import check_names, named_file
from curation.benchmarks.samples import samples_table, take_apart, verbalise
from curation.benchmarks.settings import Definition, Normalise, Settings
from curation.contamination.manifest import ContaminationManifest
from curation.contamination.scores import Scores, read_scores
from curation.contamination.search import SUBSETS_FILE, Searched, find_contamination
from curation.contamination.subsets import SUBSETS as SUBSET_NAMES
from curation.contamination.tables import SUBSETS
from curation.job import Execution
from curation.release.folder import Folder
from curation.release.shards import read_shard
from curation.tokenizers.tokenizer import Tokenizer, open_tokenizer
from jobs.benchmark_rows import benchmark_rows
from jobs.panics import hold_back_panics
from jobs.tables import Row, print_table
from jobs.terminal import say
from schemas.errors import UserError


@dataclass(frozen=True, kw_only=True)
class ContaminationOptions:
    """The arguments and options of ``gristmill contamination``; None or empty if not given."""

    corpus: str
    benchmarks: tuple[str, ...]
    tokenizer: Path | None
    definition: Definition
    output: Path
    template: str | None
    question: str | None
    answer: str | None
    passage: str | None
    id_field: str | None
    normalise: Normalise | None
    scores: tuple[str, ...]
    end_token: str | None
    text_column: str
    id_column: str
    workers: int | None
    memory: int | None
    beam_options: tuple[str, ...]


def run(options: ContaminationOptions) -> None:
    """Searches the corpus for the benchmarks, and prints the subsets of each benchmark."""
    _check_fields(options)
    benchmarks = [_benchmark(each, options) for each in options.benchmarks]
    check_names([each.benchmark.name for each in benchmarks])
    tokenizer = _tokenizer(options)
    settings = Settings(
        definition=options.definition,
        normalise=options.normalise or "words",
        text_column=options.text_column,
        id_column=options.id_column,
    )
    samples = samples_table(each.benchmark for each in benchmarks)
    scores: list[Scores] = []
    for name, path in map(named_file, options.scores):
        if any(name == each.name for each in scores):
            raise UserError(f"two files of scores are named {name}: name one of them otherwise, as NAME=FILE")
        scores.append(read_scores(name, digest(path), benchmark_rows(path), samples, options.id_field))
    execution = Execution(workers=options.workers, memory=options.memory, beam_options=options.beam_options)
    with hold_back_panics():
        found = find_contamination(
            options.corpus, benchmarks, tokenizer, str(options.output), settings, scores, execution
        )
    _print(found, options.output)


def _tokenizer(options: ContaminationOptions) -> Tokenizer | None:
    """The tokenizer of a definition by tokens. Raises UserError without one, and for options that only such a
    definition has."""
    if options.definition == "llama2":
        if options.tokenizer is None:
            raise UserError("--definition llama2 compares tokens: give the model's --tokenizer PATH")
        return open_tokenizer(options.tokenizer, options.end_token)
    unused = {
        "--tokenizer": options.tokenizer is not None,
        "--end-token": options.end_token is not None,
        "--normalise none": options.normalise == "none",
    }
    for name in (name for name, given in unused.items() if given):
        raise UserError(f"--definition {options.definition} compares lower-case words: leave out {name}")
    return None


def _benchmark(given: str, options: ContaminationOptions) -> Searched:
    name, path = named_file(given)
    rows = benchmark_rows(path)
    if options.definition == "decon":
        fields = {"question": options.question, "answer": options.answer, "passage": options.passage}
        return Searched(benchmark=take_apart(name, rows, fields, options.id_field), sha256=digest(path))
    return Searched(benchmark=verbalise(name, rows, options.template, options.id_field), sha256=digest(path))


def _check_fields(options: ContaminationOptions) -> None:
    """Raises UserError for a template or fields that the definition does not have."""
    if options.definition == "decon":
        if options.template is not None:
            raise UserError("--definition decon has no template: name fields as --question, --answer and --passage")
        return
    given = {"--question": options.question, "--answer": options.answer, "--passage": options.passage}
    for name in (name for name, field in given.items() if field is not None):
        raise UserError(f"{name} is for --definition decon: give the text of a sample as --template, or leave it out")


def _print(found: ContaminationManifest, output: Path) -> None:
    """Prints a row for each benchmark and L or N, and with scores the subsets below it."""
    definition = found.settings["definition"]
    by_tokens = definition == "llama2"
    evidence = bool(found.scores) and by_tokens
    table = read_shard(Folder(str(output)), SUBSETS_FILE, SUBSETS.columns.names).to_pylist()
    groups: defaultdict[tuple[str, str | None, int], list[Mapping[str, Any]]] = defaultdict(list)
    for row in table:
        groups[row["benchmark"], row["scores"], row["length"]].append(row)
    shown = []
    for (benchmark, scores, length), subsets in groups.items():
        counts = [f"{each['samples']:,}" for each in subsets]
        size, none = ((), ()) if definition == "decon" else ((str(length),), ("",))
        if scores is None:
            shown.append(Row((benchmark, *size, *counts)))
        else:
            verdict = [_verdict(subsets)] if evidence else []
            shown.append(Row((f"{benchmark}, {scores}", *size, *counts, *verdict)))
            shown.append(Row(("  mean score", *none, *[_number(each["mean"], ".1%") for each in subsets]), "dim"))
            shown.append(Row(("  Z", *none, *[_number(each["z"], "+.2f") for each in subsets]), "dim"))
    names = {"llama2": ("L", *SUBSET_NAMES), "decon": decon.SUBSETS}.get(definition, ("N", *ngrams.SUBSETS))
    columns = ("samples", *names, *(["evidence"] if evidence else []))
    print_table(columns, [Row((*row.cells, *[""] * (len(columns) - len(row.cells))), row.style) for row in shown])
    read = found.read
    tokenised = f" ({read['tokenised']:,} were tokenised)" if by_tokens else ""
    what = "contaminate a sample" if definition == "decon" else "share a passage with a sample"
    say(f"{output}: {read['contaminated']:,} of {read['documents']:,} documents {what}{tokenised}")


def _verdict(subsets: Sequence[Mapping[str, Any]]) -> str:
    return "yes" if subsets[0]["evident"] else "no"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
