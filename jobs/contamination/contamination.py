"""The command ``gristmill contamination``: reads benchmarks and scores, and searches."""

from dataclasses import dataclass
from pathlib import Path

from annotation.rows.reading import digest
from curation.benchmarks.files import check_names, named_file
from curation.benchmarks.samples import samples_table, take_apart, verbalise
from curation.benchmarks.settings import Definition, Normalise, Settings
from curation.contamination.scores import Scores, read_scores
from curation.contamination.search import Searched, find_contamination
from curation.job import Execution
from curation.tokenizers.tokenizer import Tokenizer, open_tokenizer
from jobs.benchmark_rows import benchmark_rows
from jobs.contamination.printing import print_search
from jobs.panics import hold_back_panics
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
    print_search(found, str(options.output), samples, scores)


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
