"""Measures the documents of a finished folder for its data card: a batch at a time, in threads, in one order."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.fasttext.files import ModelFile
from curation.kernels.listed_terms import hashes, occurrences
from curation.release.folder import Folder
from curation.release.shards import read_shard, row_groups, shard_columns, shard_name
from curation.reports.card_columns import clusters, hosts, languages, top_level_domains, years
from curation.reports.card_tallies import TALLY, Tallies
from curation.reports.card_terms import GENDERED, KINDS, Wanted
from curation.reports.stored_verdicts import rows_of

Ints = npt.NDArray[np.int64]
Scorer = Callable[[pa.RecordBatch], npt.NDArray[np.float64]]
"""The score of each document, NaN for a document without one."""
TOXIC = 0.5
"""The score from which a document counts as toxic (Llama 2, Section 4.1)."""
SCORE_UNITS = 1 << 32
"""Scores are added as whole numbers of this part of 1, so that their sum does not depend on an order."""
_COLUMNS = (
    "doc_id",
    "text",
    "url",
    "source",
    "language",
    "language_score",
    "date",
    "file",
    "offset",
    "near_cluster_size",
)
_RIGHTS = ("robots_refused", "opt_outs", "tdm_reservation", "licence")
"""The signals of the steps robots and rights."""
_LENGTHS = ("bytes", "characters", "words")


@dataclass
class Measured:
    """What was counted in some documents. ``groups`` counts the documents with a term of each kind and axis; ``terms``
    those with each term; ``tallies`` those with each value of a column; ``lengths`` are the distinct lengths and how
    many documents have each; ``signals`` are sums of counts, and documents with any. ``score`` is the sum
    of scores, in parts of SCORE_UNITS."""

    documents: int = 0
    gendered: int = 0
    personal: int = 0
    groups: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    terms: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    tallies: Tallies = field(default_factory=Tallies)
    lengths: dict[str, tuple[Ints, Ints]] = field(default_factory=dict)
    signals: Counter[tuple[str, str]] = field(default_factory=Counter)
    scored: int = 0
    toxic: int = 0
    score: int = 0

    def add(self, other: "Measured") -> None:
        """Adds the counts of other documents."""
        for name in ("documents", "gendered", "personal", "scored", "toxic", "score"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("groups", "terms"):
            mine = getattr(self, name)
            setattr(self, name, getattr(other, name) + (mine if len(mine) else 0))
        self.signals.update(other.signals)
        for name, counted in other.lengths.items():
            self.lengths[name] = _merged(self.lengths[name], counted) if name in self.lengths else counted
        for part in other.tallies.parts():
            self.tallies.add(part)


@dataclass(frozen=True)
class Task:
    """What to measure: the documents of a finished folder, or the ``share`` of them that hashes of their doc_id choose.
    ``with_signals``: the folder holds signals. ``models`` are those that the scorer reads."""

    folder: Folder
    with_signals: bool
    wanted: Wanted
    share: float
    scorer: Scorer | None
    models: tuple[ModelFile, ...] = ()


def measured(task: Task, units: Sequence[int], threads: int) -> Measured:
    """The measures of the kept documents of some units of a folder."""
    total = Measured()
    jobs: deque[Future[Measured]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for batch, signals in _batches(task, units):
            jobs.append(pool.submit(measure, batch, signals, task.wanted, task.share, task.scorer))
            if len(jobs) > threads:
                total.add(jobs.popleft().result())
        while jobs:
            total.add(jobs.popleft().result())
    return total


def _batches(task: Task, units: Sequence[int]) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
    """The documents of each row group, and those of their signals that a card shows."""
    folder = task.folder
    for unit in units:
        documents, signals = shard_name("documents", unit), shard_name("signals", unit)
        names = shard_columns(folder, documents)
        shown = [name for name in shard_columns(folder, signals) if _is_shown(name)] if task.with_signals else []
        held = read_shard(folder, signals, ["file", "offset", *shown]) if shown else None
        for _, batch in row_groups(folder, documents, [name for name in _COLUMNS if name in names]):
            own = pa.table({})
            if held is not None:
                places = pa.Table.from_batches([batch.select(["file", "offset"])])
                own = held.select(shown).take(pa.array(rows_of(places, held)))
            yield batch, own


def _is_shown(signal: str) -> bool:
    return signal.startswith(("redacted_", "personal_")) or signal in _RIGHTS


def measure(batch: pa.RecordBatch, signals: pa.Table, wanted: Wanted, share: float, scorer: Scorer | None) -> Measured:
    """The measures of a batch of documents, or of the share that is chosen."""
    if share < 1:
        chosen = pa.array(hashes(batch["doc_id"]) < np.uint64(int(share * 2**64)))
        batch, signals = batch.filter(chosen), signals.filter(chosen) if signals.num_columns else signals
    found = occurrences(batch["text"], wanted.terms)
    bits = [(found.groups >> np.uint64(group)) & np.uint64(1) for group in range(len(KINDS) + len(wanted.axes))]
    sizes = (pc.binary_length(batch["text"]).to_numpy(), pc.utf8_length(batch["text"]).to_numpy(), found.words)
    scores = scorer(batch) if scorer is not None else np.zeros(0)
    scores = scores[~np.isnan(scores)]
    tallies = Tallies()
    for each in _tallies(batch, signals):
        tallies.add(each)
    return Measured(
        documents=len(batch),
        gendered=_count_any(found.groups, 0, len(GENDERED)),
        personal=_count_any(found.groups, len(GENDERED), len(KINDS)),
        groups=np.array([each.sum() for each in bits], np.int64),
        terms=found.texts,
        tallies=tallies,
        lengths={name: _distinct(each) for name, each in zip(_LENGTHS, sizes, strict=True)},
        signals=_sums(signals),
        scored=len(scores),
        toxic=int((scores >= TOXIC).sum()),
        score=int(np.rint(scores * SCORE_UNITS).sum()),
    )


def _count_any(groups: npt.NDArray[np.uint64], first: int, end: int) -> int:
    """How many texts have a term of the groups from ``first`` to before ``end``."""
    return int(np.count_nonzero(groups & np.uint64((1 << end) - (1 << first))))


def _distinct(lengths: npt.NDArray[np.generic]) -> tuple[Ints, Ints]:
    values, counts = np.unique(lengths.astype(np.int64), return_counts=True)
    return values, counts.astype(np.int64)


def _merged(one: tuple[Ints, Ints], other: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    values, places = np.unique(np.concatenate([one[0], other[0]]), return_inverse=True)
    counts = np.zeros(len(values), np.int64)
    np.add.at(counts, places, np.concatenate([one[1], other[1]]))
    return values, counts


def _tallies(batch: pa.RecordBatch, signals: pa.Table) -> Iterator[pa.Table]:
    named = hosts(batch["url"])
    columns = {
        "language": languages(batch["language"], batch["language_score"]),
        "year": years(batch["date"]),
        "host": named,
        "top_level_domain": top_level_domains(named),
        "source": batch["source"],
    }
    if "near_cluster_size" in batch.schema.names:
        columns["cluster"] = clusters(batch["near_cluster_size"])
    for name in signals.column_names:
        if not pa.types.is_integer(signals[name].type):
            columns[f"signal {name}"] = signals[name].cast(pa.string()).combine_chunks()
    for name, column in columns.items():
        counted = column.drop_null().value_counts()
        table = pa.repeat(pa.scalar(name, pa.string()), len(counted))
        yield pa.table([table, counted.field("values").cast(pa.string()), counted.field("counts")], schema=TALLY)


def _sums(signals: pa.Table) -> Counter[tuple[str, str]]:
    """The sum of each count in the signals, the documents with any, and the documents for which it is known."""
    found: Counter[tuple[str, str]] = Counter()
    for name in signals.column_names:
        if pa.types.is_integer(signals[name].type):
            column = signals[name]
            found[name, "sum"] = pc.sum(column).as_py() or 0
            found[name, "documents"] = pc.sum(pc.greater(column, 0)).as_py() or 0
            found[name, "known"] = len(column) - column.null_count
    return found
