"""The mean grades that a judge gave to the responses of models, as numbers."""

from collections.abc import Iterator

from annotation.evaluation.numbers import Origin, Traced, of_interval
from annotation.evaluation.sources import Source
from annotation.evaluation.winrates import mean_grades
from schemas.evaluation import NO_VERDICT


def grade_means(source: Source) -> Iterator[Traced]:
    """The mean grade of each model, sorted by name, with the lowest and highest mean that missing grades allow."""
    if source.grades is None:
        return
    for model, mean in mean_grades(source.graded, *source.grades).items():
        yield of_interval(
            mean.rate,
            Origin(table="graded", where={"source": (source.name,), "model": (model,)}, left_out=NO_VERDICT),
            section="grades",
            source=source.name,
            voters=source.voters,
            measure="mean grade",
            model=model,
            least=mean.low,
            most=mean.high,
            left_out=", ".join(f"{count:,} {word}" for word, count in mean.without.items()),
        )
