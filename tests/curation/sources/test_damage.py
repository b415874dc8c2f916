"""Damaged files of every format: nothing raises or hangs, what is lost is told, what lies away from it is kept."""

import time
from pathlib import Path

import pytest

from curation.sources.reading import ReadingSettings
from tests.curation.sources.damage import SAMPLES, Damaged, Sample, damage
from tests.curation.sources.made import read_bytes

FORMATS = pytest.mark.parametrize("name", SAMPLES)
MOST_SECONDS = 20
"""Of processor time for one file of some 10 KB: far more than any takes, and less than what one in a loop takes."""


@FORMATS
def test_the_whole_file_is_read(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]()
    read = read_bytes(sample.data, tmp_path, name=sample.name)
    assert not read.quarantine
    assert read.documents
    assert set(sample.texts) <= set(read.texts)
    assert not sample.texts or len(read.documents) == len(sample.texts)


@FORMATS
def test_damage_costs_what_it_meets(name: str, tmp_path: Path) -> None:
    _damage_many(SAMPLES[name](), name, 50, tmp_path)


@pytest.mark.soak
@FORMATS
def test_damage_of_2000_kinds_costs_what_it_meets(name: str, tmp_path: Path) -> None:
    _damage_many(SAMPLES[name](), name, 2000, tmp_path)


def _damage_many(sample: Sample, name: str, count: int, folder: Path) -> None:
    for n in range(count):
        seed = f"{name}/{n}"
        _check(damage(sample, seed), sample, seed, folder)


def _check(damaged: Damaged, sample: Sample, seed: str, folder: Path) -> None:
    """``read_spans`` compares the reports of the spans with the rows."""
    started = time.process_time()
    read = read_bytes(damaged.data, folder, ReadingSettings(max_record_bytes=1 << 20), name=sample.name)
    assert time.process_time() - started < MOST_SECONDS, seed
    missing = damaged.spared - set(read.texts)
    assert not missing, (seed, missing, read.quarantine)
    lost = set(sample.texts) - set(read.texts)
    changed = len(read.documents) - len(set(sample.texts) & set(read.texts))
    assert not lost or changed or read.quarantine or read.skipped or _ends_early(damaged, sample), (seed, lost)


def _ends_early(damaged: Damaged, sample: Sample) -> bool:
    """Whether whole pieces are missing at the end, as nothing can tell."""
    return sample.data.startswith(damaged.data)
