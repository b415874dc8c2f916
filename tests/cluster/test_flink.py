"""The job on a Flink cluster with two TaskManagers: the local run's bytes, also when one of them is lost."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.cluster.corpus import write_corpus
from tests.cluster.environment import imported_from
from tests.cluster.flink import Flink, flink
from tests.cluster.own_files import write_recipe, write_texts
from tests.cluster.running import GRISTMILL, Run, ended, start, when_half
from tests.curation.test_laws import digest, rows

pytestmark = pytest.mark.soak


def started(corpus: Path, output: Path, at_work: Flink) -> Run:
    places = at_work.job_endpoint, at_work.pool
    return start("flink", corpus, output, *places, changes={"parallelism = 8": "parallelism = 2"})


def test_workers_import_the_wheel(environment: Path) -> None:
    for module in ("schemas", "curation.engine.stages", "jobs.cli"):
        assert environment in imported_from(environment, module).parents


def test_the_bytes_are_the_local_ones(environment: Path, corpus: Path, local: dict[str, str], tmp_path: Path) -> None:
    output = tmp_path / "out"
    with flink(environment, tmp_path / "flink") as at_work:
        ended(started(corpus, output, at_work))
        assert [state for _, state in at_work.jobs()] == ["FINISHED"] * 2
        assert not [job for job, _ in at_work.jobs() if at_work.failures(job)]
        staged = [path.name for path in (tmp_path / "flink" / "staged").rglob("*") if path.is_file()]
    assert digest(output) == local
    assert not [name for name in staged if re.search("pickle|session", name)]


def test_languages_and_files_of_the_users_own_give_the_local_bytes(environment: Path, tmp_path: Path) -> None:
    """The recipe names its files relative to a folder in which no worker is."""
    texts, place, output = write_texts(tmp_path / "texts"), write_recipe(tmp_path / "recipe"), tmp_path / "out"
    local = tmp_path / "local"
    words = "--input", texts / "*.jsonl", "--recipe", "own.toml", "--set", "unit_bytes=50000", "--output", local
    subprocess.run([GRISTMILL, "curate", *words], check=True, cwd=place)
    assert len(rows(local, "documents")) > 100
    failed = {(row["stage"], row["reason"], row["language"]) for row in rows(local, "rejects")}
    assert failed >= {
        ("gopher_quality", "too_few_words", "eng_Latn"),
        ("gopher_quality", "too_few_words", "deu_Latn"),
        ("marks", "high_exclamations", "eng_Latn"),
        ("fasttext", "low_wanted", "eng_Latn"),
    }
    changes = {'"fineweb"': '"own.toml"\nunit_bytes = 50000', "parallelism = 8": "parallelism = 2"}
    with flink(environment, tmp_path / "flink") as at_work:
        ended(start("flink", texts, output, at_work.job_endpoint, at_work.pool, changes, place))
        assert [state for _, state in at_work.jobs()] == ["FINISHED"] * 2
        assert not [job for job, _ in at_work.jobs() if at_work.failures(job)]
    assert digest(output) == digest(local)


def test_the_card_of_a_corpus_is_the_local_one(environment: Path, tmp_path: Path) -> None:
    texts, output = write_texts(tmp_path / "texts"), tmp_path / "out"
    words = "--input", texts / "*.jsonl", "--recipe", "none", "--set", "unit_bytes=50000", "--output", output
    subprocess.run([GRISTMILL, "curate", *words], check=True)
    assert len(list((output / "documents").iterdir())) > 2
    subprocess.run([GRISTMILL, "card", output], check=True)
    local = digest(output)
    with flink(environment, tmp_path / "flink") as at_work:
        options = [
            *("--runner=PortableRunner", f"--job_endpoint={at_work.job_endpoint}", "--parallelism=2"),
            *("--environment_type=EXTERNAL", f"--environment_config={at_work.pool}"),
        ]
        subprocess.run([GRISTMILL, "card", output, "--", *options], check=True)
        assert [state for _, state in at_work.jobs()] == ["FINISHED"]
    assert digest(output) == local
    assert "README.md" in local


def test_pieces_are_cut_as_on_one_machine(environment: Path, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "in", 8_000_000)
    with flink(environment, tmp_path / "flink") as at_work:
        for unit in ("sentences", "substring"):
            recipe, here, there = tmp_path / f"{unit}.toml", tmp_path / f"{unit}-here", tmp_path / f"{unit}-there"
            recipe.write_text(f'[dedup]\nnear = false\npieces = {{ unit = "{unit}" }}\n')
            asked = ["--input", f"{corpus}/*.jsonl", "--output", str(here), "--recipe", str(recipe)]
            subprocess.run([str(GRISTMILL), "curate", *asked], check=True)
            changes = {'recipe = "fineweb"': f'recipe = "{recipe}"', "parallelism = 8": "parallelism = 2"}
            ended(start("flink", corpus, there, at_work.job_endpoint, at_work.pool, changes=changes))
            assert rows(here, "cuts")
            assert digest(there) == digest(here)


def test_sites_are_removed_as_on_one_machine(environment: Path, tmp_path: Path) -> None:
    corpus, here, there = write_corpus(tmp_path / "in", 3_000_000), tmp_path / "here", tmp_path / "there"
    for file in corpus.iterdir():
        found = [json.loads(line) for line in file.read_text().splitlines()]
        for place, row in enumerate(found):
            row["url"] = f"https://mill{place % 50}.example/{place}"
            row["text"] += f" Write to mill{place}@mail.example.org." if place % 10 < 3 else ""
        file.write_text("".join(json.dumps(row) + "\n" for row in found))
    recipe = tmp_path / "private.toml"
    recipe.write_text('[sites]\nkinds = ["email"]\nper_thousand_words = 2\n[dedup]\nurl = true\n')
    asked = ["--input", f"{corpus}/*.jsonl", "--output", str(here), "--recipe", str(recipe)]
    subprocess.run([str(GRISTMILL), "curate", *asked], check=True)
    with flink(environment, tmp_path / "flink") as at_work:
        changes = {'recipe = "fineweb"': f'recipe = "{recipe}"', "parallelism = 8": "parallelism = 2"}
        ended(start("flink", corpus, there, at_work.job_endpoint, at_work.pool, changes=changes))
        assert [state for _, state in at_work.jobs()] == ["FINISHED"] * 3
    assert {row["removed"] for row in rows(here, "sites")} == {True}
    assert rows(here, "rejects/sites")
    assert digest(there) == digest(here)


@pytest.mark.parametrize(("stage", "number"), [("judged", 0), ("written", 1)])
def test_a_lost_task_manager_changes_no_byte(
    environment: Path, corpus: Path, local: dict[str, str], tmp_path: Path, stage: str, number: int
) -> None:
    """Killed while it reads, or while it writes: Flink begins the job again on the other one, with the same command."""
    output = tmp_path / "out"
    with flink(environment, tmp_path / "flink") as at_work, started(corpus, output, at_work) as run:
        when_half(run, output, stage, local)
        at_work.task_managers[0].kill()
        ended(run)
        assert [state for _, state in at_work.jobs()] == ["FINISHED"] * 2
        failures = [at_work.failures(job) for job, _ in at_work.jobs()]
        assert failures[number], "the loss was not felt"
        assert not failures[1 - number]
    assert digest(output) == local


def test_a_lost_cluster_changes_no_byte(environment: Path, corpus: Path, local: dict[str, str], tmp_path: Path) -> None:
    """Job server, cluster and workers end at once; the same command goes on with a new cluster."""
    output = tmp_path / "out"
    with flink(environment, tmp_path / "first") as at_work:
        lost = started(corpus, output, at_work)
        when_half(lost, output, "judged", local)
    _, said = lost.communicate()
    assert lost.returncode == 1
    assert "gristmill: the connection to Beam's job server was lost (" in said
    judged = {path: path.stat().st_mtime_ns for path in (output / ".work").glob("judged-*.json")}
    assert judged
    with flink(environment, tmp_path / "second") as at_work, started(corpus, output, at_work) as run:
        when_half(run, output, "written", local)
        assert judged == {path: path.stat().st_mtime_ns for path in judged}, "a unit was judged again"
        assert "resuming the interrupted run" in ended(run)
    assert digest(output) == local
