"""The command ``gristmill judge``."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.evaluation import folder
from annotation.evaluation.agreement import agreement
from annotation.evaluation.asking import Asked, Progress, ask_all, look_up
from annotation.evaluation.backend import Backend, Endpoint, endpoint_of
from annotation.evaluation.book import BOOK, Book, Request
from annotation.evaluation.inquiry import Inquiry
from annotation.evaluation.judging import Judge, Orders
from annotation.evaluation.manifest import SourceEntry
from annotation.evaluation.outputs import read_outputs
from annotation.evaluation.pace import Pace
from annotation.evaluation.pairs import Pairs, of_campaign, of_outputs
from annotation.evaluation.spending import Budget, Prices
from annotation.evaluation.templates import load
from annotation.judgments.snapshot import Snapshot
from annotation.judgments.snapshot import load as load_campaign
from annotation.rows.reading import digest
from jobs.evaluation.estimate import describe, print_estimate
from jobs.evaluation.progress import showing
from jobs.evaluation.summary import print_agreement, print_cost, print_summary, print_warnings
from jobs.options import ProgressStyle
from jobs.terminal import say
from schemas.errors import UserError
from schemas.settings import shown
from schemas.toml_file import value_of


@dataclass(frozen=True, kw_only=True)
class JudgeOptions:
    """The arguments and options of the command; None or empty if not given."""

    sources: tuple[Path, ...]
    model: str
    base_url: str
    output: Path | None
    key_from: str
    template: str
    orders: Orders
    seed: int
    baseline: str | None
    parameters: tuple[str, ...]
    accepted: tuple[str, ...]
    book: Path | None
    budget: float | None
    token_budget: int | None
    prompt_price: float | None
    answer_price: float | None
    requests_per_minute: float | None
    tokens_per_minute: float | None
    concurrency: int
    timeout: float
    dry_run: bool
    progress: ProgressStyle


def run(options: JudgeOptions) -> None:
    """Judges, or with dry_run prints an estimate."""
    if options.output is None and not options.dry_run:
        raise UserError("say where to write the verdicts: --output DIR, or --dry-run to ask nothing")
    budget = _budget(options)
    endpoint = endpoint_of(options.base_url, options.model, options.key_from, options.accepted, options.timeout)
    judge = _judge(options)
    judged, source, snapshot = _read(options, alone=judge.template.single)
    print_warnings(judge)
    inquiry = Inquiry.of(judged, judge)
    if options.dry_run:
        print_estimate(inquiry, _known(inquiry.requests, options), budget.prices)
        return
    with Book(_book(options)) as book:
        answers = _ask(inquiry.requests, book, endpoint, budget, options)
    found = inquiry.tables(answers.found)
    assert options.output is not None
    folder.write(options.output, found, judge, source)
    print_summary(found, options.baseline, judge.template.verdict)
    if snapshot is not None:
        print_agreement(agreement(found.verdicts, snapshot))
    print_cost(answers.progress, budget.prices)
    say(f"{options.output}: {describe(inquiry)}")


def _known(requests: Sequence[Request], options: JudgeOptions) -> Progress:
    """The progress before anything is asked. Makes no book."""
    if not _book(options).exists():
        return Progress(len(requests))
    with Book(_book(options)) as book:
        return look_up(requests, book)[1]


def _ask(requests: Sequence[Request], book: Book, endpoint: Endpoint, budget: Budget, options: JudgeOptions) -> Asked:
    async def ask() -> Asked:
        pace = Pace(options.requests_per_minute, options.tokens_per_minute)
        async with Backend(endpoint, pace) as backend:
            with showing(options.progress, budget.prices) as show:
                return await ask_all(requests, book, backend, budget, options.concurrency, show)

    return asyncio.run(ask())


def _judge(options: JudgeOptions) -> Judge:
    parameters = dict(_parameter(text) for text in options.parameters)
    template = load(options.template)
    return Judge(
        model=options.model, template=template, orders=options.orders, seed=options.seed, parameters=parameters
    )


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UserError(f"--parameter is {shown(text)}: give NAME=VALUE, such as temperature=0.5")
    if name.strip() in ("messages", "model", "stream", "n"):
        raise UserError(f"--parameter cannot set {name.strip()}: gristmill judge sets it, or needs its default")
    return name.strip(), None if value.strip() == "none" else value_of(value.strip(), f"--parameter {name}")


def _budget(options: JudgeOptions) -> Budget:
    prices = (options.prompt_price, options.answer_price)
    if options.budget is not None and None in prices:
        raise UserError("--budget is in money: give --prompt-price and --answer-price, or use --token-budget")
    return Budget(options.budget, options.token_budget, Prices(*(price or 0.0 for price in prices)))


def _read(options: JudgeOptions, *, alone: bool) -> tuple[Pairs, SourceEntry, Snapshot | None]:
    """The pairs, and the campaign if they are a campaign's. A file may hold responses of a model ``alone``."""
    folders = [path for path in options.sources if path.is_dir()]
    if not folders:
        judged = of_outputs(read_outputs(options.sources), options.baseline, alone=alone)
        files = {path.name: digest(path) for path in options.sources}
        return judged, SourceEntry(files=files, compared=tuple(judged.models), baseline=options.baseline), None
    if len(options.sources) > 1:
        raise UserError("judge one campaign at a time, or one or more files of responses")
    snapshot = load_campaign(folders[0])
    judged = of_campaign(snapshot, options.baseline)
    source = SourceEntry(
        files={},
        compared=tuple(judged.models),
        campaign=snapshot.name,
        revision=snapshot.revision,
        baseline=options.baseline,
    )
    return judged, source, snapshot


def _book(options: JudgeOptions) -> Path:
    first = options.sources[0]
    return options.book or (first if first.is_dir() else first.parent) / BOOK
