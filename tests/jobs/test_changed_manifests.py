"""Manifests of datasets, exports and packed folders that somebody changed are read, or are one sentence."""

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from annotation.dataset import upgrade_dataset
from annotation.dataset.master import load
from annotation.exports import describe_export
from schemas import PackedError, open_packed
from schemas.errors import UserError
from tests.architecture.tree import ROOT
from tests.curation.release.test_manifest import changed

SENTENCES = (UserError, PackedError)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("stored")
    with tarfile.open(ROOT / "tests/stored/without_page_checksums.tar.xz") as archive:
        archive.extractall(root, filter="data")
    return root


def upgrade(folder: Path) -> None:
    try:
        upgrade_dataset(load(folder), folder / "newer")
    finally:
        shutil.rmtree(folder / "newer", ignore_errors=True)


def describe(folder: Path) -> None:
    describe_export(folder, "open-instruct")


@pytest.mark.parametrize(("name", "read"), [("comparisons", upgrade), ("export", describe), ("packed", open_packed)])
def test_each_change_is_one_sentence_or_harmless(name: str, read: Callable[[Path], object], stored: Path) -> None:
    manifest = stored / name / "manifest.json"
    whole = json.loads(manifest.read_text())
    said = []
    for _, made in changed(whole, whole):
        manifest.write_text(json.dumps(made))
        try:
            read(stored / name)
        except SENTENCES as error:
            said.append(str(error))
    assert len(said) > 100
    assert not [sentence for sentence in said if "\n" in sentence or str(stored / name) not in sentence]
