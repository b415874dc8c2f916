"""The command ``gristmill judge``."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.evaluation import folder
from annotation.evaluation.asking import Asked, Limits, Progress, ask_all, look_up
from annotation.evaluation.backend import Backend, endpoint_of
from annotation.evaluation.book import Book
from annotation.evaluation.inquiry import Inquiry
from annotation.evaluation.judging import Judge, Orders
from annotation.evaluation.pace import Pace
from annotation.evaluation.spending import Budget, Prices
from annotation.evaluation.templates import RESERVED, is_json, load
from jobs.evaluation.estimate import describe, print_estimate
from jobs.evaluation.progress import beating, showing
from jobs.evaluation.sources import book_of, read_source
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
    again: tuple[str, ...]
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
    run = _Run(options)
    print_warnings(run.inquiry)
    if options.output is None or options.dry_run:
        print_estimate(run.inquiry, run.known(), run.budget)
        return
    with folder.writing(options.output) as writer:
        answers = run.ask()
        found = run.inquiry.tables(answers.found)
        folder.fill(writer, found, run.judge, run.source.entry)
    print_summary(found, options.baseline, run.judge.template.verdict)
    if run.source.campaign is not None:
        print_agreement(found, run.source.campaign)
    print_cost(answers, run.endpoint, run.budget.prices)
    say(f"{options.output}: {describe(run.inquiry)}")


class _Run:
    """What the options ask for, checked and read."""

    def __init__(self, options: JudgeOptions):
        self.options = options
        self.budget = _budget(options)
        self.endpoint = endpoint_of(
            options.base_url, options.model, options.key_from, options.accepted, options.timeout
        )
        self.judge = _judge(options)
        self.source = read_source(options.sources, options.baseline, alone=self.judge.template.single)
        self.book = book_of(options.sources[0], options.book)
        self.inquiry = Inquiry.of(self.source.judged, self.judge)

    def known(self) -> Progress:
        """The progress before anything is asked. Makes no book, and leaves an existing one as it is."""
        requests = self.inquiry.requests
        if not self.book.exists():
            return Progress(len(requests))
        with Book(self.book, read_only=True) as book:
            return look_up(requests, book, self._stale(book))[1]

    def ask(self) -> Asked:
        """The answers to all questions, from the book or the endpoint. Says what is kept if a signal ends it."""
        try:
            with Book(self.book) as book:
                return asyncio.run(self._ask(book))
        except KeyboardInterrupt:
            progress = self.known()
            kept = f"{progress.before + progress.stale:,} of {progress.total:,} requests are answered and kept"
            say(f"{kept} in {self.book}: the same command continues", err=True)
            raise

    async def _ask(self, book: Book) -> Asked:
        pace = Pace(self.options.requests_per_minute, self.options.tokens_per_minute)
        async with Backend(self.endpoint, pace, tell=lambda message: say(message, err=True)) as backend:
            with showing(self.options.progress, self.budget.prices, lambda: pace.held) as show:
                limits = Limits(self.budget, self.options.concurrency)
                async with beating(show) as shown:
                    return await ask_all(self.inquiry.requests, book, backend, limits, shown, self._stale(book))

    def _stale(self, book: Book) -> set[bytes]:
        """The requests that were answered without a verdict, in a way that ``again`` names."""
        if not self.options.again:
            return set()
        held = book.answers(request.key for request in self.inquiry.requests)
        return {key for key, outcome in self.inquiry.outcomes(held).items() if outcome in self.options.again}


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
    if name.strip() in RESERVED:
        raise UserError(f"--parameter cannot set {name.strip()}: gristmill judge sets it, or needs its default")
    parsed = None if value.strip() == "none" else value_of(value.strip(), f"--parameter {name}")
    if not is_json(parsed):
        raise UserError(f"--parameter {name} is {shown(parsed)}: give a value that JSON can hold")
    return name.strip(), parsed


def _budget(options: JudgeOptions) -> Budget:
    prices = (options.prompt_price, options.answer_price)
    if options.budget is not None and None in prices:
        raise UserError("--budget is in money: give --prompt-price and --answer-price, or use --token-budget")
    return Budget(options.budget, options.token_budget, Prices(*(price or 0.0 for price in prices)))
