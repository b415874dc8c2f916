"""Compiled kernels are kept in a folder that nobody else can write to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from curation.kernels import cache
from schemas.errors import UserError


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sources of kernels, with one compiled, in an installation that is read-only; nothing else is writable."""
    sources = tmp_path / "site" / "curation" / "kernels"
    (sources / "__pycache__").mkdir(parents=True)
    (sources / "mill.py").write_text("def grind(): ...\n")
    (sources / "__pycache__" / "mill.grind-1.py311.nbi").write_bytes(b"compiled")
    monkeypatch.setattr(cache, "SOURCES", sources)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/proc/nowhere")
    return sources


def test_a_cache_of_the_users_own_takes_what_was_compiled(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place = Path(cache.place())
    assert place.parent == tmp_path / "cache" / "gristmill"
    assert place.stat().st_mode & 0o077 == 0
    [copied] = place.rglob("*.nbi")
    assert copied.read_bytes() == b"compiled"
    assert copied.parent.name == cache._numbas_name(installed)
    assert cache.place() == str(place)
    (installed / "mill.py").write_text("def grind(): return 1\n")
    assert cache.place() != str(place)  # numba may inline a kernel into one of another file


def test_the_name_is_numbas_own(installed: Path) -> None:
    from numba.core.caching import UserProvidedCacheLocator

    source = installed / "mill.py"
    name = UserProvidedCacheLocator.get_suitable_cache_subpath(str(source))
    assert name == cache._numbas_name(source.parent)


@pytest.mark.parametrize("spoil", [lambda path: path.mkdir(0o777), lambda path: path.symlink_to("/tmp")])
def test_a_folder_that_others_made_or_may_write_to_is_not_used(
    spoil: object, installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    folder = tmp_path / f"gristmill-{os.geteuid()}"
    spoil(folder)  # type: ignore[operator]
    if not folder.is_symlink():
        folder.chmod(0o777)
    with pytest.raises(UserError, match="set NUMBA_CACHE_DIR to a folder that you alone can write to"):
        cache.place()
    assert not list(folder.glob("kernels-*"))


def test_what_is_writable_stays_beside_the_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: True)
    assert cache.place() == ""


def test_a_file_in_the_current_folder_does_not_say_where_code_lies(tmp_path: Path) -> None:
    """Numba reads .numba_config.yaml there, and loads pickles from the folder that it names."""
    (tmp_path / ".numba_config.yaml").write_text(f"cache_dir: {tmp_path}/evil\n")
    code = "import curation.engine.stages, numba; print(repr(numba.config.CACHE_DIR))"
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    words = [sys.executable, "-P", "-c", code]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "''\n"
    assert not (tmp_path / "evil").exists()


def test_kernels_are_compiled_where_one_lies_in_the_cache(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cache.SETTING, "")
    assert cache.compiled()
    monkeypatch.setenv(cache.SETTING, str(tmp_path / "empty"))
    assert not cache.compiled()
