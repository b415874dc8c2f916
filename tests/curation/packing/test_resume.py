"""A run that is ended at any moment goes on with the same command, does nothing twice, and ends with the same bytes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from curation.packing.corpus import ParquetCorpus
from curation.packing.manifest import Manifest
from curation.packing.packing import pack
from curation.packing.shares import Mixture, MixtureSource
from curation.tokenizers.tokenizer import open_tokenizer
from schemas.errors import UserError
from schemas.packed import Packing
from tests.curation.packing.corpora import Row, byte_level, everything, saved, write_corpus

TEXTS = [f"mill {number} " * (number % 9) for number in range(700)]
Run = Callable[..., Manifest]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Packs two corpora in small steps, some thousand tokens a step."""
    monkeypatch.setattr("curation.packing.packing.SAVED_SECONDS", 0)
    monkeypatch.setattr("curation.packing.corpus.BATCH_BYTES", 5_000)
    monkeypatch.setattr("curation.packing.shards.SHARD_BYTES", 1)
    for name, texts, files in (("web", TEXTS, 3), ("books", TEXTS[:100], 1)):
        write_corpus(tmp_path / name, [Row(f"{name}{n}", text) for n, text in enumerate(texts)], files)
    saved(tmp_path / "tokenizer.json", byte_level())

    def packs(output: str, length: int = 8, **more: Any) -> Manifest:
        corpora = [ParquetCorpus(path=str(tmp_path / "web")), ParquetCorpus(path=str(tmp_path / "books"))]
        return pack(corpora, open_tokenizer(tmp_path), length, tmp_path / output, threads=1, **more)

    return packs


@pytest.mark.parametrize("packing", get_args(Packing))
@pytest.mark.parametrize("number", [0, 1, 3])
@pytest.mark.parametrize(
    "where",
    [
        "curation.packing.tokenised.TokenisedWriter.add",
        "curation.packing.tokenised.TokenisedWriter.save",
        "curation.packing.rows.Rows._batch",
        "curation.release.folder.Folder.write_json",
    ],
)
def test_a_run_goes_on_where_it_was_ended(
    where: str, number: int, packing: Packing, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run("whole", packing=packing)
    with pytest.MonkeyPatch.context() as patched:
        calls, ended = ended_at(where, number, patched)
        for _ in range(10):
            try:
                done = run("out", packing=packing)
                break
            except KeyboardInterrupt:
                calls.clear()
    assert ended
    assert everything(tmp_path / "out") == everything(tmp_path / "whole")
    assert done == whole


def ended_at(where: str, number: int, patched: pytest.MonkeyPatch) -> tuple[list[int], list[int]]:
    """From now on the call after so many of a method is interrupted, up to three times; the calls, and the times."""
    module, name, method = where.rsplit(".", 2)
    kind = getattr(__import__(module, fromlist=[name]), name)
    real = getattr(kind, method)
    calls: list[int] = []
    ended: list[int] = []

    def interrupted(*given: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == number + 1 and len(ended) < 3:
            ended.append(1)
            raise KeyboardInterrupt
        return real(*given, **named)

    patched.setattr(kind, method, interrupted)
    return calls, ended


def test_what_is_done_is_not_done_again(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.MonkeyPatch.context() as patched, pytest.raises(KeyboardInterrupt):
        ended_at("curation.packing.rows.Rows._batch", 3, patched)
        run("out")
    shards = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out" / "shards").iterdir()}
    assert len(shards) == 3
    monkeypatch.setattr("curation.packing.encoding.encode_batch", lambda *_: pytest.fail("it tokenised again"))
    run("out")
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out" / "shards").iterdir()}
    assert {name: after[name] for name in shards} == shards
    assert len(after) > 3


def test_another_command_over_an_interrupted_run_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patched, pytest.raises(KeyboardInterrupt):
        ended_at("curation.packing.rows.Rows._batch", 3, patched)
        run("out")
    left = everything(tmp_path / "out")
    mixture = Mixture(
        source=(MixtureSource(name="web", path="web", share=1), MixtureSource(name="books", path="books", share=1))
    )
    for more, said in (
        (
            {"seed": 1},
            r"holds an interrupted run that differs: pack\.seed was 0 and is 1\. Resume the run with the same",
        ),
        ({"length": 9}, r"pack\.length was 8 and is 9"),
        ({"packing": "best-fit"}, r"pack\.packing was concatenate and is best-fit"),
        ({"mixture": mixture}, r"pack\.mixture was not set and is"),
    ):
        with pytest.raises(UserError, match=said):
            run("out", **more)
    web = tmp_path / "web" / "00.parquet"
    web.touch()
    with pytest.raises(UserError, match=r"input file .*web/00\.parquet has changed"):
        run("out")
    assert everything(tmp_path / "out") == left


def test_a_run_that_was_killed_behind_its_manifest_is_finished(run: Run, tmp_path: Path) -> None:
    whole = run("whole")
    with pytest.MonkeyPatch.context() as patched, pytest.raises(KeyboardInterrupt):
        ended_at("curation.release.folder.Folder.release", 0, patched)
        run("out")
    assert (tmp_path / "out" / ".work").exists()
    assert run("out").ledger == whole.ledger
    assert everything(tmp_path / "out") == everything(tmp_path / "whole")
    with pytest.raises(UserError, match="holds a finished run"):
        run("out")
