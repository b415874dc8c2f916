"""Estimates the time, memory and disk space of a job on this machine, with the model of ``gristmill plan``."""

from dataclasses import dataclass

from curation.engine.budget import BASE_BYTES
from curation.engine.planning import JobPlan
from curation.job import LEAST_MEMORY, Execution, Job
from curation.reports.forecast import Forecast, load
from curation.sources.formats import detect

STORED_TO_TEXT = {"gzip": 2.7, "zstd": 3.2, None: 1.0}
"""Bytes of records for each stored byte, by compression."""
PARQUET_TO_TEXT = 2.2
HTML_TO_TEXT = 0.08
"""Bytes of main text for each byte of a crawl file's records."""
DOCUMENT_BYTES = 2_000
"""Bytes of text of a document in a typical web corpus."""
MODEL = {True: "fineweb", False: "none"}
"""The recipe whose constants are used, with and without signals."""
EXTRACT_RATE = {"auto": 2.5e6, "trafilatura": 2.5e6, "resiliparse": 20e6}
"""Bytes of HTML per second and core."""
WORK_SHARE = 1.15
"""Bytes in .work for each byte of text until the run ends: documents that passed, and shuffled data."""
OUTPUT_SHARE = 0.65
"""Bytes of output for each byte of text."""


@dataclass(frozen=True)
class Estimate:
    seconds: float
    memory_bytes: float
    disk_bytes: float


def estimate(job: Job, planned: JobPlan, execution: Execution) -> Estimate:
    """The estimate for a job, assuming that all files are of the kind of the first one."""
    records, text, extraction = 0.0, 0.0, 0.0
    if planned.files:
        found = detect(planned.files[0].path, planned.files[0].name, planned.files[0].format)
        records = planned.stored_bytes * (
            PARQUET_TO_TEXT if found.kind == "parquet" else STORED_TO_TEXT.get(found.compression, 3.0)
        )
        text = records
        if found.kind in ("warc", "arc"):
            text, extraction = records * HTML_TO_TEXT, records / EXTRACT_RATE[job.reading.extract]
    cores = max(1, planned.workers(execution))
    forecast = Forecast(
        documents=text / DOCUMENT_BYTES,
        text=text,
        constants=load(MODEL[bool(job.recipe.signals)]),
        workers=cores,
        memory=execution.memory or LEAST_MEMORY,
    )
    seconds = forecast.seconds + extraction / cores
    return Estimate(seconds, BASE_BYTES + cores * forecast.worker_bytes, (WORK_SHARE + OUTPUT_SHARE) * text)
