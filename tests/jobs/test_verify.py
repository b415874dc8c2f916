"""``gristmill verify``: every kind of folder that Gristmill finishes, whole and damaged."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotation.exports import describe_export
from curation.release.folder import Folder
from curation.release.manifest import read_finished
from jobs import load_dataset, open_corpus
from jobs.verification.folder import read_expected
from schemas import PackedError, open_packed
from schemas.errors import UserError
from tests.annotation.exports.datasets import dataset
from tests.curation.packing.corpora import byte_level, saved
from tests.jobs.calling import call

KINDS = ("corpus", "takedown", "packed", "comparisons", "import", "mixture", "export", "export hf")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder of each kind."""
    root = tmp_path_factory.mktemp("made")
    patch = pytest.MonkeyPatch()
    patch.chdir(root)
    lines = [json.dumps({"id": f"d{number}", "text": f"mill {number} " * 30}) for number in range(20)]
    Path("in.jsonl").write_text("\n".join(lines) + "\n{broken\n")
    Path("ids.txt").write_text("d3\nd99\n")
    asked = "\n\nHuman: What is rye?\n\nAssistant: "
    Path("hh.jsonl").write_text(json.dumps({"chosen": f"{asked}A.", "rejected": f"{asked}B."}) + "\n{broken\n")
    Path("mix.toml").write_text('name = "m"\nseed = 1\n[[source]]\nname = "a"\ndatasets = ["comparisons"]\nshare = 1\n')
    saved(Path("tokenizer.json"), byte_level())
    dataset(Path("comparisons"))
    for words in (
        ["curate", "--input", "in.jsonl", "--output", "corpus", "--recipe", "none", "--set", "near.ngram=50"],
        ["takedown", "corpus", "--doc-id", "ids.txt", "--output", "takedown"],
        ["pack", "corpus", "--tokenizer", "tokenizer.json", "--length", "16", "--output", "packed"],
        ["dataset", "import", "hh.jsonl", "--schema", "hh", "--output", "import"],
        ["dataset", "mix", "mix.toml", "--output", "mixture"],
        ["dataset", "export", "comparisons", "--format", "llama-factory", "--output", "export"],
        ["dataset", "export", "comparisons", "--format", "hf", "--output", "export hf"],
    ):
        assert call(*words, monkeypatch=patch) == 0, words
    patch.undo()
    return root


@pytest.fixture
def folder(made: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return Path(shutil.copytree(made / request.param, tmp_path / "it"))


each_kind = pytest.mark.parametrize("folder", KINDS, indirect=True)


def verify(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    capsys.readouterr()
    code = call("verify", folder, monkeypatch=monkeypatch)
    said = capsys.readouterr()
    return code, said.out, said.err


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@each_kind
def test_it_finds_every_file_that_is_damaged_missing_or_added(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = verify(folder, capsys, monkeypatch)
    loose = {"manifest.json", *(["README.md"] if (folder / "sketches").exists() else [])}  # a corpus's may be edited
    named = [name for name in files(folder) if name not in loose]
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == f"{folder}: {len(named)} files, all as they were written"
    for name in named:
        path = folder / name
        whole = path.read_bytes()
        for damage, said in (
            (bytes([whole[0] ^ 1]) + whole[1:] if whole else b"x", ""),
            (whole[:-1], ""),
            (None, "is missing"),
        ):
            path.unlink()
            if damage is not None and (damage or whole):
                path.write_bytes(damage)
            code, out, err = verify(folder, capsys, monkeypatch)
            assert (code, f"\n{name} {said}" in out) == (1, True), (name, out)
            assert err.startswith(f"gristmill: {folder} differs from its manifest (1 file): ")
            assert err.count("\n") == 1
            path.write_bytes(whole)
    (folder / "more\x1b.txt").write_text("")
    code, out, err = verify(folder, capsys, monkeypatch)
    assert (code, "\nmore\\x1b.txt is not in the manifest\n" in out) == (1, True)
    (folder / "more\x1b.txt").unlink()
    assert verify(folder, capsys, monkeypatch)[0] == 0


@each_kind
def test_the_table_shows_the_size_of_what_was_read(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in files(folder):
        if name != "manifest.json":
            with (folder / name).open("r+b") as file:
                file.truncate(1_500_000)
    code, out, _ = verify(folder, capsys, monkeypatch)
    assert code == 1
    header, *lines = out.splitlines()[1:]
    table = lines[: next(number for number, line in enumerate(lines) if " has " in line or " is " in line)]
    assert header.split() == ["files", "rows", "MB", "wrong"]
    assert [line.split()[-2] for line in table] == [f"{int(line.split()[1]) * 1.5:,.1f}" for line in table]


@each_kind
def test_a_manifest_that_was_changed_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "manifest.json"
    whole = path.read_text()
    listed = "outputs" if "outputs" in json.loads(whole) else "files"

    def changed(**changes: Any) -> str:
        return json.dumps({**json.loads(whole), **changes})

    digest = {"sha256": "0" * 64, "rows": 1, "bytes": 1}
    for content, said in (
        (whole[:-9], "is not JSON"),
        ("[]", "manifest.json: the file is not a table: the file was changed"),
        (changed(format="other"), "was written by another version of gristmill" if listed == "outputs" else "was not"),
        (changed(**{listed: {**json.loads(whole)[listed], "../x": digest}}), "names a file outside of its folder"),
        (changed(**{listed: []}), f"{listed} is not a table"),
        (changed(**{listed: {"a": 1}}), f"{listed}.a is not a table"),
        (changed(**{listed: {"a": {**digest, "sha256": "00"}}}), "is not 64 hexadecimal digits"),
    ):
        path.write_text(content)
        code, out, err = verify(folder, capsys, monkeypatch)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert said in err


def test_a_changed_ledger_is_seen_by_every_command_that_reads_a_corpus(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "corpus"
    shutil.copytree(made / "corpus", folder)
    path = folder / "manifest.json"
    whole = path.read_text()
    (tmp_path / "ids.txt").write_text("d4\n")
    new = tmp_path / "new"
    commands: list[list[str | Path]] = [
        ["verify", folder],
        ["explain", folder, "d3"],
        ["takedown", folder, "--doc-id", tmp_path / "ids.txt", "--output", new],
        ["pack", folder, "--tokenizer", made / "tokenizer.json", "--output", new],
        ["train-tokenizer", folder, "--output", new],
        ["curate", "--input", made / "in.jsonl", "--recipe", "none", "--output", new, "--against", folder],
        ["curate", "--input", made / "in.jsonl", "--recipe", "none", "--output", folder],
    ]
    manifest = json.loads(whole)
    (source,) = manifest["ledger"]["kept"]
    for keys, value, said in (
        (["ledger", "kept", source, "documents"], 99, "its ledger does not balance"),
        (["ledger", "kept", source, "words"], "many", "is not a whole number"),
        (["ledger", "read"], None, "ledger.read is not a table"),
        (["outputs"], {}, "its ledger counts 20 kept documents, its shards 0"),
        (["job", "recipe", "steps"], [{}], "lacks job.recipe.steps[0].use"),
    ):
        changed = json.loads(whole)
        place = changed
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value
        path.write_text(json.dumps(changed))
        for command in commands:
            capsys.readouterr()
            assert call(*command, monkeypatch=monkeypatch) == 2, command
            err = capsys.readouterr().err
            assert said in err, command
            assert err.count("\n") == 1
            assert not new.exists()


def test_what_holds_nothing_of_ours_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unfinished/.work").mkdir(parents=True)
    (tmp_path / "file").touch()
    for name, said in (("", "holds no manifest.json"), ("gone", "is not a folder"), ("file", "is not a folder")):
        code, out, err = verify(tmp_path / name, capsys, monkeypatch)
        assert (code, out, said in err) == (2, "", True)
    assert "holds an unfinished run" in verify(tmp_path / "unfinished", capsys, monkeypatch)[2]


@pytest.mark.parametrize(
    ("command", "linked"),
    [
        ("verify corpus", "corpus/documents"),
        ("explain corpus d3", "corpus/documents"),
        ("takedown corpus --doc-id ids.txt --output new", "corpus/documents"),
        ("pack corpus --tokenizer tokenizer.json --output new", "corpus/documents"),
        ("curate --input in.jsonl --recipe none --set near.ngram=50 --output new --against corpus", "corpus/sketches"),
        ("pack-export packed --format megatron --output new", "packed/shards"),
        ("dataset export comparisons --format hh --output new", "comparisons/comparisons"),
        ("dataset check export --format llama-factory", "export/dataset_info.json"),
    ],
)
def test_a_file_that_cannot_be_read_is_not_called_missing(
    command: str,
    linked: str,
    made: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    shutil.move(linked, "elsewhere")
    Path(linked).symlink_to(Path(linked).name)
    code = call(*command.split(), monkeypatch=monkeypatch)
    said = capsys.readouterr()
    assert code in (1, 2)
    assert "cannot be read (Too many levels of symbolic links)" in said.out + said.err
    assert "is missing" not in said.out + said.err
    assert said.err.count("\n") == 1


def test_a_manifest_may_name_a_file_that_no_disk_can_hold(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shutil.copytree(made, tmp_path, dirs_exist_ok=True))
    path = Path("export/manifest.json")
    manifest = json.loads(path.read_text())
    name = "x" * 5000
    path.write_text(json.dumps({**manifest, "files": {**manifest["files"], name: {"sha256": "0" * 64}}}))
    assert call("dataset", "check", "export", "--format", "llama-factory", monkeypatch=monkeypatch) == 1
    assert f"{name} cannot be read (File name too long)" in capsys.readouterr().out
    manifest["master"]["name"] = name
    path.write_text(json.dumps(manifest))
    assert call("dataset", "check", "export", "--format", "llama-factory", monkeypatch=monkeypatch) == 2
    assert "is not beside it" in capsys.readouterr().err


def _loop(path: Path) -> None:
    path.mkdir()
    (path / "manifest.json").symlink_to("manifest.json")


@pytest.mark.parametrize(
    "make",
    [Path.touch, lambda path: (path / "manifest.json").mkdir(parents=True), _loop],
    ids=["a file", "a folder as its manifest", "a link to itself"],
)
@pytest.mark.parametrize(
    "read",
    [
        lambda path: read_finished(Folder(str(path))),
        lambda path: read_expected(Folder(str(path))),
        open_packed,
        load_dataset,
        lambda path: describe_export(path, "hh"),
        open_corpus,
    ],
    ids=["release", "verify", "packed", "dataset", "export", "api"],
)
def test_what_is_no_folder_of_ours_is_one_sentence(
    read: Callable[[Path], object], make: Callable[[Path], object], tmp_path: Path
) -> None:
    make(tmp_path / "it")
    with pytest.raises((UserError, PackedError), match=r"cannot be read|is not a folder|is missing"):
        read(tmp_path / "it")
