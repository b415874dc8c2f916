"""Places that are read-only, too small or taken away: the same bytes as elsewhere, or one sentence."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import curation.engine.stages
from schemas.errors import RunError
from tests.architecture.tree import ROOT
from tests.curation.packing.corpora import byte_level, saved
from tests.curation.test_laws import digest
from tests.jobs.calling import call

GRISTMILL = Path(sys.executable).with_name("gristmill")
QUICK = ("--set", "near=false", "--progress", "none")


def run(*words: str | Path, **more: Any) -> tuple[int, str]:
    """Exit code and standard error of a command."""
    told = [str(word) for word in words]
    done = subprocess.run(told, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=300, **more)
    return done.returncode, done.stderr


def elsewhere(mounts: str, *words: str | Path, **variables: str) -> tuple[int, str]:
    """As ``run``, in a mount namespace of its own, in which something is mounted.

    Only root may mount: other users go without these tests. CI is root, and there a skip fails.
    """
    if os.geteuid():
        pytest.skip("only root may mount")
    return run(
        "unshare", "--mount", "bash", "-ec", f'{mounts}\nexec "$@"', "bash", *words, env={**os.environ, **variables}
    )


@pytest.mark.soak
def test_a_read_only_installation_runs_where_no_home_can_be_written_to(corpus: Path, tmp_path: Path) -> None:
    """And loads what was compiled beside the sources: to compile everything takes minutes."""
    mounts = f'mount --bind "{ROOT}" "{ROOT}"\nmount -o remount,bind,ro "{ROOT}"'
    words = (GRISTMILL, "curate", "--input", corpus, "--workers", "2", *QUICK, "--output")
    here = {"HOME": "/proc/none", "TMPDIR": str(tmp_path), "NUMBA_CACHE_DIR": "", "XDG_CACHE_HOME": ""}
    assert elsewhere(mounts, *words, tmp_path / "out", **here) == (0, "")
    [kept] = (tmp_path / f"gristmill-{os.geteuid()}").glob("kernels-*")
    before = {file.name: file.stat().st_mtime_ns for file in kept.rglob("*.nbc")}
    assert len(before) > 50
    assert elsewhere(mounts, *words, tmp_path / "again", **here) == (0, "")
    assert {file.name: file.stat().st_mtime_ns for file in kept.rglob("*.nbc")} == before
    assert digest(tmp_path / "out") == digest(tmp_path / "again")


@pytest.mark.soak
def test_an_installed_wheel_that_nobody_may_write_to_compiles_once_and_says_so(corpus: Path, tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root may give up the right to write everywhere; CI is root, and there a skip fails")
    site = tmp_path / "site"
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps")
    assert run(*pip, "--no-build-isolation", "--no-index", "--no-compile", "--target", site, ROOT)[0] == 0
    for path in (site, *site.rglob("*")):
        path.chmod(path.stat().st_mode & 0o555)
    unprivileged = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
    python = (sys.executable, "-c", "from jobs.cli import main; main()")
    words = (*unprivileged, *python, "curate", "--input", corpus, "--workers", "2", *QUICK, "--output")
    here = {"PYTHONPATH": str(site), "PYTHONSAFEPATH": "1", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    variables = {**os.environ, **here, "NUMBA_CACHE_DIR": ""}
    said = "gristmill: warning: the compiled kernels are missing: compiling them takes about a minute, once\n"
    assert run(*words, tmp_path / "out", env=variables, cwd=tmp_path) == (0, said)
    assert run(*words, tmp_path / "again", env=variables, cwd=tmp_path) == (0, "")
    assert list(site.rglob("*.nbi")) == []
    assert run(GRISTMILL, *words[len(unprivileged) + 3 :], tmp_path / "here") == (0, "")
    assert digest(tmp_path / "out") == digest(tmp_path / "again") == digest(tmp_path / "here")


def test_without_semaphores_one_process_does_the_work(corpus: Path, tmp_path: Path) -> None:
    words = (GRISTMILL, "curate", "--input", corpus, "--workers", "2", *QUICK, "--output", tmp_path / "out")
    code, said = elsewhere("mount -t tmpfs -o ro none /dev/shm", *words)
    assert code == 0
    assert said.startswith("gristmill: worker processes cannot be used here ([Errno 30] Read-only file system")
    assert said.count("\n") == 1


def test_python_without_docstrings_is_reported(corpus: Path, tmp_path: Path) -> None:
    words = (GRISTMILL, "curate", "--input", corpus, "--workers", "0", "--output", tmp_path / "out")
    code, said = run(*words, env={**os.environ, "PYTHONOPTIMIZE": "2"})
    assert (code, said.count("\n")) == (2, 1)
    assert "run without python -OO" in said
    assert not (tmp_path / "out").exists()


def test_a_limit_on_file_sizes_is_reported_like_a_full_disk(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = corpus.read_text().splitlines()
    corpus.write_text(
        "".join(f"{lines[0].replace('good', f'a{row}').replace('grain', f'a{row}')}\n" for row in range(500))
    )
    words = ("curate", "--input", corpus, "--output", tmp_path / "out", "--workers", "0", *QUICK)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        code = call(*words, monkeypatch=monkeypatch)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == 1
    assert "would be larger than this process may write (ulimit -f)" in capfd.readouterr().err
    assert call(*words, monkeypatch=monkeypatch) == 0


def test_an_output_that_is_removed_midway_is_reported(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, write_edges = tmp_path / "out", curation.engine.stages.dedup.write_edges

    def remove_first(*arguments: Any) -> None:
        shutil.rmtree(out)
        write_edges(*arguments)

    monkeypatch.setattr(curation.engine.stages.dedup, "write_edges", remove_first)
    words = ("curate", "--input", corpus, "--output", out, "--workers", "0", *QUICK)
    assert call(*words, monkeypatch=monkeypatch) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"gristmill: files of the output {out} were removed during the run")
    assert said.count("\n") == 1


@pytest.mark.parametrize("table", ["signals", "documents", "rejects/filters"])
def test_a_table_that_was_removed_from_an_unfinished_folder_is_written_anew(
    table: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, write = tmp_path / "out", curation.engine.stages.write_documents
    (corpus.parent / "second.jsonl").write_text(corpus.read_text().replace('"id": "', '"id": "second-'))
    words = ("curate", "--input", corpus.parent, "--workers", "0", "--set", "unit_bytes=1000", *QUICK, "--output")
    with monkeypatch.context() as patched:
        patched.setattr(curation.engine.stages, "write_documents", _until_the_second(write))
        assert call(*words, out, monkeypatch=patched) == 1
    shutil.rmtree(out / table)
    assert call(*words, out, monkeypatch=monkeypatch) == 0
    assert call(*words, tmp_path / "undisturbed", monkeypatch=monkeypatch) == 0
    assert digest(out) == digest(tmp_path / "undisturbed")


def _until_the_second(write: Callable[..., None]) -> Callable[..., None]:
    calls: list[object] = []

    def writes(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) > 1:
            raise RunError("stopped")
        write(*arguments)

    return writes


def test_a_finished_folder_without_its_signals_is_not_called_finished(
    curated: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(curated / "signals")
    assert call("curate", "--input", corpus, "--output", curated, monkeypatch=monkeypatch) == 2
    assert f"{curated}/signals/00000.parquet is missing: restore the original folder" in capsys.readouterr().err


def test_names_that_are_not_utf_8_are_read_or_refused(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Arrow's own readers cannot open such files; curate reads and writes them by Python's."""
    monkeypatch.chdir(tmp_path)
    odd = os.fsdecode(b"mill\xff")
    Path(f"{odd}.toml").write_text(f'input = "{corpus}"\noutput = "out"\n')
    saved(tmp_path / f"{odd}.json", byte_level())
    shutil.copy(corpus, f"{odd}.jsonl")
    assert call("curate", f"{odd}.toml", "--workers", "0", *QUICK, monkeypatch=monkeypatch) == 0
    curate = ("curate", "--input", f"{odd}.jsonl", "--output", odd, "--workers", "0", *QUICK)
    assert call(*curate, monkeypatch=monkeypatch) == 0
    assert call(*curate, monkeypatch=monkeypatch) == 0, "finished"
    pack = ("pack", "out", "--tokenizer", f"{odd}.json", "--length", "8", "--output")
    assert call(*pack, "packed", monkeypatch=monkeypatch) == 0
    capsys.readouterr()
    for words in (
        ("explain", odd, "--sample", "1"),
        ("explain", "out", odd),
        (*pack, f"{odd}-packed"),
        ("pack", odd, "--tokenizer", f"{odd}.json", "--length", "8", "--output", "other"),
        ("curate", "--input", corpus, "--output", "other", "--set", f"keep.sources={odd}"),
        ("curate", "--input", corpus, "--output", "other", "--set", f"{odd}=1"),
    ):
        assert call(*words, monkeypatch=monkeypatch) == 2, words
        assert capsys.readouterr().err.count("\n") == 1, words


def test_an_id_is_found_whatever_the_locale(curated: Path) -> None:
    plain = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    code, said = run(GRISTMILL, "explain", curated, "m\u00fchle", env={**os.environ, **plain})
    assert code == 2
    assert "has no document 'm" in said
    assert said.count("\n") == 1
