"""What a job will take, from rates that ``make bench`` measured on one core: an estimate, no promise."""

from dataclasses import dataclass

from curation.driver import Plan
from curation.job import Execution, Job
from curation.sources.formats import detect

STORED_TO_TEXT = {"gzip": 2.7, "zstd": 3.2, None: 1.0}
"""Bytes of records for each stored byte, by compression."""
PARQUET_TO_TEXT = 2.2
HTML_TO_TEXT = 0.08
"""Bytes of main text for each byte of a crawl file's records."""
START_SECONDS = 2.5
JUDGE_RATE = {True: 12e6, False: 80e6}
"""Bytes of text per second and core, with and without signals, deduplication and writing included."""
EXTRACT_RATE = {"trafilatura": 2.5e6, "resiliparse": 20e6}
"""Bytes of HTML per second and core."""
WORKER_BYTES = 350e6
SHUFFLE_SHARE = 0.25
"""What the local runner holds in memory for each byte of text: bands, pairs and names."""
WORK_SHARE = 1.05
"""What lies in .work for each byte of text, until the run ends."""
OUTPUT_SHARE = 0.65


@dataclass(frozen=True)
class Estimate:
    seconds: float
    memory_bytes: float
    disk_bytes: float


def estimate(job: Job, planned: Plan, execution: Execution) -> Estimate:
    """By the kind of the first file: inputs are taken to be of one kind."""
    records, text, extraction = 0.0, 0.0, 0.0
    if planned.files:
        found = detect(planned.files[0].path)
        records = planned.stored_bytes * (
            PARQUET_TO_TEXT if found.kind == "parquet" else STORED_TO_TEXT.get(found.compression, 3.0)
        )
        text = records
        if found.kind in ("warc", "arc"):
            text, extraction = records * HTML_TO_TEXT, records / EXTRACT_RATE[job.reading.extract]
    cores = max(1, planned.workers(execution))
    seconds = START_SECONDS + (extraction + text / JUDGE_RATE[job.recipe.signals]) / cores
    return Estimate(seconds, (1 + cores) * WORKER_BYTES + SHUFFLE_SHARE * text, (WORK_SHARE + OUTPUT_SHARE) * text)
