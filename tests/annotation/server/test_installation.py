"""What is installed is what is pinned, and a fetch that fails is a sentence."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from annotation.server import installation
from annotation.server.home import Home, default_home
from annotation.server.installation import REQUIREMENTS, VERSION, environment, install
from schemas.errors import RunError
from tests.annotation.parts import empty_home


def test_every_file_is_pinned_by_its_hash() -> None:
    text = REQUIREMENTS.read_text(encoding="ascii")
    assert f"\nlabel-studio=={VERSION} \\\n" in text
    entries = text.replace("\\\n", "").splitlines()
    assert not [line for line in entries if not line.startswith("#") and "--hash=sha256:" not in line]


def test_what_is_installed_is_not_installed_again(tmp_path: Path) -> None:
    told: list[str] = []
    home = Home(empty_home(tmp_path / "studio"))
    assert (install(home, told.append) / "bin" / "label-studio").exists()
    assert told == []


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "home").mkdir()
    return Home(tmp_path / "home")


def pin(monkeypatch: pytest.MonkeyPatch, path: Path, text: str) -> None:
    path.write_text(text)
    monkeypatch.setattr(installation, "REQUIREMENTS", path)


def test_a_package_that_cannot_be_fetched_is_a_sentence(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("UV_FIND_LINKS", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_OFFLINE", "1")
    pin(monkeypatch, tmp_path / "pins.txt", f"gristmill-nothing==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(RunError, match=r"could not be installed: .*gristmill-nothing") as caught:
        install(home, print)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_the_pinned_one_is_refused(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wheels").mkdir()
    with ZipFile(tmp_path / "wheels" / "flour-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("flour-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: flour\nVersion: 1.0\n")
        wheel.writestr("flour-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("flour-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    pin(monkeypatch, tmp_path / "pins.txt", f"flour==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(RunError, match=r"could not be installed: .*[Hh]ash mismatch"):
        install(home, print)
    assert not (environment(home) / "complete").exists()


def test_where_pip_finds_packages_uv_does_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/packages")
    assert installation._variables()["UV_DEFAULT_INDEX"] == "https://mirror.example/packages"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://own.example/packages")
    assert installation._variables()["UV_DEFAULT_INDEX"] == "https://own.example/packages"


def test_the_home_is_named_by_variables_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/miller")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("GRISTMILL_STUDIO_HOME", raising=False)
    assert default_home() == Path("/home/miller/.local/share/gristmill/studio")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert default_home() == Path("/data/gristmill/studio")
    monkeypatch.setenv("GRISTMILL_STUDIO_HOME", "~/labels")
    assert default_home() == Path("/home/miller/labels")
