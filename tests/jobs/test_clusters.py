"""The job files for clusters, as they ship."""

import argparse
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from jobs.corpus.job_file import load_job
from tests.architecture.tree import ROOT

FOLDER = ROOT / "jobs" / "clusters"
RUNNERS = {"flink": "PortableRunner", "spark": "PortableRunner", "dataflow": "DataflowRunner"}


def test_each_job_file_is_in_the_guide() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(RUNNERS)
    guide = (FOLDER / "README.md").read_text()
    assert not [name for name in RUNNERS if f"`{name}.toml`" not in guide]


@pytest.mark.parametrize("name", RUNNERS)
def test_a_job_file_is_read_and_beam_knows_each_option(name: str) -> None:
    job, output, options = load_job(Path(FOLDER / f"{name}.toml"))
    assert job.recipe.name == "fineweb"
    assert job.recipe.dedup.near
    assert output.endswith("/corpus")
    known, unknown = _parser().parse_known_args(options)
    assert unknown == []
    assert known.runner == RUNNERS[name]
    assert not known.save_main_session
    if name != "dataflow":
        assert known.environment_type == "EXTERNAL"
        assert known.job_endpoint


def test_an_unknown_option_is_seen() -> None:
    assert _parser().parse_known_args(["--job_endpont=x"])[1] == ["--job_endpont=x"]


def _parser() -> argparse.ArgumentParser:
    """All that Beam's own options hold."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for part in PipelineOptions.__subclasses__():
        part._add_argparse_args(parser)
    return parser
