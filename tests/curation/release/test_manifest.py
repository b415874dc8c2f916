"""A manifest that somebody changed is read, or is one sentence: nothing else comes of it."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.engine.selection import Selection
from curation.recipes.tables import recipe_of
from curation.release.folder import Folder
from curation.release.manifest import parse_manifest
from curation.release.opening import open_release
from schemas.errors import UserError
from schemas.records import to_json
from tests.curation.engine.test_takedown import STRICT, run, take, text, write

VALUES: list[Any] = [None, True, -1, 2**70, float("nan"), "../x", "\ud800", [None], {"a": None}]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("finished")
    write(root / "in", [[(text(0), "http://mill.example/"), (text(4), None), ("", None), (text(100), None)]])
    first = run(root / "in", root / "first", STRICT)
    run(root / "in", root / "second", [*STRICT, 'url.domains=["bad.example"]'], [first])
    take(root / "second", Selection.of(["0-3", "none"]), root / "taken", [first])
    return root / "taken"


def changed(value: Any, root: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The manifest ``root`` with each of its values in turn removed, and made another one."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    for key in keys:
        yield from changed(value[key], root, (*path, key))
    if not path:
        return
    for other in VALUES:
        made = copy.deepcopy(root)
        place(made, path[:-1])[path[-1]] = other
        yield path, made
    made = copy.deepcopy(root)
    del place(made, path[:-1])[path[-1]]
    yield path, made


def place(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def test_each_change_of_a_manifest_is_seen_or_harmless(released: Path) -> None:
    manifest = released / "manifest.json"
    whole = manifest.read_text()
    seen = 0
    try:
        for path, made in changed(json.loads(whole), json.loads(whole)):
            if made == json.loads(whole):
                continue
            manifest.write_text(json.dumps(made))
            try:
                release, found = open_release(str(released))
                recipe_of(found.recipe, f"{released}/manifest.json")
            except UserError as error:
                seen += 1
                said = str(error)
                assert "\n" not in said, path
                assert str(released) in said, (path, said)
                continue
            assert release.folder == Folder(str(released))
            assert path[0] == "schemas" or path[-1] not in ("documents", "superseded", "taken_down/00000.parquet"), path
            assert path[0] != "outputs" or path[-1] in ("bytes", "rows", "sha256"), path
    finally:
        manifest.write_text(whole)
    assert seen > 500


def test_a_manifest_keeps_the_keys_of_a_later_version(released: Path) -> None:
    """A takedown writes them again."""
    folder = Folder(str(released))
    value = json.loads((released / "manifest.json").read_text())
    assert to_json(parse_manifest(json.dumps(value).encode(), folder)) == value
    lost = {"bytes": 1, "error": "bad_checksum", "message": "page 0", "whole": False, "later": 1}
    value["inputs"][0] |= {"later": {"a": None}, "lost": lost}
    value["takedown"][0]["later"] = value["later"] = value["job"]["later"] = [1]
    assert to_json(parse_manifest(json.dumps(value).encode(), folder)) == value
