"""The length-controlled win rates of a source, as AlpacaEval 2 defines them, as numbers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.dataset.markdown import count
from annotation.evaluation.difficulties import Difficulties
from annotation.evaluation.numbers import Number, Origin, Traced, of_interval
from annotation.evaluation.sources import Source
from annotation.evaluation.votes import left_out, outcomes_of
from annotation.statistics.difficulty import difficulties
from annotation.statistics.length_controlled import Compared, LengthControlled, length_controlled
from annotation.statistics.outcomes import OUTCOMES, Floats, Ints, Outcomes, parts
from schemas.errors import UserError
from schemas.evaluation import NO_VERDICT

MEASURE = "length-controlled win rate"
_FIRST_WITHOUT = OUTCOMES.index(NO_VERDICT[0])


@dataclass(frozen=True)
class LengthControl:
    """Against which model, and how. ``variants``: the baseline asked to write longer or shorter, which hold the effect
    of length near theirs. Without ``difficulties``, these are estimated from the other models of the source."""

    baseline: str
    variants: tuple[str, ...] = ()
    difficulties: Difficulties | None = None

    @property
    def facts(self) -> tuple[str, ...]:
        """What a manifest says of it."""
        known = self.difficulties
        given = () if known is None else (f"difficulties of {known.name}, SHA-256 {known.sha256}",)
        return (self.baseline, *(f"variant {name}" for name in self.variants), *given)


@dataclass(frozen=True)
class _Match:
    """The votes on a model against the baseline, whose rows have the model as A."""

    model: str
    compared: Compared
    outcomes: Outcomes
    left_out: str


def length_controlled_rates(sources: Sequence[Source], control: LengthControl) -> Iterator[Traced]:
    """The length-controlled win rate of each model of each source against the baseline, the highest first.

    Raises UserError if there is no source, if the baseline or a variant is in none, or if a prompt has no difficulty in
    the file given.
    """
    if not sources:
        raise UserError("no source has votes on pairs, as --length-controlled needs: leave the option out")
    models = {name for each in sources for column in ("model", "opponent") for name in each.votes[column].to_pylist()}
    for name in (control.baseline, *control.variants):
        if name not in models:
            raise UserError(f"no source compares a model {name!r}: choose one of {', '.join(sorted(models))}")
    for source in sources:
        yield from _of_source(source, control)


def _of_source(source: Source, control: LengthControl) -> Iterator[Traced]:
    matches = {each.model: each for each in _matches(source, control.baseline)}
    known = None if control.difficulties is None else _given(control.difficulties, matches.values())
    variants = [matches.pop(name) for name in control.variants if name in matches]
    decided = [each for each in variants if not np.isnan(each.compared.preference).all()]
    found = []
    for match in matches.values():
        others = [each for each in (*matches.values(), *variants) if each is not match]
        hard, said = (known, f"from {control.difficulties.name}") if control.difficulties else _estimated(match, others)
        held = {each.model: _with(each, hard) for each in decided}
        found.append(_number(source, control, match, _with(match, hard), held, said))
    if not found:
        method = f"no votes on {control.baseline} and another model" + (" than its variants" if variants else "")
        yield Traced(
            Number(**_about(source), value=None, votes=0, method=method), Origin(where={"source": (source.name,)})
        )
    yield from sorted(found, key=lambda each: -1.0 if each.number.value is None else -each.number.value)


def _matches(source: Source, baseline: str) -> Iterator[_Match]:
    """The votes with texts on each model against the baseline, by the model's name."""
    votes = source.votes
    turned = pc.equal(votes["model"], baseline)
    votes = votes.filter(pc.and_(pc.or_(turned, pc.equal(votes["opponent"], baseline)), _differ(votes)))
    outcomes = outcomes_of(votes)
    turn = pc.equal(votes["model"], baseline).to_numpy()
    worth, counted = parts(outcomes.outcome, "half")
    preference = np.where(counted > 0, worth, np.nan)
    weighed = pc.fill_null(votes["preference"], float("nan")).to_numpy()
    preference = np.where((counted > 0) & ~np.isnan(weighed), weighed, preference)
    longer = pc.fill_null(pc.cast(votes["longer"], pa.float64()), float("nan")).to_numpy()
    preference, longer = np.where(turn, 1 - preference, preference), np.where(turn, -longer, longer)
    model = np.where(turn, outcomes.model_b, outcomes.model_a)
    for place in np.unique(model):
        rows = np.flatnonzero((model == place) & ~np.isnan(longer))
        raters = outcomes.rater[rows] if source.voters == "people" else None
        compared = Compared(preference[rows], longer[rows], np.zeros(len(rows)), outcomes.prompt[rows], raters)
        own = outcomes.take(np.flatnonzero(model == place))
        yield _Match(outcomes.models[int(place)], compared, own, _left_out(own, len(own) - len(rows)))


def _differ(votes: pa.Table) -> pa.ChunkedArray:
    return pc.not_equal(votes["model"], votes["opponent"])


def _left_out(votes: Outcomes, without_texts: int) -> str:
    lost = without_texts - votes.counts()["missing"]
    return ", ".join(filter(None, [left_out(votes, NO_VERDICT), f"{lost:,} without texts" if lost > 0 else ""]))


def _given(known: Difficulties, matches: Iterable[_Match]) -> Floats:
    """The difficulty of each prompt, by its code. Raises UserError for a prompt that has none."""
    names = next((each.outcomes.prompts for each in matches), ())
    lacking = [name for name in names if name not in known.values]
    if lacking:
        more = f" and of {count(len(lacking) - 1, 'other')}" if lacking[1:] else ""
        raise UserError(
            f"{known.name} has no difficulty of the prompt {lacking[0]!r}{more}: give the difficulty of every prompt"
        )
    return np.array([known.values[name] for name in names])


def _estimated(match: _Match, others: Sequence[_Match]) -> tuple[Floats | None, str]:
    """The difficulties by the votes on other models, so that a model's own votes do not explain themselves."""
    if not others:
        return None, "not used, as there is no other model to estimate it from"
    rows = [np.flatnonzero(~np.isnan(each.compared.preference)) for each in others]
    columns: list[tuple[Floats, Floats, Ints, Ints]] = [
        (each.compared.preference[at], each.compared.design[at, 0], np.full(len(at), place), each.compared.prompt[at])
        for place, (each, at) in enumerate(zip(others, rows, strict=True))
    ]
    preference, length, model, prompt = (np.concatenate(column) for column in zip(*columns, strict=True))
    found = difficulties(preference, length, model, prompt, len(match.outcomes.prompts))
    return found, f"estimated from {count(len(others), 'other model')} of the source"


def _with(match: _Match, hard: Floats | None) -> Compared:
    held = match.compared
    known = np.zeros(len(held.prompt)) if hard is None else hard[held.prompt]
    return Compared(held.preference, held.longer, known, held.prompt, held.rater)


def _about(source: Source) -> dict[str, Any]:
    return {"section": "length_controlled", "source": source.name, "voters": source.voters, "measure": MEASURE}


def _number(
    source: Source, control: LengthControl, match: _Match, votes: Compared, variants: Mapping[str, Compared], hard: str
) -> Traced:
    pair = (match.model, control.baseline)
    origin = Origin(where={"source": (source.name,), "model": pair, "opponent": pair}, left_out=NO_VERDICT)
    about = {**_about(source), "model": match.model, "opponent": control.baseline, "left_out": match.left_out}
    try:
        found = length_controlled(votes, list(variants.values()))
    except UserError as error:
        return Traced(Number(**about, value=None, votes=0, method=f"no value: {error}"), origin)
    return of_interval(found.interval, origin, **{**about, "method": _method(found, control, tuple(variants), hard)})


def _method(found: LengthControlled, control: LengthControl, used: Sequence[str], hard: str) -> str:
    length, difficulty, model = found.weights
    held = f", held near that of {' and '.join(used)}" if used else ""
    unused = [name for name in control.variants if name not in used]
    lacking = (
        f"; no votes with texts and a verdict on {' and '.join(unused)} against {control.baseline}" if unused else ""
    )
    return (
        f"AlpacaEval 2 (Dubois et al. 2024): logistic regression with weights {length:.3f} of length{held}, "
        f"{difficulty:.3f} of difficulty and {model:.3f} of the model, penalty 1/{found.strength:.4g} by "
        f"cross-validation; difficulty {hard}{lacking}; {found.interval.method}; standard error as alpaca_eval gives "
        f"it {found.published_error:.4f}, without the doubt of the fit"
    )
