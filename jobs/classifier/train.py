"""The command ``gristmill train-classifier``."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from annotation.dataset.markdown import count
from curation.fasttext.classifier import (
    CALIBRATION,
    FORMAT,
    MODEL,
    NEGATIVE,
    POSITIVE,
    REPORT,
    VERSION,
    ClassifierManifest,
    Percentiles,
    log_odds,
)
from curation.fasttext.model import Model, read_model
from curation.fasttext.training import LabelledTexts, Training
from curation.fasttext.writing import write_model
from jobs.classifier.accuracy import AtThreshold, RocAuc, at_threshold, roc_auc
from jobs.classifier.documents import Documents, DocumentSet, Hashes
from jobs.counting import counting
from jobs.terminal import say
from schemas.checksums import sha256_of_file
from schemas.errors import UserError
from schemas.folders import new_folder
from schemas.intervals import CONFIDENCE
from schemas.manifest import MANIFEST, Entry
from schemas.records import to_json

LABELS = (POSITIVE, NEGATIVE)
LEAST = 2
"""The fewest documents of each set to train on, and to measure."""
TOP = 0.9
"""The percentile at which the report also measures: the top tenth of the reference."""
_PARTS = 1 << 32


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """The options of the command, as `jobs.classifier.cli` declares them."""

    positive: Sequence[str]
    negative: Sequence[str]
    reference: Sequence[str]
    output: Path
    held_out: float
    seed: int
    epochs: int
    rate: float
    dimensions: int
    ngrams: int
    buckets: int
    min_count: int

    @property
    def training(self) -> Training:
        return Training(**{name: getattr(self, name) for name in Training.__dataclass_fields__})


@dataclass(frozen=True, kw_only=True)
class Report:
    """The report on held-out documents. ``trained`` and ``held_out`` count documents by label; ``repeated`` held-out
    documents were left out since their text was also learned; ``unreadable`` counts records that cannot be read.
    ``reference`` documents made the calibration, without ``reference_learned`` ones whose text was learned."""

    confidence: float
    trained: dict[str, int]
    held_out: dict[str, int]
    repeated: dict[str, int]
    unreadable: dict[str, int]
    reference: int
    reference_learned: int
    roc_auc: RocAuc
    at_even_odds: AtThreshold
    at_percentile: AtThreshold


def run(options: TrainOptions) -> None:
    """Trains a classifier into a new folder, and prints its report."""
    with new_folder(options.output, "classifier") as folder:
        report = _train(options, folder)
    _say(options.output, report)


def _train(options: TrainOptions, folder: Path) -> Report:
    sets = {
        POSITIVE: DocumentSet("--positive", options.positive),
        NEGATIVE: DocumentSet("--negative", options.negative),
    }
    model, trained, contents = _model(options, sets, folder / MODEL)
    scores, repeated = dict[str, Any](), dict[str, int]()
    for label, each in sets.items():
        scores[label], repeated[label] = _scores(model, _held_out(each, options.held_out), contents)
        if len(scores[label]) < LEAST:
            raise UserError(
                f"{each.name} leaves {count(len(scores[label]), 'document')} to measure on "
                f"(--held-out {options.held_out:g}): give more documents, or hold more of them out"
            )
    reference = DocumentSet("--reference", options.reference)
    of_reference, known = _scores(model, reference.read(), contents)
    if not len(of_reference):
        raise UserError(
            f"--reference has no documents to calibrate with, apart from {known:,} that were learned: give others"
        )
    percentiles = Percentiles.of(of_reference)
    of_top = {label: percentiles.of_scores(found) for label, found in scores.items()}
    report = Report(
        confidence=CONFIDENCE,
        trained=trained,
        held_out={label: len(found) for label, found in scores.items()},
        repeated=repeated,
        unreadable={each.name: each.unreadable for each in (*sets.values(), reference)},
        reference=len(of_reference),
        reference_learned=known,
        roc_auc=roc_auc(scores[POSITIVE], scores[NEGATIVE]),
        at_even_odds=at_threshold(scores[POSITIVE], scores[NEGATIVE], 0.0),
        at_percentile=at_threshold(of_top[POSITIVE], of_top[NEGATIVE], TOP),
    )
    _write(folder / CALIBRATION, {"documents": len(of_reference), "scores": percentiles.scores})
    _write(folder / REPORT, asdict(report))
    _write(folder / MANIFEST, to_json(_manifest(options, folder)))
    return report


def _model(options: TrainOptions, sets: Mapping[str, DocumentSet], path: Path) -> tuple[Model, dict[str, int], Hashes]:
    """A model of the documents that are not held out, which is written to ``path``; the number of these documents by
    label, and the hashes of their texts."""
    with LabelledTexts() as texts:
        learned = {label: _learn(texts, each, LABELS.index(label), options.held_out) for label, each in sets.items()}
        ids, contents = zip(*learned.values(), strict=True)
        both = len(np.intersect1d(*contents))
        if both:
            say(
                f"--positive and --negative share {count(both, 'text')}: a classifier cannot learn from a text in "
                "both, so remove such texts from one of the two",
                err=True,
            )
        order = np.argsort(_mixed(np.concatenate(ids), options.seed), kind="stable")
        with counting("learning, in texts") as tell:
            steps = options.epochs * len(order)
            trained = texts.train(LABELS, options.training, order, lambda done: tell(done, steps))
    write_model(path, trained)
    return (
        read_model(path),
        {label: len(found) for label, (found, _) in learned.items()},
        np.unique(np.concatenate(contents)),
    )


def _manifest(options: TrainOptions, folder: Path) -> ClassifierManifest:
    names = (MODEL, CALIBRATION, REPORT)
    return ClassifierManifest(
        format=FORMAT,
        version=VERSION,
        gristmill=version("gristmill"),
        files={name: Entry(sha256_of_file(folder / name), (folder / name).stat().st_size) for name in names},
        others={"training": {**asdict(options.training), "held_out": options.held_out}},
    )


def _learn(texts: LabelledTexts, documents: DocumentSet, label: int, held_out: float) -> tuple[Hashes, Hashes]:
    """Adds the documents of a set that are not held out to ``words``; the hashes of their ids and of their texts."""
    ids: list[Hashes] = [np.empty(0, np.uint64)]
    contents: list[Hashes] = [np.empty(0, np.uint64)]
    for found in documents.read():
        kept = found.filter(~_is_held_out(found.ids, held_out))
        texts.add(kept.texts, label)
        ids.append(_mixed(kept.ids, label) ^ kept.contents)
        contents.append(kept.contents)
    if sum(map(len, ids)) < LEAST:
        given = count(sum(map(len, ids)), "document")
        raise UserError(f"{documents.name} has {given} to train on: give at least {LEAST}")
    return np.concatenate(ids), np.concatenate(contents)


def _held_out(documents: DocumentSet, share: float) -> Iterator[Documents]:
    return (found.filter(_is_held_out(found.ids, share)) for found in documents.read())


def _is_held_out(ids: Hashes, share: float) -> npt.NDArray[np.bool_]:
    """Whether each document is held out, by the hash of its id alone: equal ids of both sets go together."""
    return (ids >> np.uint64(32)).astype(np.float64) < share * _PARTS


def _scores(model: Model, documents: Iterator[Documents], learned: Hashes) -> tuple[npt.NDArray[np.float64], int]:
    """The log odds of documents whose text was not learned, and the number of other documents."""
    scores: list[npt.NDArray[np.float64]] = [np.empty(0, np.float64)]
    known = 0
    for found in documents:
        new = found.filter(~np.isin(found.contents, learned))
        known += len(found) - len(new)
        scores.append(log_odds(model, new.texts))
    return np.concatenate(scores), known


def _mixed(hashes: Hashes, seed: int) -> Hashes:
    """Other hashes for each seed, equally random (the finaliser of SplitMix64)."""
    with np.errstate(over="ignore"):
        x = hashes + np.uint64(seed + 1) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def _write(path: Path, value: Any) -> None:
    path.write_bytes(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n")


def _say(output: Path, report: Report) -> None:
    auc, at = report.roc_auc, report.at_even_odds
    say(f"{output}: learned {report.trained[POSITIVE]:,} positive and {report.trained[NEGATIVE]:,} negative documents")
    held = f"{report.held_out[POSITIVE]:,} positive and {report.held_out[NEGATIVE]:,} negative"
    say(f"held out: {held}; 95% intervals in brackets")
    say(f"ROC-AUC {auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}] ({auc.method})")
    say(f"at even odds: {_shares(at)} (Wilson)")
    say(f"at percentile {TOP:g} of {report.reference:,} reference documents: {_shares(report.at_percentile)} (Wilson)")
    for name, unreadable in report.unreadable.items():
        if unreadable:
            say(f"{name}: left out {count(unreadable, 'record')} that cannot be read")
    repeated = sum(report.repeated.values())
    if repeated:
        say(f"left out {count(repeated, 'held-out document')} whose text was also learned")
    if report.reference_learned:
        say(f"left out {count(report.reference_learned, 'reference document')} whose text was learned")


def _shares(at: AtThreshold) -> str:
    parts = []
    for name in ("precision", "recall"):
        value, interval = getattr(at, name), getattr(at, f"{name}_interval")
        shown = "not defined" if value is None else f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"
        parts.append(f"{name} {shown}")
    return ", ".join(parts)
