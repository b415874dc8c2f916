"""The job on a Spark cluster with two workers: the local run's bytes, also when one of them is lost."""

from pathlib import Path

import pytest

from tests.cluster.running import ended, start, when_half
from tests.cluster.spark import spark
from tests.curation.test_laws import digest

pytestmark = pytest.mark.soak


def test_a_lost_worker_changes_no_byte(environment: Path, corpus: Path, local: dict[str, str], tmp_path: Path) -> None:
    """Killed with its executor while it reads; Spark does what it had done again on the other one."""
    output = tmp_path / "out"
    with (
        spark(environment, tmp_path / "spark") as at_work,
        start("spark", corpus, output, at_work.job_endpoint, at_work.pool) as run,
    ):
        when_half(run, output, "judged", local)
        lost = at_work.workers[0]
        for process in [lost, *lost.children(recursive=True)]:
            process.kill()
        ended(run)
        assert "Lost executor" in (tmp_path / "spark" / "jobs.log").read_text()
    assert digest(output) == local
